"""The infinitesimal jackknife: how a ranking figure moves when an image weighs a little more, and the interval from it.

Costs one sort, where a bootstrap costs a sort's worth of work for every resample.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import check_binary
from cnnkit.metrics.intervals import Interval, t_quantile
from cnnkit.metrics.ranked import Ranked

ROUNDING = 1e-12  # an error below is what is left of sums that cancel


def average_precision_influence(scores: ArrayLike, positives: ArrayLike) -> NDArray[np.float64] | None:
    """The derivative of the average precision by the weight of each sample, all weights being 1.

    Args:
        scores: (n,), any real dtype; higher means more likely. Equal scores share a threshold.
        positives: (n,) bools, or 0 and 1.

    Returns:
        (n,) float64 that add up to 0, or None where there is no positive.

    Raises:
        ValueError: empty input, disagreeing lengths, a value other than 0 and 1, a score that is NaN or infinite.

    Reference: Jaeckel 1972, The infinitesimal jackknife, Bell Laboratories; Efron 1982, The Jackknife, the Bootstrap
    and Other Resampling Plans, chapter 6.

    >>> average_precision_influence([0.9, 0.6, 0.3], [1, 0, 1]).round(3).tolist()
    [0.139, -0.111, -0.028]
    """
    ranked = Ranked(*check_binary(scores, positives))
    return ranked.average_precision_influence() if ranked.n_positives else None


def roc_auc_influence(scores: ArrayLike, positives: ArrayLike) -> NDArray[np.float64] | None:
    """The derivative of the area under the ROC curve by the weight of each sample, all weights being 1.

    Arguments and errors as in `average_precision_influence`.

    Returns:
        (n,) float64 that add up to 0, or None where there is no positive or no negative.

    Reference: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44 (the same components).

    >>> roc_auc_influence([0.9, 0.6, 0.3], [1, 0, 1]).tolist()
    [0.25, 0.0, -0.25]
    """
    ranked = Ranked(*check_binary(scores, positives))
    return ranked.roc_auc_influence() if 0 < ranked.n_positives < ranked.n else None


def jackknife_interval(
    value: float, influence: ArrayLike, *, n: int, groups: int = 1, level: float = 0.95
) -> Interval | None:
    """The interval of a figure in (0, 1) from its influence values, on the logit scale.

    logit(value) +- t(n - groups) se / (value (1 - value)), with se^2 the sum of the squared influences times
    n / (n - groups). Assumes that the images are independent draws; does not correct bias.

    Args:
        value: the figure.
        influence: its derivative by the weight of each image.
        n: how many images it rests on: for a class its own.
        groups: how many means it is made of, each costing a degree of freedom: for a macro average the classes.
        level: the share of such intervals that hold the truth.

    Returns:
        The interval, or None where n <= groups, the value is 0 or 1, or nothing moves it.

    Raises:
        ValueError: level out of range.

    Reference: as in `average_precision_influence`.

    >>> [round(end, 3) for end in jackknife_interval(0.8, [0.05, -0.05], n=100)]
    [0.624, 0.906]
    """
    error = float(np.sqrt(np.square(np.asarray(influence, dtype=np.float64)).sum()))
    quantile = t_quantile(level, max(n - groups, 1))
    if n <= groups or not 0 < value < 1 or error < ROUNDING:
        return None
    error *= (n / (n - groups)) ** 0.5
    centre, half = np.log(value / (1 - value)), quantile * error / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-np.array([centre - half, centre + half])))
    return Interval(float(low), float(high))
