"""What precision and recall become when answers below a threshold are withheld."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit.report._outcomes import Outcomes, boxes_from_rows
from cnnkit.results import Curve, Results

if TYPE_CHECKING:
    import pyarrow as pa

STEPS = 100


@dataclass(frozen=True)
class Thresholds:
    """Counts for each threshold, rising from 0: row 0 is all classes, row 1 + c class c.

    `answered` (1 + C, T) answers at or above the threshold, `right` (1 + C, T) those of them that are right,
    `total` (1 + C,) how many there are to find. Precision is right / answered, recall right / total. `noun` is what
    is counted: images, objects or labels.
    """

    thresholds: NDArray[np.float64]
    answered: NDArray[np.int64]
    right: NDArray[np.int64]
    total: NDArray[np.int64]
    noun: str


def thresholds_of(results: Results, rows: "pa.Table", outcomes: Outcomes | None) -> Thresholds | None:
    """Counted from the rows; for several labels an image, whose rows hold no scores, read off the curves."""
    n_classes = len(results.classes)
    if outcomes is not None:
        return thresholds_from_outcomes(outcomes, n_classes)
    if results.task == "detection":
        return thresholds_from_detections(rows, n_classes)
    return thresholds_from_curves(results)


def thresholds_from_outcomes(outcomes: Outcomes, n_classes: int) -> Thresholds | None:
    if not outcomes.are_sure:
        return None
    known = outcomes.answered
    label, predicted = outcomes.label[known], outcomes.predicted[known]
    totals = np.bincount(label, minlength=n_classes)
    return _counted(predicted, label == predicted, outcomes.confidence[known], totals, noun="images")


def thresholds_from_detections(rows: "pa.Table", n_classes: int) -> Thresholds | None:
    """At the lowest IoU threshold; what is matched does not hang on detections with lower scores."""
    boxes = boxes_from_rows(rows)
    kept = ~boxes.ignored
    truth = np.array([each for image in rows.column("truth_class").to_pylist() for each in image or ()], dtype=np.int64)
    totals = np.bincount(truth, minlength=n_classes)
    score = boxes.score[kept].astype(np.float64)
    # most boxes are faint, so groups of one size alone would leave the upper end without steps
    return _counted(
        boxes.label[kept], boxes.matched[kept], score, totals, noun="objects", also=np.arange(STEPS) / STEPS
    )


def _counted(
    answer: NDArray[np.int64],
    right: NDArray[np.bool_],
    score: NDArray[np.float64],
    totals: NDArray[np.int64],
    *,
    noun: str,
    also: NDArray[np.float64] | None = None,
) -> Thresholds | None:
    """Count exactly, at thresholds that part the answers into about `STEPS` groups of one size, and at `also`."""
    if not len(answer):
        return None
    steps = np.concatenate([[0.0], _readable(np.quantile(score, np.linspace(0, 1, STEPS)[1:]))])
    if also is not None:
        steps = np.concatenate([steps, also[also <= steps.max()]])
    steps = np.unique(np.round(steps, 6))
    place = np.searchsorted(steps, score, side="right") - 1
    answered = np.zeros((len(totals) + 1, len(steps)), dtype=np.int64)
    hits = np.zeros_like(answered)
    np.add.at(answered, (answer + 1, place), 1)
    np.add.at(hits, (answer[right] + 1, place[right]), 1)
    answered[0], hits[0] = answered[1:].sum(axis=0), hits[1:].sum(axis=0)
    return Thresholds(steps, _from_above(answered), _from_above(hits), np.concatenate([[totals.sum()], totals]), noun)


def _readable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two digits, four near 1, rounded down so that no step lies above the highest score."""
    scale = np.where(values > 0.98, 1e4, 1e2)
    return np.asarray(np.floor(values * scale) / scale)


def _from_above(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(counts[:, ::-1].cumsum(axis=1)[:, ::-1])


def thresholds_from_curves(results: Results) -> Thresholds | None:
    """Counts at hundredths, from the nearest drawn point at or above each; None where no curve has thresholds."""
    curves = [each for each in results.curves.pr if each.index is not None and len(each.threshold) == len(each.x) > 0]
    if not curves:
        return None
    steps = np.arange(STEPS) / STEPS
    answered = np.zeros((len(results.classes) + 1, STEPS), dtype=np.int64)
    right, totals = np.zeros_like(answered), np.zeros(len(answered), dtype=np.int64)
    for curve in curves:
        row, n = 1 + (curve.index or 0), results.per_class[curve.index or 0].n
        answered[row], right[row] = _read_off(curve, steps, n)
        totals[row] = n
    answered[0], right[0], totals[0] = answered.sum(axis=0), right.sum(axis=0), totals.sum()
    return Thresholds(steps, answered, right, totals, "labels")


def _read_off(curve: Curve, steps: NDArray[np.float64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Answers and right ones at each step: points come with falling threshold, recall is x and precision y."""
    place = np.searchsorted(-np.array(curve.threshold), -steps, side="right") - 1
    recall, precision = (np.where(place >= 0, np.array(each)[place], 0.0) for each in (curve.x, curve.y))
    right = recall * n
    answered = np.divide(right, precision, out=np.zeros_like(right), where=precision > 0)
    return np.rint(answered).astype(np.int64), np.rint(right).astype(np.int64)
