"""Box arithmetic, in float64.

A box is four numbers along the last axis, in one of four forms:

xyxy       left, top, right, bottom; continuous, right and bottom exclusive
xywh       left, top, width, height: COCO's
cxcywh     centre x, centre y, width, height
inclusive  left, top, right, bottom pixel, counted from 1, the last one inside: Pascal VOC's

A box of width w has x + w = right; in the inclusive form right - left + 1 = w.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "area",
    "clip",
    "coverage_matrix",
    "cxcywh_from_xyxy",
    "inclusive_from_xywh",
    "intersection",
    "iou_matrix",
    "xywh_from_inclusive",
    "xywh_from_xyxy",
    "xyxy_from_cxcywh",
    "xyxy_from_xywh",
]

Boxes = NDArray[Any]
Numbers = NDArray[np.float64]


def iou_matrix(first: Boxes, second: Boxes, *, plus_one: bool = False) -> Numbers:
    """Intersection over union of every box with every other: 1 for equal ones, 0 for ones that do not overlap.

    Args:
        first: (n, 4), xyxy, or inclusive with `plus_one`.
        second: (m, 4), in the same form.
        plus_one: boxes are inclusive pixels, a side counts right - left + 1.

    Returns:
        (n, m) in [0, 1]. Two boxes without area have 0, not 0 / 0.

    >>> iou_matrix(np.array([[0, 0, 2, 2]]), np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])).round(3)
    array([[1.   , 0.333, 0.   ]])
    """
    shared = intersection(first[:, None], second[None], plus_one=plus_one)
    union = area(first, plus_one=plus_one)[:, None] + area(second, plus_one=plus_one)[None] - shared
    return _ratio(shared, union)


def coverage_matrix(first: Boxes, second: Boxes) -> Numbers:
    """Intersection over the area of the first: how much of each box lies in each region, as COCO treats crowds.

    >>> coverage_matrix(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 100, 100]]))
    array([[0.5]])
    """
    shared = intersection(first[:, None], second[None])
    return _ratio(shared, np.broadcast_to(area(first)[:, None], shared.shape))


def intersection(first: Boxes, second: Boxes, *, plus_one: bool = False) -> Numbers:
    """Area that boxes share, xyxy (inclusive with `plus_one`); leading axes broadcast, the last one of 4 goes."""
    return _shared_side(first, second, 0, plus_one) * _shared_side(first, second, 1, plus_one)


def area(boxes: Boxes, *, plus_one: bool = False) -> Numbers:
    """Area of xyxy boxes (inclusive with `plus_one`); 0 where right lies before left."""
    sides = np.maximum(np.asarray(boxes[..., 2:] - boxes[..., :2], np.float64) + plus_one, 0.0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def clip(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    """Cut xyxy boxes to a picture of (height, width); one that lies outside loses its area. The dtype stays.

    >>> clip(np.array([[-5.0, 2.0, 7.0, 30.0]]), (10, 20))
    array([[ 0.,  2.,  7., 10.]])
    """
    height, width = size
    return np.clip(boxes, 0, np.array([width, height, width, height], dtype=boxes.dtype))


def xyxy_from_xywh(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], axis=-1)


def xywh_from_xyxy(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=-1)


def xyxy_from_cxcywh(boxes: Boxes) -> Boxes:
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def cxcywh_from_xyxy(boxes: Boxes) -> Boxes:
    return np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=-1)


def inclusive_from_xywh(boxes: Boxes) -> Boxes:
    """(x + 1, y + 1, x + w, y + h): the same pixels, counted from 1.

    >>> inclusive_from_xywh(np.array([0.0, 0.0, 50.0, 20.0]))
    array([ 1.,  1., 50., 20.])
    """
    return np.concatenate([boxes[..., :2] + 1, boxes[..., :2] + boxes[..., 2:]], axis=-1)


def xywh_from_inclusive(boxes: Boxes) -> Boxes:
    """The inverse of `inclusive_from_xywh`."""
    return np.concatenate([boxes[..., :2] - 1, boxes[..., 2:] - boxes[..., :2] + 1], axis=-1)


def _shared_side(first: Boxes, second: Boxes, axis: int, plus_one: bool) -> Numbers:
    low = np.maximum(first[..., axis], second[..., axis])
    high = np.minimum(first[..., axis + 2], second[..., axis + 2])
    return np.maximum(np.asarray(high - low, np.float64) + plus_one, 0.0)


def _ratio(shared: Numbers, whole: Numbers) -> Numbers:
    return np.asarray(shared / np.where(whole > 0, whole, 1.0))
