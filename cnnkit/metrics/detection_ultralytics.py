"""The average precision that Ultralytics prints: named COCO's, and not the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics._detection_pairs import largest_overlaps, meeting_pairs
from cnnkit.metrics.detection import FoundBoxes, TrueBoxes, check_pair
from cnnkit.metrics.detection_matches import IOU_THRESHOLDS, rank_in_group

__all__ = ["UltralyticsScores", "ultralytics_scores"]


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
    check_pair(truth, found)
    objects = np.flatnonzero(~truth.crowd)
    kept = np.flatnonzero(rank_in_group(found.image, found.scores) < max_detections)
    kept = kept[np.argsort(-found.scores[kept], kind="stable")]
    image, category = found.image[kept], found.category[kept]
    groups = image * truth.n_classes + category, (truth.image * truth.n_classes + truth.category)[objects]
    pairs = meeting_pairs(groups[0], found.xywh[kept], groups[1], truth.xywh[objects], floor=IOU_THRESHOLDS[0])
    overlap, best = largest_overlaps(pairs, len(kept))
    hits = np.stack([_first_to_come(best, overlap >= iou) for iou in IOU_THRESHOLDS])
    n_objects = np.bincount(truth.category[objects], minlength=truth.n_classes)
    ap = np.full((len(IOU_THRESHOLDS), truth.n_classes), np.nan)
    by_class = np.argsort(category, kind="stable")
    ends = np.searchsorted(category[by_class], np.arange(truth.n_classes + 1))
    for at in np.flatnonzero(n_objects):
        own = by_class[ends[at] : ends[at + 1]]
        ap[:, at] = [_area(row[own], int(n_objects[at])) for row in hits]
    return UltralyticsScores(ap)


def _first_to_come(best: NDArray[np.int64], enough: NDArray[np.bool_]) -> NDArray[np.bool_]:
    comers = np.flatnonzero(enough)
    hits = np.zeros(len(best), np.bool_)
    hits[comers[np.unique(best[comers], return_index=True)[1]]] = True
    return hits


def _area(hits: NDArray[np.bool_], n_objects: int) -> float:
    if not len(hits):
        return 0.0
    right = np.cumsum(hits)
    recall = np.concatenate([[0.0], right / n_objects, [1.0]])
    precision = np.concatenate([[1.0], right / np.arange(1, len(hits) + 1), [0.0]])
    levels = np.linspace(0, 1, 101)
    return float(np.trapezoid(np.interp(levels, recall, np.maximum.accumulate(precision[::-1])[::-1]), levels))
