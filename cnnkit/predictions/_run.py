"""The reading side of a run folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit.errors import DataError
from cnnkit.files import sha256_of
from cnnkit.predictions._plan import Manifest, Plan
from cnnkit.spec import ModelSpec

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Run:
    """A run folder to read; `manifest` is None while the run is not complete."""

    path: Path
    plan: Plan
    manifest: Manifest | None

    @property
    def spec(self) -> ModelSpec:
        return self.plan.spec

    @property
    def sha256(self) -> str:
        """Of manifest.json, which holds the hash of the predictions themselves."""
        return sha256_of(self.path / "manifest.json")

    def batches(self, columns: Sequence[str] | None = None) -> "Iterator[pa.RecordBatch]":
        """Stream the rows in key order, at most a part in memory at a time."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for part in sorted((self.path / "parts").glob("part-*.parquet")):
            try:
                yield from pq.ParquetFile(part).iter_batches(columns=columns)
            except (pa.ArrowInvalid, OSError) as error:
                raise DataError(f"{part}: is damaged ({error}). Delete it and run infer again.") from error


def is_run(path: Path) -> bool:
    """Whether a folder holds a run, complete or not."""
    return (path / "plan.json").exists()


def open_run(path: Path) -> Run:
    """Open a complete run; DataError says what is missing and how to go on."""
    if not is_run(path):
        way_on = (
            f"Its run is {path / 'run'}." if is_run(path / "run") else "`cnnkit infer MODEL IMAGES -o RUN` makes one."
        )
        raise DataError(f"{path}: not a run folder: it has no plan.json. {way_on}")
    plan = Plan.read(path / "plan.json")
    if not (path / "manifest.json").exists():
        raise DataError(
            f"{path}: the run is not complete. Give the same infer command again; it goes on where it stopped."
        )
    return Run(path, plan, Manifest.read(path / "manifest.json"))
