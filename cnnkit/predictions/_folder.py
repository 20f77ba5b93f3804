"""The writing side of a run folder: lock, plan, shards, parts, manifest. Killed at any moment, it can go on."""

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from cnnkit.errors import DataError
from cnnkit.files import sha256_of, write_text
from cnnkit.predictions._inputs import input_differences, write_inputs
from cnnkit.predictions._part import PartWriter, writing_part
from cnnkit.predictions._plan import BatchRun, Manifest, Plan
from cnnkit.predictions._run import Run
from cnnkit.predictions._table import schema_for
from cnnkit.records import Row, Sample

if TYPE_CHECKING:
    import pyarrow as pa

EXPORT_FILES = ("predictions.csv", "predictions.jsonl", "predictions.coco.json")
EXPORT_FOLDERS = ("predictions.yolo", "predictions.voc")


@dataclass(frozen=True, slots=True)
class Shard:
    """Images `start` to `stop` of the list, and the batch size that holds for them."""

    index: int
    start: int
    stop: int
    batch_size: int


class RunFolder:
    """A run folder that this process holds. Get one from `RunFolder.locked`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    @contextmanager
    def locked(cls, path: Path) -> Iterator["RunFolder"]:
        """Hold the folder for the block; DataError names the process that holds it already."""
        _refuse_foreign(path)
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise DataError(f"{path}: another cnnkit is writing here ({_holder(path)}). Wait for it.") from None
        try:
            facts = {"pid": os.getpid(), "host": socket.gethostname()}
            write_text(path / ".holder", json.dumps(facts))
            _sweep(path)
            yield cls(path)
        finally:
            (path / ".holder").unlink(missing_ok=True)
            if [entry.name for entry in path.iterdir()] == [".lock"]:  # nothing came of it: leave nothing behind
                shutil.rmtree(path, ignore_errors=True)
            lock.release()

    @property
    def plan(self) -> Plan | None:
        path = self.path / "plan.json"
        return Plan.read(path) if path.exists() else None

    @property
    def manifest(self) -> Manifest | None:
        path = self.path / "manifest.json"
        return Manifest.read(path) if path.exists() else None

    def clear(self) -> None:
        """Start anew: take away what a run wrote, and nothing else. The plan goes last: it says the folder is ours."""
        (self.path / "manifest.json").unlink(missing_ok=True)  # first: it says the run is complete
        for name in ("parts", "attempts", *EXPORT_FOLDERS):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in (*EXPORT_FILES, "inputs.parquet", "run.json", "plan.json"):
            (self.path / name).unlink(missing_ok=True)

    def begin_run(self, plan: Plan, samples: Sequence[Sample]) -> Plan:
        """Write the list of images, then the plan, which then names the list's hash; return it."""
        inputs_sha256 = write_inputs(self.path / "inputs.parquet", samples)
        plan = plan.model_copy(update={"n": len(samples), "inputs_sha256": inputs_sha256})
        plan.write(self.path / "plan.json")
        return plan

    def input_differences(self, samples: Sequence[Sample]) -> list[str]:
        """What of the list of images is not as it was when the run began."""
        return input_differences(self.path / "inputs.parquet", samples)

    def refuse(self, differences: Sequence[str]) -> None:
        """Raise DataError when there are any."""
        if differences:
            raise DataError(
                f"{self.path}: holds another run; {'; '.join(differences)}. "
                f"Give another -o, or --overwrite to start anew."
            )

    def shrink_batches(self, plan: Plan, *, batch_size: int, from_shard: int) -> Plan:
        """Record, before it takes effect, that batches hold fewer images from a shard on."""
        changed = plan.model_copy(
            update={"batch_run": (*plan.batch_run, BatchRun(batch_size=batch_size, from_shard=from_shard))}
        )
        changed.write(self.path / "plan.json")
        return changed

    def pending(self, plan: Plan) -> list[Shard]:
        """The shards that have no part yet, in order."""
        return [shard for shard in _shards(plan) if not self.part(shard.index).exists()]

    def reopen(self, plan: Plan) -> bool:
        """Whether anything is left to do; a manifest that speaks of a part that is gone is taken away."""
        if self.pending(plan):
            (self.path / "manifest.json").unlink(missing_ok=True)
        return self.manifest is None

    def part(self, index: int) -> Path:
        return self.path / "parts" / f"part-{index:05d}.parquet"

    def marker(self, index: int) -> Path:
        """Laid before a shard is begun and removed when its part is there: one that is met tells of a death."""
        return self.path / "attempts" / f"shard-{index:05d}"

    def begin(self, shard: Shard) -> None:
        """Lay the shard's marker."""
        marker = self.marker(shard.index)
        marker.parent.mkdir(exist_ok=True)
        marker.touch()

    def began(self) -> list[int]:
        """The shards that have a marker, in order."""
        markers = (self.path / "attempts").glob("shard-*")
        return sorted(int(marker.name.removeprefix("shard-")) for marker in markers)

    def abandon(self, *, keep: Collection[int] = ()) -> None:
        """Take the markers away: whoever calls this is alive, so they tell of no death; `keep` are older ones."""
        for index in self.began():
            if index not in keep:
                self.marker(index).unlink(missing_ok=True)

    @contextmanager
    def writing_part(self, plan: Plan, shard: Shard) -> Iterator[PartWriter]:
        """The part is there when the block ends well with a row for each image of the shard."""
        schema = schema_for(plan.spec, plan.topk)
        with writing_part(self.part(shard.index), schema, shard.stop - shard.start) as writer:
            yield writer
        self.marker(shard.index).unlink(missing_ok=True)

    def write_part(self, plan: Plan, shard: Shard, rows: Sequence[Row]) -> None:
        with self.writing_part(plan, shard) as writer:
            writer.add(rows)

    def finish(self, *, versions: dict[str, str], notes: Sequence[str] = ()) -> Manifest:
        """Write manifest.json; every part must be there."""
        plan = self.plan
        if plan is None or self.pending(plan):
            raise ValueError(f"{self.path}: not every part is there")
        run = Run(self.path, plan, None)
        fingerprint, counts = _tally(run.batches(["key", "status", "digest"]))
        parts = hashlib.sha256()
        for shard in _shards(plan):
            parts.update(bytes.fromhex(sha256_of(self.part(shard.index))))
        manifest = Manifest(
            plan=plan,
            fingerprint=fingerprint,
            counts=counts,
            predictions_sha256=parts.hexdigest(),
            notes=tuple(notes),
            versions=versions,
        )
        manifest.write(self.path / "manifest.json")
        shutil.rmtree(self.path / "attempts", ignore_errors=True)
        return manifest


