"""Two models on the same images: tests and intervals that use the pairing, and how many images would decide."""

import math
from collections.abc import Callable, Sequence

from cnnkit.metrics._checks import check_share
from cnnkit.metrics.intervals import Interval, normal_quantile

MOST_IMAGES = 10**12
BISECTIONS = 60  # halvings of [-1, 1]: to the last bits of a float64


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact McNemar test: how likely so uneven a split is when neither model is better. Two-sided, in (0, 1].

    Only images that one model gets right and the other wrong count; each is a fair coin under the hypothesis.

    Args:
        only_first: images that the first model alone gets right.
        only_second: images that the second model alone gets right.

    Returns:
        The p-value; 1 where no image tells the models apart.

    Raises:
        ValueError: a negative count.

    Reference: McNemar 1947, Psychometrika 12, 153-157; the exact form is the sign test of the discordant pairs.

    >>> mcnemar(1, 5)
    0.21875
    """
    if min(only_first, only_second) < 0:
        raise ValueError(f"counts must not be negative, got {only_first} and {only_second}")
    n, k = only_first + only_second, min(only_first, only_second)
    if 2 * k >= n:
        return 1.0
    term = total = 1  # whole numbers: the division at the end is the only rounding
    for i in range(k):
        term = term * (n - i) // (i + 1)
        total += term
    return min(1.0, 2 * total / (1 << n))


def paired_difference(only_first: int, only_second: int, n: int, *, level: float = 0.95) -> Interval:
    """Tango's score interval for the difference of two accuracies on the same images, first minus second.

    Holds its level for few images and for models that hardly differ; never of width 0; inside [-1, 1].

    Args:
        only_first: images that the first model alone gets right.
        only_second: images that the second model alone gets right.
        n: all images, those on which both agree included.
        level: the share of such intervals that hold the truth.

    Returns:
        Its two ends.

    Raises:
        ValueError: counts that are negative or more than n, level out of range.

    Reference: Tango 1998, Statistics in Medicine 17, 891-908.

    >>> [round(end, 4) for end in paired_difference(0, 0, 200)]
    [-0.0188, 0.0188]
    """
    _check_counts(only_first, only_second, n)
    z = normal_quantile(check_share("level", level))
    difference = (only_first - only_second) / n
    high = _root(lambda delta: _tango(only_first, only_second, n, delta) + z, difference, 1.0)
    low = _root(lambda delta: _tango(only_first, only_second, n, delta) - z, -1.0, difference)
    return Interval(low, high)


def images_to_decide(
    only_first: int, only_second: int, n: int, *, margin: float = 0.0, level: float = 0.95
) -> int | None:
    """How many images in all would put the whole interval on one side of `margin`, were the shares to stay.

    Args:
        only_first: images that the first model alone gets right.
        only_second: images that the second model alone gets right.
        n: all images so far.
        margin: the difference, first minus second, that is to be excluded.
        level: of `paired_difference`, whose ends are meant.

    Returns:
        The smallest number of images, at least 1; None where the difference equals the margin, or more than 10^12
        images would be needed.

    Raises:
        ValueError: as `paired_difference`.

    Reference: Tango's interval, as in `paired_difference`, at counts in proportion.

    >>> images_to_decide(10, 10, 1000, margin=0.005)
    3248
    """
    _check_counts(only_first, only_second, n)
    z = normal_quantile(check_share("level", level))

    def decides(images: int) -> bool:
        scale = images / n
        statistic = _tango(only_first * scale, only_second * scale, images, margin)
        return abs(statistic) >= z

    if (only_first - only_second) / n == margin:
        return None
    enough = 1
    while not decides(enough):
        enough *= 2
        if enough > MOST_IMAGES:
            return None
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        too_few, enough = (too_few, middle) if decides(middle) else (middle, enough)
    return enough


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: with them, the chance of any false alarm among all tests stays below the level.

    Args:
        p_values: one for each test, in [0, 1]; they may depend on each other.

    Returns:
        Adjusted values in the order given, each at least as large as before and at most 1; empty for none.

    Raises:
        ValueError: a value outside [0, 1] or NaN.

    Reference: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values must lie in [0, 1], got {list(p_values)}")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[at]))
        adjusted[at] = largest
    return adjusted


def _check_counts(only_first: int, only_second: int, n: int) -> None:
    if min(only_first, only_second) < 0 or n < 1 or only_first + only_second > n:
        raise ValueError(f"{only_first} and {only_second} discordant images of {n}: counts must add up to at most n")


def _tango(b: float, c: float, n: int, delta: float) -> float:
    """The score statistic for the hypothesis that the difference is `delta`; falls as delta grows."""
    # the maximum likelihood estimate of P(second alone is right) under the hypothesis
    linear = -b - c + (2 * n - b + c) * delta
    root = math.sqrt(max(linear * linear + 8 * n * c * delta * (1 - delta), 0.0))
    share = max((root - linear) / (4 * n), 0.0)
    variance = n * (2 * share + delta * (1 - delta))
    numerator = b - c - n * delta
    if variance <= 0:
        return 0.0 if numerator == 0 else math.copysign(math.inf, numerator)
    return numerator / math.sqrt(variance)


def _root(falls: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses 0 between two points, by bisection."""
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if falls(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
