"""rows.parquet as arrays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

LOOSEST = 1  # the bit of the lowest IoU threshold


@dataclass(frozen=True)
class Outcomes:
    """One entry an image: (n,) each. `label` and `predicted` are -1 where there is none, `p` and `confidence` NaN."""

    keys: "pa.ChunkedArray"
    digests: "pa.ChunkedArray"
    label: NDArray[np.int64]
    predicted: NDArray[np.int64]
    p: NDArray[np.float64]
    confidence: NDArray[np.float64]

    @property
    def answered(self) -> NDArray[np.bool_]:
        return np.minimum(self.label, self.predicted) >= 0

    @property
    def wrong(self) -> NDArray[np.bool_]:
        differ: NDArray[np.bool_] = self.label != self.predicted
        return self.answered & differ

    @property
    def are_sure(self) -> bool:
        """Whether any answer says how sure it is."""
        return bool(np.isfinite(self.confidence[self.answered]).any())

    def key(self, at: int) -> str:
        return str(self.keys[at].as_py())

    def digest(self, at: int) -> bytes | None:
        found: bytes | None = self.digests[at].as_py()
        return found


def outcomes_from_rows(rows: "pa.Table") -> Outcomes:
    """Take the rows of a classification with one label an image."""
    return Outcomes(
        keys=rows.column("key"),
        digests=rows.column("digest"),
        label=_filled(rows.column("label"), -1, np.int64),
        predicted=_filled(rows.column("predicted"), -1, np.int64),
        p=_filled(rows.column("p"), np.nan, np.float64),
        confidence=_filled(rows.column("confidence"), np.nan, np.float64),
    )


def _filled(column: "pa.ChunkedArray", absent: float, dtype: type[Any]) -> NDArray[Any]:
    return np.asarray(column.fill_null(absent).to_numpy(), dtype=dtype)


@dataclass(frozen=True)
class Boxes:
    """The detections of all images one after another, (m,) each; `image` says whose. Matches are at the lowest IoU."""

    image: NDArray[np.int64]
    label: NDArray[np.int64]
    score: NDArray[np.float32]
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


def boxes_from_rows(rows: "pa.Table") -> Boxes:
    """Take the rows of a detector."""
    flat = {name: _flat(rows.column(name)) for name in ("det_class", "det_score", "det_match", "det_ignore")}
    lengths = sizes(rows.column("det_class"))
    return Boxes(
        image=np.repeat(np.arange(len(lengths)), lengths),
        label=flat["det_class"].astype(np.int64),
        score=flat["det_score"].astype(np.float32),
        matched=(flat["det_match"].astype(np.int64) & LOOSEST).astype(np.bool_),
        ignored=(flat["det_ignore"].astype(np.int64) & LOOSEST).astype(np.bool_),
    )


def _flat(column: "pa.ChunkedArray") -> NDArray[Any]:
    import pyarrow.compute as pc

    return np.asarray(pc.list_flatten(column).to_numpy())


def sizes(column: "pa.ChunkedArray") -> NDArray[np.int64]:
    """How many entries each list of a column has, (n,); none for null."""
    import pyarrow.compute as pc

    return np.asarray(pc.list_value_length(column).fill_null(0).to_numpy(), dtype=np.int64)