def _shards(plan: Plan) -> Iterator[Shard]:
    for index, start in enumerate(range(0, plan.n, plan.shard_size)):
        yield Shard(index, start, min(start + plan.shard_size, plan.n), plan.batch_size_at(index))


def _tally(batches: "Iterator[pa.RecordBatch]") -> tuple[str, dict[str, int]]:
    """The dataset fingerprint (sha256 over `key TAB digest-hex LF` in key order, `-` for none) and counts by status."""
    hashed = hashlib.sha256()
    counts: dict[str, int] = {}
    for batch in batches:
        keys, statuses, digests = (batch.column(name).to_pylist() for name in ("key", "status", "digest"))
        for key, status, digest in zip(keys, statuses, digests, strict=True):
            hashed.update(f"{key}\t{digest.hex() if digest else '-'}\n".encode())
            counts[status] = counts.get(status, 0) + 1
    return hashed.hexdigest(), dict(sorted(counts.items()))


def _refuse_foreign(path: Path) -> None:
    """A folder that holds somebody's files and no plan of ours is left alone."""
    if not path.exists() or (path / "plan.json").exists():
        return
    if not path.is_dir():
        raise DataError(f"{path}: is a file; a run needs a folder. Give another -o.")
    ours = {"inputs.parquet", "run.json"}
    foreign = sorted(
        entry.name for entry in path.iterdir() if entry.name not in ours and not entry.name.startswith(".")
    )
    if foreign:
        raise DataError(f"{path}: not empty and not a run folder (it holds {foreign[0]!r}). Give another -o.")


def _sweep(path: Path) -> None:
    """Remove what a killed process left half written; the lock is ours, so nobody is writing it."""
    for folder in (path, path / "parts"):
        for left in folder.glob(".*.tmp"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _holder(path: Path) -> str:
    try:
        facts = json.loads((path / ".holder").read_bytes())
        return f"process {facts['pid']} on {facts['host']}"
    except (OSError, ValueError, KeyError):
        return "its process is not known"
