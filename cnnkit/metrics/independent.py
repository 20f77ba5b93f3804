"""Two groups of images that share none: is the model as often right on one as on the other?"""

import numpy as np

from cnnkit.metrics._checks import check_counts
from cnnkit.metrics.intervals import Interval, wilson

# two tables that are as likely as each other must not part ways in the last bits
EQUALLY_LIKELY = 1 + 1e-7


def fisher_exact(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """Fisher's exact test: how likely so uneven shares are when the groups do not differ. Two-sided, in (0, 1].

    Given how many hits there are in all, every table that is not more likely than the one found counts. It never
    raises more false alarms than its level, at any number of images, and few images make it cautious.

    Args:
        hits: how many of the first group are right.
        n: images of the first group, at least 1.
        other_hits: how many of the second group are right.
        other_n: images of the second group, at least 1.

    Returns:
        The p-value; 1 where all or none are right.

    Raises:
        ValueError: counts out of range.

    Reference: Fisher 1922, Journal of the Royal Statistical Society 85, 87-94; two-sided as R and scipy have it.

    >>> round(fisher_exact(3, 4, 1, 4), 4)
    0.4857
    """
    from scipy.special import gammaln

    check_counts(hits, n)
    check_counts(other_hits, other_n)
    total = hits + other_hits
    lowest = max(0, total - other_n)
    first = np.arange(lowest, min(n, total) + 1, dtype=np.float64)
    second = total - first
    logs = -(gammaln(first + 1) + gammaln(n - first + 1) + gammaln(second + 1) + gammaln(other_n - second + 1))
    likely = np.exp(logs - logs.max())
    found = likely[hits - lowest]
    return float(min(1.0, likely[likely <= found * EQUALLY_LIKELY].sum() / likely.sum()))


def independent_difference(hits: int, n: int, other_hits: int, other_n: int, *, level: float = 0.95) -> Interval:
    """Newcombe's interval for the difference of two shares of different images, first minus second.

    Made of the two Wilson intervals; inside [-1, 1] and never of width 0.

    Args:
        hits: how many of the first group are right.
        n: images of the first group, at least 1.
        other_hits: how many of the second group are right.
        other_n: images of the second group, at least 1.
        level: the share of such intervals that hold the truth.

    Returns:
        Its two ends.

    Raises:
        ValueError: counts or level out of range.

    Reference: Newcombe 1998, Statistics in Medicine 17, 873-890, method 10.

    >>> [round(end, 4) for end in independent_difference(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    low, high = wilson(hits, n, level=level)
    other_low, other_high = wilson(other_hits, other_n, level=level)
    p, other = hits / n, other_hits / other_n
    below = ((p - low) ** 2 + (other_high - other) ** 2) ** 0.5
    above = ((high - p) ** 2 + (other - other_low) ** 2) ** 0.5
    return Interval(max(-1.0, p - other - below), min(1.0, p - other + above))
