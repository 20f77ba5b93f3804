"""The average precision that Ultralytics prints: named COCO's, and not the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics._detection_pairs import largest_overlaps, meeting_pairs
from cnnkit.metrics.detection import FoundBoxes, TrueBoxes, check_pair
from cnnkit.metrics.detection_estimates import (
    BoxEstimates,
    BoxRanking,
    Measured,
    by_class,
    estimates_of,
    place_of_best_beyond,
    sums_from_the_end,
)
from cnnkit.metrics.detection_matches import IOU_THRESHOLDS, rank_in_group

__all__ = ["UltralyticsScores", "ultralytics_estimates", "ultralytics_rankings", "ultralytics_scores"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class UltralyticsScores:
    """`ap` (T, classes) at the IoU thresholds 0.5 to 0.95; NaN for a class without objects."""

    ap: NDArray[np.float64]

    def mean_ap(self, iou: float | None = None) -> float | None:
        """Mean over the classes with objects and over all thresholds, or at the one nearest `iou`; None without any."""
        chosen = self.ap if iou is None else self.ap[int(np.abs(np.array(IOU_THRESHOLDS) - iou).argmin())]
        return float(np.nanmean(chosen)) if np.isfinite(chosen).any() else None


def ultralytics_scores(truth: TrueBoxes, found: FoundBoxes, *, max_detections: int = 300) -> UltralyticsScores:
    """Score detections as Ultralytics' validation does, to see what of a difference is the rule.

    It departs from `coco_scores` in four things: crowds are left out, so that what is found in them is wrong; a
    detection looks only at the object that it overlaps most, of equal overlaps the first, and an object goes to the
    surest of those that look at it; the limit is on an image, not on an image and class; the area under precision over
    recall, joined by straight lines from (0, 1) to (1, 0) and read at 101 recalls, stands for the mean at 101 recalls.

    Args:
        truth: objects.
        found: detections; Ultralytics gives those of a score above 0.001.
        max_detections: the surest of each image that take part.

    Returns:
        `UltralyticsScores`. Ultralytics computes overlaps in float32; here they are float64, which moves the figure in
        the sixth digit.
    """
    rankings = ultralytics_rankings(truth, found, max_detections=max_detections)
    areas = [_areas(one) if one.objects.any() else np.full(len(IOU_THRESHOLDS), np.nan) for one in rankings]
    return UltralyticsScores(np.stack(areas, axis=1) if areas else np.zeros((len(IOU_THRESHOLDS), 0)))


def ultralytics_rankings(truth: TrueBoxes, found: FoundBoxes, *, max_detections: int = 300) -> list[BoxRanking]:
    """A ranking for each class by Ultralytics' rule, as `ultralytics_scores` says it; every detection counts."""
    check_pair(truth, found)
    objects = np.flatnonzero(~truth.crowd)
    kept = np.flatnonzero(rank_in_group(found.image, found.scores) < max_detections)
    kept = kept[np.argsort(-found.scores[kept], kind="stable")]
    image, category = found.image[kept], found.category[kept]
    groups = image * truth.n_classes + category, (truth.image * truth.n_classes + truth.category)[objects]
    pairs = meeting_pairs(groups[0], found.xywh[kept], groups[1], truth.xywh[objects], floor=IOU_THRESHOLDS[0])
    overlap, best = largest_overlaps(pairs, len(kept))
    hits = np.stack([_first_to_come(best, overlap >= iou) for iou in IOU_THRESHOLDS], axis=1)
    images = [truth.image[objects[truth.category[objects] == at]] for at in range(truth.n_classes)]
    return [
        BoxRanking(
            order=kept[own],
            image=image[own],
            hit=hits[own],
            counts=np.ones((len(own), len(IOU_THRESHOLDS)), np.bool_),
            objects=np.bincount(images[at], minlength=truth.n_images),
        )
        for at, own in enumerate(by_class(category, np.arange(len(kept)), truth.n_classes))
    ]


def ultralytics_estimates(rankings: Sequence[BoxRanking], *, level: float = 0.95) -> BoxEstimates:
    """Ultralytics' average precision with intervals, as `box_estimates` makes them.

    The value is read at 101 recalls; the derivative by an image's weight is that of the whole area under the lines.

    Args:
        rankings: one for each class, from `ultralytics_rankings`.
        level: the share of such intervals that hold the truth.

    Reference: as in `jackknife_interval`.
    """
    return estimates_of(rankings, _measured, level=level)


def _measured(one: BoxRanking) -> Measured:
    return _areas(one), np.array([_influence(one, at) for at in range(one.hit.shape[1])])


def _areas(one: BoxRanking) -> Floats:
    """(T,) at each threshold."""
    return np.array([_area(hits, int(one.objects.sum())) for hits in one.hit.T])


def _influence(one: BoxRanking, at: int) -> Floats:
    """(images,) derivative of the area under the lines by how often each image counts.

    A line to each hit from the detection before it, whose heights are the best precisions beyond either; the first
    begins at precision 1, and a last one leads from the last detection to precision 0 at recall 1.
    """
    hits, n = one.hit[:, at], int(one.objects.sum())
    if not len(hits):
        return np.zeros(len(one.objects))
    answers, right = np.arange(1, len(hits) + 1), np.cumsum(hits)
    precision = right / answers
    best = place_of_best_beyond(precision)
    height, missed = precision[best], 1 - right[-1] / n
    before = np.append(1.0, height[:-1])
    middle = (before + height) / 2
    # what a height weighs in the area: half of the step to its own hit, half of the step to the next
    width = hits / (2 * n)
    weight = width + np.append(width[1:], missed / 2)
    pulled = np.bincount(best, weights=weight, minlength=len(hits)) / answers
    moved = np.where(hits, sums_from_the_end(pulled), 0) - sums_from_the_end(pulled * precision)
    moved += np.where(hits, middle - height[-1] / 2, 0) / n
    steps = (middle[hits].sum() - right[-1] * height[-1] / 2) / n
    return np.asarray(np.bincount(one.image, weights=moved, minlength=len(one.objects)) - steps * one.objects / n)


def _first_to_come(best: Ints, enough: Bools) -> Bools:
    comers = np.flatnonzero(enough)
    hits = np.zeros(len(best), np.bool_)
    hits[comers[np.unique(best[comers], return_index=True)[1]]] = True
    return hits


def _area(hits: Bools, n_objects: int) -> float:
    if not len(hits):
        return 0.0
    right = np.cumsum(hits)
    recall = np.concatenate([[0.0], right / n_objects, [1.0]])
    precision = np.concatenate([[1.0], right / np.arange(1, len(hits) + 1), [0.0]])
    levels = np.linspace(0, 1, 101)
    return float(np.trapezoid(np.interp(levels, recall, np.maximum.accumulate(precision[::-1])[::-1]), levels))
