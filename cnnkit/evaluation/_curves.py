"""Curves for drawing, thinned so that a thousand classes stay a small file."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.results import Curve, Curves

POINTS = 200  # of a curve when classes are few
POINTS_IN_ALL = 20_000  # of all curves of a kind together, when they are many
POINTS_AT_LEAST = 20


def class_curves(scores: NDArray[Any], positives: Callable[[int], NDArray[np.bool_]], present: Sequence[int]) -> Curves:
    """A PR and a ROC curve for each class in `present`, from its column of `scores` (n, classes)."""
    n = max(min(POINTS, POINTS_IN_ALL // max(len(present), 1)), POINTS_AT_LEAST)
    pr, roc = [], []
    for at in present:
        curve = metrics.pr_curve(scores[:, at], positives(at))
        if curve is not None:
            pr.append(thinned(at, curve.recall, curve.precision, curve.threshold, n))
        rates = metrics.roc_curve(scores[:, at], positives(at))
        if rates is not None:  # the first point's threshold is infinite, and (0, 0) needs no telling
            points = (rates.false_positive_rate[1:], rates.true_positive_rate[1:], rates.threshold[1:])
            roc.append(thinned(at, *points, n))
    return Curves(pr=tuple(pr), roc=tuple(roc))


def thinned(
    index: int | None, x: NDArray[np.float64], y: NDArray[np.float64], threshold: NDArray[np.float64], n: int
) -> Curve:
    kept = _spread_points(x, y, n)
    return Curve(index=index, x=_short(x[kept]), y=_short(y[kept]), threshold=_short(threshold[kept]))


def _spread_points(x: NDArray[np.float64], y: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """At most n points, evenly along the length of the curve, both ends among them."""
    if len(x) <= n:
        return np.arange(len(x))
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    return np.unique(np.searchsorted(along, np.linspace(0, along[-1], n)).clip(0, len(x) - 1))


def _short(values: NDArray[Any]) -> tuple[float, ...]:
    """Six significant digits: a thousandth of a pixel in any drawing."""
    return tuple(float(f"{value:.6g}") for value in values.tolist())
