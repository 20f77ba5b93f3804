"""What the probabilities are worth, with intervals: cross-entropy, Brier score, calibration error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import check_labels, check_probabilities
from cnnkit.metrics.bootstrap import RESAMPLES, bootstrap_interval, resampled_sums
from cnnkit.metrics.calibration import BINS, binned_gaps, brier_scores
from cnnkit.metrics.classification import P_FLOOR, log_losses, predicted_classes
from cnnkit.metrics.estimates import BOOTSTRAP, Estimate
from cnnkit.metrics.intervals import Interval, t_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProbabilityEstimates:
    """`n_clipped` probabilities were raised to 2^-126 for the cross-entropy."""

    cross_entropy: Estimate
    n_clipped: int
    brier: Estimate
    calibration_error: Estimate
    calibration_error_equal_mass: Estimate


def probability_estimates(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    bins: int = BINS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> ProbabilityEstimates:
    """`cross_entropy`, the mean of `brier_scores` and `calibration_error` of the answers, with bootstrap intervals.

    All share the resamples; the edges of the bins stay those of the images as they are. A calibration error is too
    high when bins hold few samples, since it adds up what chance does to each: by the triangle inequality at most by
    what the gaps of the bins are off, together. The lower end of its interval lies below it by that, as it is among the
    resamples (its quantile at `level`), the upper end above it by the normal spread of the gaps with their signs as
    they are; both are widened for small samples as in `bootstrap_interval`.

    Args:
        probabilities: (n, classes) in [0, 1]; the answer is the highest, of equals the lowest index.
        labels: (n,) ints in [0, classes).
        bins: of the calibration error.
        resamples: how often the images are drawn anew.
        seed: of the draws.
        level: the share of such intervals that hold the truth.

    Returns:
        The estimates.

    Raises:
        ValueError: empty input, disagreeing lengths, a label out of range, a probability outside [0, 1] or NaN.

    Reference: as in the functions named, and `bootstrap_interval`.

    >>> estimates = probability_estimates([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], [0, 1, 1])
    >>> round(estimates.brier.value, 3), estimates.brier.interval is None
    (0.273, False)
    """
    p = check_probabilities(probabilities)
    index = check_labels(labels, n_classes=p.shape[1], n=len(p))
    at, answer = np.arange(len(p)), predicted_classes(p)
    confidence, correct = p[at, answer], answer == index
    columns = (
        (log_losses(p[at, index]) / len(p))[:, None],
        (brier_scores(p, index) / len(p))[:, None],
        binned_gaps(confidence, correct, bins=bins),
        binned_gaps(confidence, correct, bins=bins, equal_mass=True),
    )
    sums = resampled_sums(np.concatenate(columns, axis=1), resamples=resamples, seed=seed)
    ends = np.cumsum([column.shape[1] for column in columns])
    drawn = np.split(sums, ends[:-1], axis=1)
    return ProbabilityEstimates(
        _mean(columns[0], drawn[0], level),
        int((p[at, index] < P_FLOOR).sum()),
        _mean(columns[1], drawn[1], level),
        _gap(columns[2], drawn[2], level),
        _gap(columns[3], drawn[3], level),
    )


def _mean(column: Floats, drawn: Floats, level: float) -> Estimate:
    """Of the sum of one column."""
    value = float(column.sum())
    influence = column[:, 0] - value / len(column)
    interval = bootstrap_interval(drawn[:, 0], value, n=len(column), influence=influence, level=level)
    return Estimate(value, interval, BOOTSTRAP if interval else None)


def _gap(columns: Floats, drawn: Floats, level: float) -> Estimate:
    """Of the sum of the absolute column sums: columns (n, bins), their sums drawn anew (resamples, bins)."""
    sums, n, bins = columns.sum(axis=0), len(columns), int(columns.any(axis=0).sum())
    value = float(np.abs(sums).sum())
    off = drawn - sums
    if n <= bins or not off.any():
        return Estimate(value)
    wider = (n / (n - bins)) ** 0.5
    below = wider * float(np.quantile(np.abs(off).sum(axis=1), level))
    above = wider * t_quantile(level, n - bins) * float((drawn @ np.sign(sums)).std())
    return Estimate(value, Interval(max(value - below, 0.0), min(value + above, 1.0)), BOOTSTRAP)
