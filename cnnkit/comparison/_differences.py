"""Differences between two models on the same images: test, interval, and how many images would decide."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from cnnkit import metrics
from cnnkit.comparison._record import Answer, Equivalence, PairedDifference, Verdict
from cnnkit.comparison._resampled import Bools, Floats, Resampled
from cnnkit.comparison._tested import Tested
from cnnkit.comparison._words import difference_sentence, equivalence_sentence, wording
from cnnkit.metrics.intervals import Interval, normal_quantile, t_quantile

IntervalAt = Callable[[float], Interval | None]

LEVEL = 0.95
ALPHA = 1 - LEVEL
EXACT = "exact McNemar, Tango's interval"
BOOTSTRAP = "paired bootstrap"
JACKKNIFE = "paired jackknife"
HALVINGS = 40
GROWTH = 1.02
AGREE_FROM = 2000
ROUNDING = 1e-12


def compare_proportions(first: str, second: str, measure: str, right: tuple[Bools, Bools]) -> Tested:
    """Two accuracies on the same images."""
    only_first, only_second, n = int((right[0] & ~right[1]).sum()), int((~right[0] & right[1]).sum()), len(right[0])
    return Tested(
        first=first,
        second=second,
        measure=measure,
        value=(only_second - only_first) / n,
        interval=metrics.paired_difference(only_second, only_first, n, level=LEVEL),
        p=metrics.mcnemar(only_first, only_second),
        n=n,
        method=EXACT,
        split=(only_first, only_second),
    )


def compare_resampled(first: str, second: str, figures: tuple[Resampled, Resampled], n: int) -> Tested:
    """Two values of any figure, each on the same resamples of the same images."""
    one, other = figures
    value, influence = float(_cleared(other.value - one.value)), other.influence - one.influence
    groups = max(one.groups, other.groups)
    if one.replicates is None or other.replicates is None:
        interval, p = _jackknife(value, influence, n, groups)
        return Tested(first, second, one.name, value, interval, p, n, JACKKNIFE)
    replicates = _cleared(other.replicates - one.replicates)
    if one.by_chance or other.by_chance:
        interval_at = _spread_of(replicates, value, (other.by_chance, one.by_chance), n)
    else:
        interval_at = _bca_of(replicates, value, influence, n, groups)
    interval = interval_at(LEVEL)
    p = None if interval is None else bootstrap_p(interval_at, value, resamples=len(replicates))
    return Tested(first, second, one.name, value, interval, p, n, BOOTSTRAP)


def _bca_of(replicates: Floats, value: float, influence: Floats, n: int, groups: int) -> IntervalAt:
    return lambda level: metrics.bootstrap_interval(
        replicates, value, n=n, groups=groups, influence=influence, within=(-1.0, 1.0), level=level
    )


def _spread_of(replicates: Floats, value: float, beyond: tuple[float, float], n: int) -> IntervalAt:
    """The normal interval, wider at each end by how far off the value may be on average."""
    error = float(replicates.std())

    def interval_at(level: float) -> Interval | None:
        if error == 0 or n < 2:
            return None
        half = t_quantile(level, n - 1) * error
        return Interval(value - beyond[0] - half, value + beyond[1] + half)

    return interval_at


def _cleared(differences: Floats | float) -> Floats:
    """What only the order of a sum has made is no difference."""
    return np.where(np.abs(differences) < ROUNDING, 0.0, differences)


def bootstrap_p(interval_at: IntervalAt, value: float, *, resamples: int) -> float:
    """One minus the level at which the interval just reaches 0: below 0.05 exactly when the 95 % interval is beside 0.

    Never below 1 / (resamples + 1), which is all that so many resamples can tell.
    """
    least = 1 / (resamples + 1)

    def holds_zero(level: float) -> bool:
        interval = interval_at(level)
        return interval is not None and interval.low <= 0 <= interval.high

    low, high = 0.0, 1 - least
    if value == 0 or not holds_zero(high):
        return 1.0 if value == 0 else least
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds_zero(middle) else (middle, high)
    return 1 - high


def _jackknife(value: float, influence: Floats, n: int, groups: int) -> tuple[Interval | None, float | None]:
    from scipy.special import stdtr

    spread = math.sqrt(float(np.square(influence).sum()))
    if spread == 0 or n <= groups:
        return None, None
    error = spread * math.sqrt(n / (n - groups))
    half = t_quantile(LEVEL, n - groups) * error
    return Interval(value - half, value + half), float(2 * stdtr(n - groups, -abs(value) / error))


def conclude(tested: Sequence[Tested]) -> list[PairedDifference]:
    """Of all pairs in one measure: p-values corrected by Holm, who is better, and the sentence."""
    known = [each.p for each in tested if each.p is not None]
    corrected = iter(metrics.holm(known))
    return [_concluded(each, None if each.p is None else next(corrected), len(known)) for each in tested]


def _concluded(each: Tested, corrected: float | None, n_pairs: int) -> PairedDifference:
    better = _verdict(each, corrected)
    low, high = each.interval or (None, None)
    further = _further(each, n_pairs) if better == "undecided" else None
    return PairedDifference(
        first=each.first,
        second=each.second,
        measure=each.measure,
        value=each.value,
        low=low,
        high=high,
        p=each.p,
        p_corrected=corrected,
        better=better,
        n=each.n,
        method=each.method,
        further_images=further,
        sentence=difference_sentence(each, corrected, better, n_pairs=n_pairs, further=further),
    )


def _verdict(each: Tested, corrected: float | None) -> Verdict:
    if each.split == (0, 0) or (each.interval is None and each.value == 0):
        return "same"
    if corrected is None or corrected >= ALPHA:
        return "undecided"
    return "second" if (each.value > 0) == wording(each.measure).up else "first"


def _further(each: Tested, n_pairs: int) -> int | None:
    """How many more images would decide it, were the difference to stay; None where no number would."""
    if each.value == 0 or each.interval is None:
        return None
    level = 1 - ALPHA / max(n_pairs, 1)
    if each.split is not None:
        needed = metrics.images_to_decide(each.split[1], each.split[0], each.n, level=level)
        return None if needed is None else _until_mcnemar(each.split, each.n, needed, 1 - level) - each.n
    toward_zero = each.value - (each.interval.low if each.value > 0 else each.interval.high)
    spread = toward_zero * normal_quantile(level) / normal_quantile(LEVEL)
    return max(1, math.ceil(each.n * (spread / each.value) ** 2) - each.n)


def _until_mcnemar(split: tuple[int, int], n: int, needed: int, alpha: float) -> int:
    """The exact test asks for more images than the formula where few images tell the models apart: grow till it holds.

    From some thousand such images on the two agree within the two digits that are told.
    """
    factor = max(needed / n, GROWTH)
    while sum(split) * factor < AGREE_FROM:
        if metrics.mcnemar(round(split[0] * factor), round(split[1] * factor)) < alpha:
            break
        factor *= GROWTH
    return math.ceil(n * factor)


def equivalence(each: Tested, margin: float) -> Equivalence:
    """Is the second worse than the first by less than `margin`? By the 95 % interval; ValueError without one."""
    if each.interval is None:
        raise ValueError(f"no interval for {each.measure}: nothing says how large the drop may be")
    low, high = -each.interval.high, -each.interval.low
    answer: Answer = "yes" if high <= margin else "no" if low > margin else "cannot tell"
    further = _further_for_margin(each, margin, low, high) if answer == "cannot tell" else None
    return Equivalence(
        first=each.first,
        second=each.second,
        measure=each.measure,
        margin=margin,
        drop=-each.value,
        low=low,
        high=high,
        answer=answer,
        further_images=further,
        sentence=equivalence_sentence(each, -each.value, (low, high), margin, answer, further),
    )


def _further_for_margin(each: Tested, margin: float, low: float, high: float) -> int | None:
    drop = -each.value
    if drop == margin:
        return None
    if each.split is not None:
        needed = metrics.images_to_decide(*each.split, each.n, margin=margin, level=LEVEL)
        return None if needed is None else max(1, needed - each.n)
    reach = high - drop if drop < margin else drop - low
    return max(1, math.ceil(each.n * (reach / (margin - drop)) ** 2) - each.n)
