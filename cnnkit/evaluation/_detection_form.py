"""Detections whose coordinates are not what they are read as, told by where they lie."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import DetectedBoxes, DetectionTruth

SHARES = 1.5  # the farthest that a coordinate in shares of the picture reaches, with some overhang
EDGE = 1.02  # of the picture: a box that ends beyond this is no rounding
FEW = 5  # boxes, below which their places tell nothing
OUTSIDE = 0.2  # a share of boxes that end outside their picture
AS_CORNERS = 0.99  # a share of boxes that fit in their picture as corners


def notes_on_form(truth: DetectionTruth, found: DetectedBoxes) -> tuple[str, ...]:
    """Notes where scores lie outside 0 to 1, or boxes look like shares of the picture or like corners."""
    return (*_note_on_scores(found), *_note_on_boxes(truth, found))


def notes_on_coverage(truth: DetectionTruth, found: DetectedBoxes) -> tuple[str, ...]:
    """A note where another tool's file says nothing of most images."""
    n, n_with = len(truth.keys), len(np.unique(found.image))
    if not n_with or 2 * n_with >= n:
        return ()
    return (f"Of {n:,} images {n - n_with:,} have no detection at all: is the file whole?",)


def _note_on_scores(found: DetectedBoxes) -> tuple[str, ...]:
    if not len(found.scores) or (found.scores.min() >= 0 and found.scores.max() <= 1):
        return ()
    span = f"{found.scores.min():.3g} to {found.scores.max():.3g}"
    return (f"Scores run from {span}, not within 0 to 1: only their order counts. Are all on one scale?",)


def _note_on_boxes(truth: DetectionTruth, found: DetectedBoxes) -> tuple[str, ...]:
    """A note where boxes look like shares of the picture, or like corners; empty for too few boxes to tell."""
    boxes = found.boxes
    if len(boxes) < FEW or not len(truth.boxes) or float(np.abs(truth.boxes).max()) <= SHARES:
        return ()
    farthest = float(np.abs(boxes).max())
    if farthest <= SHARES:
        return (
            f"All {len(boxes):,} detected boxes lie within 0 .. {farthest:.3g}: shares of the picture, where pixels "
            f"are expected? Multiply x and width by the picture's width, y and height by its height.",
        )
    return _note_on_corners(boxes, truth.sizes[found.image].astype(np.float64))


def _note_on_corners(boxes: NDArray[np.float64], sizes: NDArray[np.float64]) -> tuple[str, ...]:
    """`boxes` (m, 4) as they were read, x, y, width, height; `sizes` (m, 2) height, width of their pictures or 0."""
    known = (sizes > 0).all(axis=1)
    if np.count_nonzero(known) < FEW:
        return ()
    first, last = boxes[known, :2], boxes[known, 2:]
    edge = EDGE * sizes[known][:, ::-1]
    n_outside = int(np.count_nonzero((first + last > edge).any(axis=1)))
    fits = ((last > first) & (last <= edge)).all(axis=1)
    if n_outside < OUTSIDE * len(first) or fits.mean() < AS_CORNERS:
        return ()
    return (
        f"{n_outside:,} of {len(first):,} detected boxes end outside their picture when read as x, y, width, height, "
        f"and fit when read as corners x1, y1, x2, y2: a results file has width = x2 - x1, height = y2 - y1.",
    )
