"""What precision and recall become when answers below a threshold are withheld."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit.report._outcomes import Outcomes
from cnnkit.results import Curve, Results

STEPS = 100


@dataclass(frozen=True)
class Thresholds:
    """Counts for each threshold, rising from 0: row 0 is all classes, row 1 + c class c.

    `answered` (1 + C, T) answers at or above the threshold, `right` (1 + C, T) those of them that are right,
    `total` (1 + C,) images that should get the answer. Precision is right / answered, recall right / total.
    """

    thresholds: NDArray[np.float64]
    answered: NDArray[np.int64]
    right: NDArray[np.int64]
    total: NDArray[np.int64]


def thresholds_from_outcomes(outcomes: Outcomes, n_classes: int) -> Thresholds | None:
    """Count exactly, at thresholds that part the answers into about `STEPS` groups of one size."""
    known = outcomes.answered
    if not known.any():
        return None
    label, predicted, confidence = outcomes.label[known], outcomes.predicted[known], outcomes.confidence[known]
    steps = np.unique(np.concatenate([[0.0], _readable(np.quantile(confidence, np.linspace(0, 1, STEPS)[1:]))]))
    place = np.searchsorted(steps, confidence, side="right") - 1
    answered = np.zeros((n_classes + 1, len(steps)), dtype=np.int64)
    right = np.zeros_like(answered)
    hit = label == predicted
    np.add.at(answered, (predicted + 1, place), 1)
    np.add.at(right, (predicted[hit] + 1, place[hit]), 1)
    answered[0], right[0] = answered[1:].sum(axis=0), right[1:].sum(axis=0)
    total = np.concatenate([[len(label)], np.bincount(label, minlength=n_classes)])
    return Thresholds(steps, _from_above(answered), _from_above(right), total)


def _readable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two digits, four near 1, rounded down so that no step lies above the highest confidence."""
    scale = np.where(values > 0.98, 1e4, 1e2)
    return np.asarray(np.floor(values * scale) / scale)


def _from_above(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(counts[:, ::-1].cumsum(axis=1)[:, ::-1])


def curves_with_thresholds(results: Results) -> Sequence[Curve]:
    """The precision-recall curves that say which score each of their points belongs to."""
    return [curve for curve in results.curves.pr if len(curve.threshold) == len(curve.x) > 0]
