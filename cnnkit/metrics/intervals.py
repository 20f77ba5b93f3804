"""Intervals that a formula gives."""

from functools import cache
from math import ceil
from statistics import NormalDist
from typing import NamedTuple

from cnnkit.metrics._checks import check_counts, check_share


class Interval(NamedTuple):
    low: float
    high: float


def normal_quantile(level: float) -> float:
    """How many standard deviations either side hold `level` of a normal distribution: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + check_share("level", level)) / 2)


@cache
def t_quantile(level: float, degrees: int) -> float:
    """As `normal_quantile`, of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + check_share("level", level)) / 2))


def wilson(hits: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion, without continuity correction.

    Holds when the n trials are independent and alike. Always inside [0, 1]; never of width 0.

    Args:
        hits: how many trials succeeded, 0 <= hits <= n.
        n: how many trials there were, at least 1.
        level: the share of such intervals that hold the truth, between 0 and 1.

    Returns:
        Its two ends.

    Raises:
        ValueError: hits, n or level out of range.

    Reference: Wilson 1927, JASA 22, 209-212; Brown, Cai and DasGupta 2001, Statistical Science 16, 101-133.

    >>> [round(end, 4) for end in wilson(81, 100)]
    [0.7222, 0.8749]
    """
    check_counts(hits, n)
    z2 = normal_quantile(level) ** 2
    p = hits / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = (z2 * (p * (1 - p) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
    return Interval(0.0 if hits == 0 else max(0.0, centre - half), 1.0 if hits == n else min(1.0, centre + half))


def images_to_bound(hits: int, n: int, bound: float, *, level: float = 0.95) -> int | None:
    """How many trials would bring the upper end of Wilson's interval down to `bound`, were the share to stay.

    Args:
        hits: how many trials succeeded, 0 <= hits <= n.
        n: how many trials there were, at least 1.
        bound: between 0 and 1.
        level: as in `wilson`.

    Returns:
        The smallest number, at least 1; None where the share of hits is not below `bound`: no number would do.

    Raises:
        ValueError: hits, n, bound or level out of range.

    Reference: as in `wilson`, solved for n.

    >>> images_to_bound(0, 100, 0.003)
    1277
    """
    check_counts(hits, n)
    check_share("bound", bound)
    p = hits / n
    if p >= bound:
        return None
    return max(1, ceil(normal_quantile(level) ** 2 * bound * (1 - bound) / (bound - p) ** 2))
