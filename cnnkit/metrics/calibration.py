"""Are the probabilities true? Reliability, calibration error, Brier score."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import check_confidences, check_labels, check_probabilities

BINS = 15
FAR = 2  # standard errors
ROWS_AT_ONCE = 4096

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Samples with a confidence in (low, high] (the first bin also holds `low`); the means are None without samples."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


def reliability_bins(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = BINS, equal_mass: bool = False
) -> tuple[ReliabilityBin, ...]:
    """Samples put together by confidence: their mean confidence and the share that is right.

    Args:
        confidence: (n,) probability of the answer, in [0, 1].
        correct: (n,) bools, or 0 and 1.
        bins: how many bins, of equal width from 0 to 1.
        equal_mass: bins of about as many samples each instead; equal confidences stay together, so there may be
            fewer bins.

    Returns:
        The bins from low to high; every sample is in one.

    Raises:
        ValueError: empty input, disagreeing lengths, a confidence outside [0, 1], fewer than one bin.

    Reference: DeGroot and Fienberg 1983, The Statistician 32; Nguyen and O'Connor 2015, EMNLP (equal mass).

    >>> [(each.n, each.accuracy) for each in reliability_bins([0.2, 0.9, 1.0], [0, 1, 0], bins=2)]
    [(1, 0.0), (2, 0.5)]
    """
    sure, right = check_confidences(confidence, correct)
    edges, place = _binned(sure, bins, equal_mass=equal_mass)
    counts = np.bincount(place, minlength=len(edges) - 1)
    sums = np.bincount(place, sure, len(edges) - 1), np.bincount(place, right, len(edges) - 1)
    return tuple(
        ReliabilityBin(
            low=float(edges[at]),
            high=float(edges[at + 1]),
            n=int(n),
            confidence=float(sums[0][at] / n) if n else None,
            accuracy=float(sums[1][at] / n) if n else None,
        )
        for at, n in enumerate(counts)
    )


def calibration_error(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = BINS, equal_mass: bool = False
) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by their samples (ECE). Lower is better.

    Never 0 by chance alone: with few samples a bin it is too high. Arguments and errors as in `reliability_bins`.

    Returns:
        A float in [0, 1].

    Reference: Naeini, Cooper and Hauskrecht 2015, AAAI; Guo et al. 2017, arXiv:1706.04599 (15 bins).

    >>> round(calibration_error([0.2, 0.9, 1.0], [0, 1, 0], bins=2), 4)
    0.3667
    """
    return float(np.abs(binned_gaps(confidence, correct, bins=bins, equal_mass=equal_mass).sum(axis=0)).sum())


def binned_gaps(confidence: ArrayLike, correct: ArrayLike, *, bins: int = BINS, equal_mass: bool = False) -> Floats:
    """(confidence - correct) / n of each sample in the column of its bin, 0 elsewhere: (n, bins).

    The calibration error is the sum of the absolute column sums, under any weights of the samples: what a bootstrap
    needs. Arguments and errors as in `reliability_bins`.

    >>> binned_gaps([0.25, 1.0], [0, 1], bins=2).tolist()
    [[0.125, 0.0], [0.0, 0.0]]
    """
    sure, right = check_confidences(confidence, correct)
    edges, place = _binned(sure, bins, equal_mass=equal_mass)
    gaps = np.zeros((len(sure), len(edges) - 1))
    gaps[np.arange(len(sure)), place] = (sure - right) / len(sure)
    return gaps


def added_by_chance(gaps: ArrayLike) -> float:
    """By how much at most chance raises a calibration error on average, as far as these samples can tell.

    The distance of a bin that is off by s, measured with a standard error e, is too high on average by what |s + e z|
    exceeds |s|: by 0.8 e where s is 0, by next to nothing where s is more than 2 e. The true s is not known, so the
    smallest is taken that lies within 2 e of the one measured.

    Args:
        gaps: (n, bins) as `binned_gaps` gives them.

    Returns:
        A float, at least 0: the sum over the bins.

    Reference: Leone, Nelson and Nottingham 1961, Technometrics 3, 543-550 (the mean of |s + e z|).

    >>> round(added_by_chance(binned_gaps([0.8] * 5, [1, 1, 1, 1, 0])), 4)
    0.1427
    """
    columns = np.asarray(gaps, dtype=np.float64)
    sums = columns.sum(axis=0)
    errors = np.sqrt(np.maximum(np.square(columns).sum(axis=0) - sums**2 / len(columns), 0.0))
    least = np.maximum(np.abs(sums) - FAR * errors, 0.0)
    return sum(_folded_excess(*pair) for pair in zip(least.tolist(), errors.tolist(), strict=True))


def _folded_excess(s: float, error: float) -> float:
    """The mean of |s + error z|, z standard normal, less |s|."""
    if error == 0:
        return 0.0
    off = s / error
    return error * (math.sqrt(2 / math.pi) * math.exp(-off * off / 2) - off * math.erfc(off / math.sqrt(2)))


def brier_scores(probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """Squared distance of the probabilities from the truth, of each sample. Lower is better.

    Args:
        probabilities: (n, classes) in [0, 1].
        labels: (n,) ints in [0, classes).

    Returns:
        (n,) float64 in [0, 2] (for two classes twice the usual binary score); their mean is the Brier score.

    Raises:
        ValueError: empty input, disagreeing lengths, a label out of range, a probability outside [0, 1] or NaN.

    Reference: Brier 1950, Monthly Weather Review 78.

    >>> brier_scores([[0.75, 0.25], [0.0, 1.0]], [0, 0]).tolist()
    [0.125, 2.0]
    """
    p = check_probabilities(probabilities)
    index = check_labels(labels, n_classes=p.shape[1], n=len(p))
    starts = range(0, len(p), ROWS_AT_ONCE)
    squares = np.concatenate([np.square(p[at : at + ROWS_AT_ONCE], dtype=np.float64).sum(axis=1) for at in starts])
    return np.asarray(squares - 2 * p[np.arange(len(p)), index].astype(np.float64) + 1)


def _binned(sure: Floats, bins: int, *, equal_mass: bool) -> tuple[Floats, NDArray[np.int64]]:
    """The edges, and the bin of each sample: the one whose upper edge is the first at or above it."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    edges = np.linspace(0, 1, bins + 1)
    if equal_mass:
        edges = np.concatenate([[0.0], np.unique(np.quantile(sure, edges[1:], method="inverted_cdf"))])
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, len(edges) - 2)
    return edges, place
