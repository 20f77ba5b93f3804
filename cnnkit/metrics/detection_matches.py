"""Which detection takes which object, by COCO's rule, for all images at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics._detection_pairs import Pairs, meeting_pairs
from cnnkit.metrics.detection import FoundBoxes, TrueBoxes, check_pair

__all__ = ["IOU_THRESHOLDS", "Matches", "match_detections", "rank_in_group", "ranking", "threshold_bits"]

IOU_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())


@dataclass(frozen=True, slots=True)
class Matches:
    """What became of n detections at T IoU thresholds.

    Args:
        iou_thresholds: (T,).
        taken: (n, T) int64, the object that a detection takes, -1 for none; a crowd can be taken many times.
        hit: (n, T) bools: it takes an object that counts.
        ignored: (n, T) bools: it counts neither as right nor as wrong, for it takes an object that does not count.
        kept: (n,) bools: within the limit of detections for an image and class; the others do not count.
        counted: (m,) bools: the objects that there are to find, those that are no crowds.
        n_objects: (classes,) how many these are.
    """

    iou_thresholds: tuple[float, ...]
    taken: NDArray[np.int64]
    hit: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    n_objects: NDArray[np.int64]

    def threshold(self, iou: float) -> int:
        """The place of the threshold nearest `iou`; 0.9 is 0.8999999999999999 here and is found by no equality."""
        return int(np.abs(np.asarray(self.iou_thresholds) - iou).argmin())


def match_detections(
    truth: TrueBoxes,
    found: FoundBoxes,
    *,
    iou_thresholds: Sequence[float] = IOU_THRESHOLDS,
    max_detections: int | None = 100,
    by_class: bool = True,
    areas: tuple[float, float] | None = None,
) -> Matches:
    """Give detections to objects as COCO's evaluator does.

    By falling score (of equals, file order), a detection takes the free object that it overlaps most, at or above the
    threshold; of equal overlaps the last object of the file; a crowd only when no object is left.

    Args:
        truth: objects.
        found: detections.
        iou_thresholds: T thresholds, matched independently.
        max_detections: the best of each image and class that take part; None for all.
        by_class: a detection takes only objects of its class; False pairs whatever overlaps.
        areas: the size class, both ends inside: objects of another area do not count, and are taken only when no other
            is left; a detection of another area that takes nothing does not count either. None: all areas.

    Returns:
        `Matches`, with rows in the order of `found`.
    """
    check_pair(truth, found)
    groups = [_groups(boxes, truth.n_classes if by_class else None) for boxes in (found, truth)]
    rank = rank_in_group(groups[0], found.scores)
    kept = np.ones(len(found), np.bool_) if max_detections is None else rank < max_detections
    floors = np.minimum(iou_thresholds, 1 - 1e-10)
    pairs = meeting_pairs(groups[0], found.xywh, groups[1], truth.xywh, floor=floors.min(), crowd=truth.crowd)
    counted = ~truth.crowd if areas is None else ~truth.crowd & _inside(truth.area, areas)
    taken = _take(pairs, np.where(kept, rank, -1), truth.crowd, counted, floors)
    ignored = np.append(~counted, False)[taken]
    if areas is not None:
        ignored |= (taken < 0) & ~_inside(found.xywh[:, 2] * found.xywh[:, 3], areas)[:, None]
    return Matches(
        iou_thresholds=tuple(iou_thresholds),
        taken=taken,
        hit=(taken >= 0) & ~ignored,
        ignored=ignored,
        kept=kept,
        counted=counted,
        n_objects=np.bincount(truth.category[counted], minlength=truth.n_classes),
    )


def ranking(found: FoundBoxes) -> NDArray[np.int64]:
    """Detections by falling score; of equals the earlier image, then the earlier in the file."""
    return np.lexsort((np.arange(len(found)), found.image, -found.scores))


def rank_in_group(group: NDArray[np.int64], scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """The place of each detection in its group, from 0, by falling score; of equals the earlier comes first."""
    order = np.lexsort((-scores, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    lengths = np.diff(starts, append=len(order))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(starts, lengths)
    return rank


def threshold_bits(flags: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(n, T) flags to (n,) numbers: bit i is threshold i.

    >>> threshold_bits(np.array([[True, True, False], [False, False, True]]))
    array([3, 4], dtype=int32)
    """
    return np.asarray((flags * (1 << np.arange(flags.shape[1]))).sum(axis=1), np.int32)


def _groups(boxes: TrueBoxes | FoundBoxes, n_classes: int | None) -> NDArray[np.int64]:
    return boxes.image if n_classes is None else boxes.image * n_classes + boxes.category


def _inside(area: NDArray[np.float64], ends: tuple[float, float]) -> NDArray[np.bool_]:
    return (area >= ends[0]) & (area <= ends[1])


def _take(
    pairs: Pairs,
    rank: NDArray[np.int64],
    crowd: NDArray[np.bool_],
    counted: NDArray[np.bool_],
    floors: NDArray[np.float64],
) -> NDArray[np.int64]:
    """(n, T): the object each detection takes. In round r every group's detection of rank r chooses, all at once."""
    taken = np.full((len(rank), len(floors)), -1, np.int64)
    free = np.ones((len(crowd), len(floors)), np.bool_)
    # within a detection the best choice stands last: what counts first, then by overlap, then by place in the file
    order = np.lexsort((pairs.true, pairs.overlap, counted[pairs.true], pairs.found, rank[pairs.found]))
    order = order[rank[pairs.found[order]] >= 0]
    found, true, overlap = pairs.found[order], pairs.true[order], pairs.overlap[order]
    rounds = np.flatnonzero(np.diff(rank[found], prepend=-1, append=len(rank) + 1))
    for begin, end in pairwise(rounds):
        objects = true[begin:end]
        possible = (overlap[begin:end, None] >= floors) & (free[objects] | crowd[objects, None])
        places = np.where(possible, np.arange(end - begin)[:, None], -1)
        starts = np.flatnonzero(np.diff(found[begin:end], prepend=-1))
        best = np.maximum.reduceat(places, starts, axis=0)
        chosen = np.where(best >= 0, objects[best], -1)
        taken[found[begin:end][starts]] = chosen
        row, column = np.nonzero(chosen >= 0)
        free[chosen[row, column], column] = False
    return taken
