"""Intervals from resampling the images: the bias-corrected and accelerated bootstrap (BCa)."""

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import check_share
from cnnkit.metrics.intervals import Interval, t_quantile

RESAMPLES = 1000
BLOCK_BYTES = 16 << 20
MUCH_BIAS = 0.5  # standard deviations

Replicates = NDArray[np.float64]


def bootstrap_interval(
    replicates: ArrayLike,
    value: float,
    *,
    n: int,
    groups: int = 1,
    influence: ArrayLike | None = None,
    within: tuple[float, float] = (0.0, 1.0),
    level: float = 0.95,
) -> Interval | None:
    """The BCa interval of a figure from its values on resampled images.

    Percentiles of the replicates, moved for median bias and for the skewness of `influence`, and spread by
    sqrt(n / (n - groups)) t(n - groups) / z, which mends the narrowness of the bootstrap in small samples. The interval
    always holds `value`. Assumes that the images are independent draws from those that the figure is about.

    A mean over many groups can be off by as much as it varies or more, and no percentile then lies where the truth is:
    where its replicates are more than half their standard deviation off on average, the interval is the normal one
    around the figure less that bias.

    Args:
        replicates: (resamples,) the figure on each resample; NaN where it was undefined.
        value: the figure on the images as they are.
        n: how many images it rests on: for a class its own.
        groups: how many means of shares it is made of, each costing a degree of freedom: for an average the classes.
        influence: (n,) the figure's derivative by each image's weight; only its skewness counts. None: symmetric.
        within: the range of a figure of many groups, which the normal interval does not leave.
        level: the share of such intervals that hold the truth.

    Returns:
        The interval, or None where n <= groups or the replicates do not differ from `value`, which tells nothing.

    Raises:
        ValueError: level out of range.

    Reference: Efron 1987, JASA 82, 171-185; Hesterberg 2015, The American Statistician 69, 371-386 (the spread).

    >>> rng = np.random.default_rng(0)
    >>> [round(end, 1) for end in bootstrap_interval(rng.normal(5, 1, 4000), 5.0, n=10_000)]
    [3.1, 7.0]
    """
    known = np.asarray(replicates, dtype=np.float64)
    known = known[np.isfinite(known)]
    check_share("level", level)
    if n <= groups or not len(known) or bool((known == value).all()):
        return None
    below = (np.count_nonzero(known < value) + 0.5 * np.count_nonzero(known == value)) / len(known)
    edge = 0.5 / len(known)
    bias = _normal.inv_cdf(min(max(below, edge), 1 - edge))
    spread = (n / (n - groups)) ** 0.5 * t_quantile(level, n - groups)
    off = float(known.mean()) - value
    if groups > 1 and abs(off) > MUCH_BIAS * float(known.std()):
        half = spread * float(known.std())
        return Interval(max(min(value - off - half, value), within[0]), min(max(value - off + half, value), within[1]))
    skewness = 0.0 if influence is None else acceleration(influence)
    low, high = np.quantile(known, [_moved(bias, bias - spread, skewness), _moved(bias, bias + spread, skewness)])
    return Interval(min(float(low), value), max(float(high), value))


def bootstrap_mean(
    values: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0, level: float = 0.95
) -> Interval | None:
    """The BCa interval of a mean.

    Args:
        values: (n,) finite numbers.
        resamples: how often the values are drawn anew.
        seed: of the draws; the same seed gives the same interval.
        level: the share of such intervals that hold the truth.

    Returns:
        The interval, or None for fewer than two values or values that are all alike.

    Raises:
        ValueError: empty, not (n,), or a value that is not finite.

    Reference: as in `bootstrap_interval`.

    >>> low, high = bootstrap_mean([1.0, 2.0, 3.0, 4.0], seed=1)
    >>> 1.0 <= low < 2.5 < high <= 4.0
    True
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError(f"values must be (n,) finite numbers, at least one, got shape {array.shape}")
    mean = float(array.mean())
    replicates = resampled_sums(array[:, None], resamples=resamples, seed=seed)[:, 0] / len(array)
    return bootstrap_interval(replicates, mean, n=len(array), influence=array - mean, level=level)


def bootstrap_ratio(
    above: ArrayLike, below: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0, level: float = 0.95
) -> Interval | None:
    """The BCa interval of sum(above) / sum(below) over items that are drawn together, such as classes.

    Args:
        above: (n,) finite numbers.
        below: (n,) numbers above 0.
        resamples: how often the items are drawn anew.
        seed: of the draws.
        level: the share of such intervals that hold the truth.

    Returns:
        The interval, or None for fewer than two items or ratios that are all alike.

    Raises:
        ValueError: empty, lengths that disagree, a number that is not finite or a `below` that is not above 0.

    Reference: as in `bootstrap_interval`.

    >>> low, high = bootstrap_ratio([1, 0, 1, 1], [1, 1, 1, 1])
    >>> 0 <= low < 0.75 < high <= 1
    True
    """
    pairs = np.stack([np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)], axis=1)
    if not len(pairs) or not np.isfinite(pairs).all() or not (pairs[:, 1] > 0).all():
        raise ValueError("above must be finite numbers, at least one, and below numbers above 0")
    over, under = pairs.sum(axis=0)
    sums = resampled_sums(pairs, resamples=resamples, seed=seed)
    influence = (pairs[:, 0] - over / under * pairs[:, 1]) / under
    return bootstrap_interval(
        sums[:, 0] / sums[:, 1], float(over / under), n=len(pairs), influence=influence, level=level
    )


def resampled_sums(values: NDArray[np.float64], *, resamples: int, seed: int) -> NDArray[np.float64]:
    """The sum of each column of `values` (n, columns) over each resample of its rows: (resamples, columns)."""
    drawn = resample_weights(len(values), resamples=resamples, seed=seed)
    return np.concatenate([weights.T @ values for weights in drawn])


def resample_weights(n: int, *, resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """How often each of n images is drawn in each resample, a block of resamples at a time.

    Args:
        n: how many images there are; each resample draws n of them, with replacement.
        resamples: how many resamples, at least 1.
        seed: the same n, number and seed give the same draws, so figures of several models can share them.

    Yields:
        (n, block) float32 whole numbers whose columns add up to n; a block is at most about 16 MB.

    Raises:
        ValueError: fewer than one resample.

    >>> [block.sum(axis=0).tolist() for block in resample_weights(3, resamples=2, seed=0)]
    [[3.0, 3.0]]
    """
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    rng = np.random.default_rng(seed)
    size = max(1, BLOCK_BYTES // (4 * n))
    for start in range(0, resamples, size):
        block = np.empty((n, min(size, resamples - start)), dtype=np.float32)
        for at in range(block.shape[1]):
            block[:, at] = np.bincount(rng.integers(n, size=n), minlength=n)
        yield block


def acceleration(influence: ArrayLike) -> float:
    """A sixth of the skewness of the influence values: how fast the spread changes with the figure."""
    array = np.asarray(influence, dtype=np.float64)
    squares = float(np.square(array).sum())
    return float((array**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0


_normal = NormalDist()


def _moved(bias: float, end: float, skewness: float) -> float:
    """The percentile that takes the place of a normal one."""
    below = 1 - skewness * end
    if below <= 0:
        return float(end > 0)
    return _normal.cdf(bias + end / below)
