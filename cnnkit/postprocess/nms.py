"""Non-maximum suppression."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import boxes as box_arithmetic

__all__ = ["nms"]

FIRST_BLOCK, LARGEST_BLOCK = 64, 512


def nms(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    classes: NDArray[Any] | None = None,
    *,
    iou: float,
    max_detections: int | None = None,
) -> NDArray[np.intp]:
    """Keep the surest of boxes that overlap.

    By falling score, of equals the lower index first, a box is kept unless it overlaps a kept one of its class by more
    than `iou`.

    Args:
        boxes: (n, 4) xyxy.
        scores: (n,).
        classes: (n,) ints; None suppresses across classes.
        iou: largest intersection over union of two boxes that are both kept, in [0, 1].
        max_detections: stop when so many are kept; None keeps all.

    Returns:
        Indices of the kept boxes, by falling score.

    >>> nms(np.array([[0, 0, 9, 9], [0, 0, 9, 8], [20, 0, 29, 9]]), np.array([0.5, 0.9, 0.4]), iou=0.5)
    array([1, 2])
    """
    order = np.argsort(-scores, kind="stable")
    ranked = np.asarray(boxes[order], np.float64)
    of_class = np.zeros(len(order), np.int64) if classes is None else classes[order]
    limit = len(order) if max_detections is None else max_detections
    kept = np.zeros(0, np.intp)
    for block in _blocks(len(order)):
        left = block[~_suppresses(kept, block, ranked, of_class, iou).any(axis=0)]
        kept = np.concatenate([kept, _greedy(left, ranked, of_class, iou)])
        if len(kept) >= limit:
            break
    return order[kept[:limit]]


def _blocks(n: int) -> Iterator[NDArray[np.intp]]:
    """Ranks from 0, few at first: where little is suppressed, the limit is soon reached."""
    start, size = 0, FIRST_BLOCK
    while start < n:
        yield np.arange(start, min(n, start + size))
        start, size = start + size, min(2 * size, LARGEST_BLOCK)


def _greedy(block: NDArray[np.intp], boxes: NDArray[np.float64], classes: NDArray[Any], iou: float) -> NDArray[np.intp]:
    suppresses = _suppresses(block, block, boxes, classes, iou)
    alive = np.ones(len(block), np.bool_)
    for at in range(len(block)):
        if alive[at]:
            alive[at + 1 :] &= ~suppresses[at, at + 1 :]
    return block[alive]


def _suppresses(
    first: NDArray[np.intp], second: NDArray[np.intp], boxes: NDArray[np.float64], classes: NDArray[Any], iou: float
) -> NDArray[np.bool_]:
    """(first, second): whether boxes are of one class and overlap too much."""
    overlap = box_arithmetic.iou_matrix(boxes[first], boxes[second])
    return np.asarray((overlap > iou) & (classes[first][:, None] == classes[second]))
