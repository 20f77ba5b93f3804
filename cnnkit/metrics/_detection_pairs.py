"""Which boxes meet which objects: every overlap inside a group, a block at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs", "largest_overlaps", "meeting_pairs"]

BLOCK = 1 << 20  # pairs that are looked at together


@dataclass(frozen=True, slots=True)
class Pairs:
    """Detection `found[i]` and object `true[i]` overlap by `overlap[i]`; ordered by detection, then by object."""

    found: NDArray[np.int64]
    true: NDArray[np.int64]
    overlap: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_]) -> "Pairs":
        return Pairs(self.found[chosen], self.true[chosen], self.overlap[chosen])


def meeting_pairs(
    found_group: NDArray[np.int64],
    found_xywh: NDArray[np.float64],
    true_group: NDArray[np.int64],
    true_xywh: NDArray[np.float64],
    *,
    floor: float,
    crowd: NDArray[np.bool_] | None = None,
    plus_one: bool | None = None,
) -> Pairs:
    """All pairs of one group whose overlap is at least `floor` and above 0.

    Overlap is intersection over union, in the order of operations of COCO's evaluator, so that the same bits come
    out; over a `crowd` it is the share of the detection inside. `plus_one` says that boxes are corners instead of
    xywh, and whether a side counts right - left + 1.
    """
    order = np.argsort(true_group, kind="stable")
    groups = true_group[order]
    first = np.searchsorted(groups, found_group, side="left")
    count = np.searchsorted(groups, found_group, side="right") - first
    parts = []
    for block in _blocks(count):
        found = np.repeat(np.arange(block.start, block.stop), count[block])
        within = np.arange(len(found)) - np.repeat(np.cumsum(count[block]) - count[block], count[block])
        true = order[first[found] + within]
        whole = None if crowd is None else crowd[true]
        overlap = _overlap(found_xywh[found], true_xywh[true], whole, plus_one)
        kept = (overlap >= floor) & (overlap > 0)
        parts.append((found[kept], true[kept], overlap[kept]))
    if not parts:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    found, true, overlap = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Pairs(found, true, overlap)


def largest_overlaps(pairs: Pairs, n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each of n detections its largest overlap, 0 without any, and the object it is with, of equals the first."""
    overlap, true = np.zeros(n), np.zeros(n, np.int64)
    starts = np.flatnonzero(np.diff(pairs.found, prepend=-1))
    if not len(starts):
        return overlap, true
    largest = np.maximum.reduceat(pairs.overlap, starts)
    lengths = np.diff(starts, append=len(pairs.found))
    at = np.flatnonzero(pairs.overlap == np.repeat(largest, lengths))
    first = at[np.diff(pairs.found[at], prepend=-1) != 0]
    overlap[pairs.found[first]] = pairs.overlap[first]
    true[pairs.found[first]] = pairs.true[first]
    return overlap, true


def _overlap(
    found: NDArray[np.float64], true: NDArray[np.float64], crowd: NDArray[np.bool_] | None, plus_one: bool | None
) -> NDArray[np.float64]:
    if plus_one is None:
        high = np.minimum(found[:, :2] + found[:, 2:], true[:, :2] + true[:, 2:])
        sides = [box[:, 2:] for box in (found, true)]
    else:
        high = np.minimum(found[:, 2:], true[:, 2:]) + plus_one
        sides = [box[:, 2:] - box[:, :2] + plus_one for box in (found, true)]
    shared = np.maximum(high - np.maximum(found[:, :2], true[:, :2]), 0).prod(axis=1)
    found_area, true_area = (side.prod(axis=1) for side in sides)
    union = found_area + true_area - shared
    whole = union if crowd is None else np.where(crowd, found_area, union)
    return np.asarray(shared / np.where(whole > 0, whole, 1.0))


def _blocks(count: NDArray[np.int64]) -> Iterator[slice]:
    """Runs of detections with about BLOCK pairs each."""
    ends = np.cumsum(count)
    start = 0
    while start < len(count):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + BLOCK, side="right")))
        yield slice(start, stop)
        start = stop
