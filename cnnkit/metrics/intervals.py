"""Intervals that a formula gives."""

from functools import cache
from math import ceil
from statistics import NormalDist
from typing import NamedTuple

from cnnkit.metrics._checks import check_counts, check_share

SERIES_FROM = 100  # degrees of freedom


class Interval(NamedTuple):
    low: float
    high: float


def normal_quantile(level: float) -> float:
    """How many standard deviations either side hold `level` of a normal distribution: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + check_share("level", level)) / 2)


@cache
def t_quantile(level: float, degrees: int) -> float:
    """As `normal_quantile`, of Student's t distribution.

    From `SERIES_FROM` degrees on by the series of Abramowitz and Stegun, 26.7.5, to nine digits: scipy takes longer to
    load than many an evaluation takes.
    """
    share = (1 + check_share("level", level)) / 2
    if degrees < SERIES_FROM:
        from scipy.special import stdtrit

        return float(stdtrit(degrees, share))
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / degrees**power for power, term in enumerate(terms, 1)))


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
