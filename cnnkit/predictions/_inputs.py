"""inputs.parquet: what a run is about, and how a folder differs from it now."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from cnnkit.errors import DataError
from cnnkit.files import replace_atomically, sha256_of
from cnnkit.records import Sample

CHUNK = 4096  # keys that are in memory at once while the list is written or read
N_NAMED = 3

Entry = tuple[str, int, int]  # key, size, mtime_ns


def write_inputs(path: Path, samples: Iterable[Sample]) -> str:
    """Write inputs.parquet and return its sha256. Equal lists give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("key", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64())])
    listed = iter(samples)
    with replace_atomically(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            while chunk := list(islice(listed, CHUNK)):
                columns = [[getattr(sample, name) for sample in chunk] for name in schema.names]
                writer.write_table(pa.table(columns, schema=schema))
        return sha256_of(temporary)


def input_differences(path: Path, samples: Iterable[Sample]) -> list[str]:
    """Name what changed since the list was written: new, gone and changed files; empty when nothing did."""
    now = ((sample.key, sample.size, sample.mtime_ns) for sample in samples)
    found: dict[str, list[str]] = {"new": [], "gone": [], "changed": []}
    for was, entry in _merged(_entries(path), now):
        if was is None and entry is not None:
            found["new"].append(entry[0])
        elif entry is None and was is not None:
            found["gone"].append(was[0])
        elif was is not None and was != entry:
            found["changed"].append(was[0])
    told = [f"{len(keys)} {what} ({_few(keys)})" for what, keys in found.items() if keys]
    return [f"list of images: {', '.join(told)}"] if told else []


def _merged(one: Iterator[Entry], other: Iterator[Entry]) -> Iterator[tuple[Entry | None, Entry | None]]:
    """Pair the entries of two lists in key order by their keys; None stands where a list lacks one."""
    left, right = next(one, None), next(other, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            yield left, None
            left = next(one, None)
        elif left is None or right[0] < left[0]:
            yield None, right
            right = next(other, None)
        else:
            yield left, right
            left, right = next(one, None), next(other, None)


def _entries(path: Path) -> Iterator[Entry]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=CHUNK):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: is damaged or gone ({error}). --overwrite starts the run anew.") from error


def _few(keys: list[str]) -> str:
    return ", ".join(keys[:N_NAMED]) + (", ..." if len(keys) > N_NAMED else "")
