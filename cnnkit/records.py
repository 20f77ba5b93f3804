"""What passes between the stages: frozen records whose arrays are checked when they are built."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["STATUSES", "Classification", "Detections", "Geometry", "Row", "Sample"]

STATUSES = (
    "ok",
    "unreadable",  # the file system refused: permissions, a broken link, an I/O error
    "empty",  # zero bytes
    "not_an_image",  # no decoder knows the bytes
    "corrupt",  # a decoder knows them and gave up: truncated or damaged
    "too_large",  # the header claims more pixels than the limit
    "unsupported",  # an image, of a kind that OpenCV does not read
    "failed",  # the image was read, a later stage raised
    "crashed",  # the process died on it
)


@dataclass(frozen=True, slots=True)
class Sample:
    r"""One file of a data set. `key` is its path below the root, POSIX separators, not-UTF-8 bytes as `\xNN`."""

    key: str
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the pixels of the decoded source image went: `input = source * scale + offset`.

    `source_size` and `input_size` are (height, width) in pixels; `scale` and `offset` are (y, x), offset in input
    pixels. A point is continuous: the centre of pixel 0 lies at 0.5.

    >>> Geometry((100, 200), (50, 50), (0.5, 0.25), (0.0, 0.0)).to_source(np.array([[25.0, 10.0, 50.0, 50.0]]))
    array([[100.,  20., 200., 100.]])
    """

    source_size: tuple[int, int]
    input_size: tuple[int, int]
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)

    def to_source(self, boxes: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take (n, 4) boxes, xyxy in input pixels, to xyxy in source pixels; not clipped."""
        scale, offset = self._per_corner()
        return np.asarray((boxes - offset) / scale, dtype=np.float64)

    def to_input(self, boxes: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take (n, 4) boxes, xyxy in source pixels, to xyxy in input pixels; not clipped."""
        scale, offset = self._per_corner()
        return np.asarray(boxes * scale + offset, dtype=np.float64)

    def _per_corner(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.array([self.scale[1], self.scale[0]] * 2), np.array([self.offset[1], self.offset[0]] * 2)


@dataclass(frozen=True, slots=True)
class Classification:
    """Scores over the C classes, float32 (C,), and the k best of them, int32 (k,), ties lowest index first."""

    scores: NDArray[np.float32]
    top_ids: NDArray[np.int32]

    def __post_init__(self) -> None:
        _check("scores", self.scores, np.float32, ndim=1)
        _check("top_ids", self.top_ids, np.int32, ndim=1)
        if not 0 < len(self.top_ids) <= len(self.scores):
            raise ValueError(f"{len(self.top_ids)} top_ids for {len(self.scores)} scores")


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes float32 (n, 4), xyxy in source pixels, right and bottom exclusive; scores float32 (n,), classes int32."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int32]

    def __post_init__(self) -> None:
        _check("boxes", self.boxes, np.float32, ndim=2)
        _check("scores", self.scores, np.float32, ndim=1)
        _check("classes", self.classes, np.int32, ndim=1)
        if self.boxes.shape[1] != 4 or not len(self.boxes) == len(self.scores) == len(self.classes):
            shapes = self.boxes.shape, self.scores.shape, self.classes.shape
            raise ValueError(f"boxes, scores and classes must be (n, 4), (n,), (n,), got {shapes}")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one image: a prediction, or the status and one sentence that say why there is none."""

    key: str
    status: str = "ok"
    error: str | None = None
    width: int | None = None
    height: int | None = None
    digest: bytes | None = None
    prediction: Classification | Detections | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status {self.status!r} is not one of {', '.join(STATUSES)}")
        if (self.status == "ok") != (self.prediction is not None):
            raise ValueError(f"{self.key}: status {self.status!r} with prediction {self.prediction!r}")


def _check(name: str, array: NDArray[np.generic], dtype: type[np.generic], *, ndim: int) -> None:
    if array.dtype != dtype or array.ndim != ndim:
        raise ValueError(f"{name} must be {np.dtype(dtype)} with {ndim} axes, got {array.dtype} {array.shape}")
