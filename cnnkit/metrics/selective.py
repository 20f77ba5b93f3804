"""Answering less: how accurate a model is when the answers it is least sure of go to a person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import check_confidences, check_share

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """At each distinct confidence, from the highest down: what share is answered, how much of that is right."""

    coverage: Floats
    accuracy: Floats
    threshold: Floats


@dataclass(frozen=True, slots=True)
class Threshold:
    """Answer from this confidence on: the share of right answers among them, and the share of samples answered."""

    threshold: float
    precision: float
    coverage: float


def risk_coverage(confidence: ArrayLike, correct: ArrayLike) -> RiskCoverage:
    """How accurate the answers are when only the surest are given, and the rest goes to a person.

    Equal confidences come and go together.

    Args:
        confidence: (n,) probability of the answer, in [0, 1].
        correct: (n,) bools, or 0 and 1.

    Returns:
        The curve from the highest threshold down; its last point is the accuracy at full coverage.

    Raises:
        ValueError: empty input, disagreeing lengths, a confidence outside [0, 1].

    Reference: El-Yaniv and Wiener 2010, JMLR 11; Geifman and El-Yaniv 2017, arXiv:1705.08500.

    >>> curve = risk_coverage([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0])
    >>> curve.coverage.tolist(), curve.accuracy.round(3).tolist()
    ([0.25, 0.75, 1.0], [1.0, 0.667, 0.5])
    """
    sure, right = check_confidences(confidence, correct)
    order = np.argsort(-sure)
    ordered = sure[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) + 1
    hits = np.cumsum(right[order])[ends - 1]
    return RiskCoverage(coverage=ends / len(sure), accuracy=hits / ends, threshold=ordered[ends - 1])


def threshold_for_precision(confidence: ArrayLike, correct: ArrayLike, *, wanted: float) -> Threshold | None:
    """The lowest confidence from which on at least `wanted` of the answers are right.

    Chosen on the samples that it is measured on, so elsewhere it holds a little less.

    Args:
        confidence: (n,) probability of the answer, in [0, 1].
        correct: (n,) bools, or 0 and 1.
        wanted: the share of right answers, between 0 and 1.

    Returns:
        The threshold that answers most, or None where none reaches `wanted`.

    Raises:
        ValueError: as in `risk_coverage`, or `wanted` out of range.

    >>> threshold_for_precision([0.9, 0.8, 0.7, 0.1], [1, 1, 0, 1], wanted=0.75)
    Threshold(threshold=0.1, precision=0.75, coverage=1.0)
    """
    check_share("wanted", wanted)
    curve = risk_coverage(confidence, correct)
    reached = np.flatnonzero(curve.accuracy >= wanted)
    if not len(reached):
        return None
    at = reached[-1]
    return Threshold(float(curve.threshold[at]), float(curve.accuracy[at]), float(curve.coverage[at]))
