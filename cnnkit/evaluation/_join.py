"""A run and its truth, joined by key, in one pass over the parts."""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit.predictions import Run

if TYPE_CHECKING:
    import pyarrow as pa

ON_DISK_FROM_BYTES = 3 << 29  # a score matrix from here on (1.5 GiB) lies in a temporary file
NOT_FINITE = "not_finite"  # beside the statuses of a row: the model answered with NaN or infinity


@dataclass(frozen=True)
class Joined:
    """The labelled images of a run, in key order; `ok` is False where there is no answer to score.

    `scores` is (classes, n_ok) float32: the answers of the ok ones, each class contiguous.
    """

    keys: "pa.ChunkedArray"
    digests: "pa.ChunkedArray"
    ok: NDArray[np.bool_]
    scores: NDArray[np.float32]
    bad: dict[str, int]
    fingerprint: str


def join(run: Run, labelled: Container[str]) -> Joined:
    """Collect the rows whose key is in `labelled`; memory is the score matrix and about 100 bytes an image."""
    import pyarrow as pa

    collected = _Collected(run, labelled)
    for batch in run.batches(["key", "status", "digest", "scores"]):
        collected.add(batch)
    return Joined(
        keys=pa.chunked_array(collected.keys, pa.string()),
        digests=pa.chunked_array(collected.digests, pa.binary(32)),
        ok=np.concatenate([*collected.ok, np.zeros(0, dtype=np.bool_)]),
        scores=collected.scores[:, : collected.n_ok],
        bad=dict(sorted(collected.bad.items())),
        fingerprint=collected.hashed.hexdigest(),
    )


class _Collected:
    def __init__(self, run: Run, labelled: Container[str]) -> None:
        self.labelled = labelled
        self.keys: list[pa.Array] = []
        self.digests: list[pa.Array] = []
        self.ok: list[NDArray[np.bool_]] = []
        self.scores = _matrix(len(run.spec.classes), run.plan.n)
        self.n_ok = 0
        self.bad: Counter[str] = Counter()
        self.hashed = hashlib.sha256()

    def add(self, batch: "pa.RecordBatch") -> None:
        keys = batch.column("key").to_pylist()
        chosen = np.fromiter((key in self.labelled for key in keys), np.bool_, len(keys))
        rows = batch.filter(_mask(chosen))
        self.keys.append(rows.column("key"))
        self.digests.append(rows.column("digest"))
        self._hash(rows)
        self._take_scores(rows)

    def _hash(self, rows: "pa.RecordBatch") -> None:
        pairs = zip(rows.column("key").to_pylist(), rows.column("digest").to_pylist(), strict=True)
        for key, digest in pairs:
            self.hashed.update(f"{key}\t{digest.hex() if digest else '-'}\n".encode())

    def _take_scores(self, rows: "pa.RecordBatch") -> None:
        statuses = rows.column("status").to_pylist()
        ok = np.fromiter((status == "ok" for status in statuses), np.bool_, len(statuses))
        flat = rows.column("scores").filter(_mask(ok)).flatten()
        scores = np.asarray(flat.to_numpy(zero_copy_only=False), np.float32).reshape(-1, len(self.scores))
        finite = np.isfinite(scores).all(axis=1)
        self.bad.update(status for status in statuses if status != "ok")
        if not finite.all():
            self.bad[NOT_FINITE] += int((~finite).sum())
            ok[ok] = finite
            scores = scores[finite]
        self.scores[:, self.n_ok : self.n_ok + len(scores)] = scores.T
        self.n_ok += len(scores)
        self.ok.append(ok)


def _mask(chosen: NDArray[np.bool_]) -> "pa.Array":
    import pyarrow as pa

    return pa.array(chosen)


def _matrix(n_classes: int, n: int) -> NDArray[np.float32]:
    if n_classes * n * 4 < ON_DISK_FROM_BYTES:
        return np.empty((n_classes, n), dtype=np.float32)
    return np.memmap(tempfile.TemporaryFile(), dtype=np.float32, mode="w+", shape=(n_classes, n))
