"""Precision, recall and F1 as detections are taken in by falling score, and the average precisions over them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics.detection import FoundBoxes
from cnnkit.metrics.detection_matches import Matches, ranking

__all__ = ["BestF1", "DetectionCurve", "curve_from_hits", "detection_curve", "interpolated_ap"]


@dataclass(frozen=True, slots=True)
class BestF1:
    """The highest F1, and the score from which detections are kept to have it."""

    confidence: float
    f1: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class DetectionCurve:
    """Row i: the i + 1 surest detections are taken in.

    Args:
        scores: (n,) falling.
        hits: (n,) bools, right ones.
        n_objects: what there was to find.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    n_objects: int

    @property
    def precision(self) -> NDArray[np.float64]:
        """(n,) share of the detections taken in that are right. Higher is better."""
        return np.cumsum(self.hits) / np.arange(1, len(self.hits) + 1)

    @property
    def recall(self) -> NDArray[np.float64]:
        """(n,) share of the objects that are found; NaN where there is none. Higher is better."""
        return np.cumsum(self.hits) / (self.n_objects or np.nan)

    @property
    def f1(self) -> NDArray[np.float64]:
        """(n,) 2 hits / (detections + objects), the harmonic mean of precision and recall. Higher is better."""
        return 2 * np.cumsum(self.hits) / (np.arange(1, len(self.hits) + 1) + self.n_objects)

    def average_precision(self, points: int | None = None) -> float | None:
        """AP over this curve, see `interpolated_ap`; None where there is no object."""
        return interpolated_ap(self.precision, self.recall, points=points) if self.n_objects else None

    def best_f1(self) -> BestF1 | None:
        """The threshold on the score with the highest F1; of equals the highest. None without objects or detections.

        A threshold keeps all detections of a score or none, so that only the last of equal scores is a choice.
        """
        if not self.n_objects or not len(self.scores):
            return None
        last_of_score = np.append(np.diff(self.scores) != 0, True)
        at = int(np.where(last_of_score, self.f1, -1.0).argmax())
        return BestF1(*(float(column[at]) for column in (self.scores, self.f1, self.precision, self.recall)))


def detection_curve(
    matches: Matches, found: FoundBoxes, *, iou: float = 0.5, category: int | None = None
) -> DetectionCurve:
    """The curve at an IoU threshold of one class, or of all classes in one ranking.

    Detections that took a crowd, or lie beyond the limit for their image and class, are left out.
    """
    at = matches.threshold(iou)
    counts = matches.kept & ~matches.ignored[:, at]
    if category is not None:
        counts = counts & (found.category == category)
    order = ranking(found)
    order = order[counts[order]]
    n_objects = matches.n_objects.sum() if category is None else matches.n_objects[category]
    return DetectionCurve(found.scores[order], matches.hit[order, at], int(n_objects))


def curve_from_hits(hits: Any, n_objects: int, *, scores: Any) -> DetectionCurve:
    """A curve from detections that are known to be right or wrong; equal scores stay in the order given.

    Raises:
        ValueError: lengths that disagree, more hits than objects.

    >>> curve_from_hits([True, False], 2, scores=[0.9, 0.4]).precision
    array([1. , 0.5])
    """
    flags, values = np.asarray(hits, np.bool_), np.asarray(scores, np.float64)
    if flags.shape != values.shape or flags.ndim != 1:
        raise ValueError(f"hits and scores must have one length, got {flags.shape} and {values.shape}")
    if flags.sum() > n_objects:
        raise ValueError(f"{flags.sum()} detections are right, but there are only {n_objects} objects")
    order = np.argsort(-values, kind="stable")
    return DetectionCurve(values[order], flags[order], n_objects)


def interpolated_ap(precision: NDArray[np.float64], recall: NDArray[np.float64], *, points: int | None = None) -> float:
    """Mean of the best precision at each recall level or beyond. Higher is better.

    Args:
        precision: (n,), by falling score.
        recall: (n,), rising.
        points: 11 (Pascal VOC 2007) or 101 (COCO) levels from 0 to 1; None weighs every level that is reached by its
            distance from the one before (Pascal VOC 2010 and later: the area under the curve).

    Returns:
        A float in [0, 1]; 0 without detections. The levels are numpy's in float64, as the reference tools have them: a
        recall of exactly 6/10 does not reach the seventh of 11, which is 0.6000000000000001.

    >>> round(interpolated_ap(np.array([1.0, 0.5]), np.array([0.5, 0.5]), points=11), 4)
    0.5455
    """
    if not len(precision):
        return 0.0
    beyond = np.maximum.accumulate(precision[::-1])[::-1]
    if points is None:
        return float((np.diff(recall, prepend=0.0) * beyond).sum())
    levels = np.linspace(0, 1, points)
    reached = np.searchsorted(recall, levels, side="left")
    return float(np.append(beyond, 0.0)[reached].mean())
