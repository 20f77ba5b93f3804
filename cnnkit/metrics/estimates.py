"""Figures with their intervals: what formula or resampling gives the interval, and why there is none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import Bools, Floats, check_scores, check_scores_and_labels, check_zero_one
from cnnkit.metrics.bootstrap import RESAMPLES, bootstrap_interval, bootstrap_mean, resample_weights
from cnnkit.metrics.intervals import Interval, wilson
from cnnkit.metrics.jackknife import jackknife_interval
from cnnkit.metrics.ranked import Ranked

BOOTSTRAP = "bootstrap"
JACKKNIFE = "jackknife"
WILSON = "wilson"
CLASSES = "bootstrap of classes"
BOOTSTRAP_UP_TO = 2e9  # resamples x images x classes; beyond it, the jackknife


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its interval (None: there is none), and how that was made: bootstrap, jackknife or wilson."""

    value: float | None
    interval: Interval | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class RankingEstimates:
    """Average precision and ROC AUC of each class (value None where undefined), and their means."""

    average_precision: tuple[Estimate, ...]
    roc_auc: tuple[Estimate, ...]
    mean_average_precision: Estimate
    macro_roc_auc: Estimate


def ranking_estimates(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
    bootstrap_up_to: float = BOOTSTRAP_UP_TO,
) -> RankingEstimates:
    """Average precision and ROC AUC of each class against all others and their means, all with intervals.

    The means run over the classes where the figure is defined. All figures share the resamples. With more than
    `bootstrap_up_to` resamples x images x classes the interval is `jackknife_interval`'s, else `bootstrap_interval`'s.
    Means over classes that have fewer than two images on average draw the classes anew instead: within such a class
    there is nothing to draw. A class with one image has no interval. A figure of exactly 0 or 1, which no resample
    moves, gets the end of the Wilson interval of its positives (a mean: of all images): none of n is misplaced, so the
    share that is misplaced elsewhere is below that.

    Args:
        scores: (n, classes), any real dtype. A class's column contiguous in memory is faster.
        labels: (n,) ints in [0, classes), or (n, classes) bools or 0 and 1 for several labels a sample.
        resamples: how often the images are drawn anew.
        seed: of the draws.
        level: the share of such intervals that hold the truth.
        bootstrap_up_to: the most work that a bootstrap may be.

    Returns:
        An estimate for each class and the means.

    Raises:
        ValueError: empty input, disagreeing lengths, a label out of range, a score that is NaN or infinite.

    Reference: as in `bootstrap_interval` and `jackknife_interval`.

    >>> estimates = ranking_estimates([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]], [0, 0, 1, 1])
    >>> estimates.mean_average_precision.value, estimates.mean_average_precision.method
    (1.0, 'wilson')
    """
    columns = _columns_of(scores, labels)
    if resamples * columns.n * len(columns.present) > bootstrap_up_to:
        replicates, ranked = None, columns.ranked()
    else:
        kept = list(columns.ranked())
        replicates, ranked = _replicates(kept, columns.n, resamples, seed), iter(kept)
    few = columns.n_labels < 2 * len(columns.present)
    figures = _Gathered(AVERAGE_PRECISION, columns, level), _Gathered(ROC_AUC, columns, level)
    for row, each in enumerate(ranked):
        for which, figure in enumerate(figures):
            figure.add(each, None if replicates is None else replicates[which, row])
    means = [
        figure.mean_of_classes(resamples, seed)
        if few
        else figure.mean(None if replicates is None else replicates[which])
        for which, figure in enumerate(figures)
    ]
    return RankingEstimates(figures[0].estimates(), figures[1].estimates(), *means)


@dataclass(frozen=True)
class _Columns:
    """The classes one by one: `positives(at)` says which of the n samples are of class `at`."""

    scores: Floats
    positives: Callable[[int], Bools]
    present: tuple[int, ...]
    n_labels: int

    @property
    def n(self) -> int:
        return len(self.scores)

    def ranked(self) -> Iterator[Ranked]:
        for at in self.present:
            yield Ranked(np.ascontiguousarray(self.scores[:, at]), self.positives(at))


def _columns_of(scores: ArrayLike, labels: ArrayLike) -> _Columns:
    if np.ndim(labels) == 2:
        checked = check_scores(scores)
        truth = check_zero_one(labels, shape=checked.shape)
        present = tuple(np.flatnonzero(truth.any(axis=0)).tolist())
        return _Columns(checked, lambda at: truth[:, at], present, int(truth.sum()))
    checked, index = check_scores_and_labels(scores, labels)
    return _Columns(checked, lambda at: index == at, tuple(np.unique(index).tolist()), len(index))


def _replicates(ranked: Sequence[Ranked], n: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """(2, classes, resamples): average precision and ROC AUC of each class on each resample."""
    found = np.empty((2, len(ranked), resamples))
    start = 0
    for weights in resample_weights(n, resamples=resamples, seed=seed):
        stop = start + weights.shape[1]
        for row, each in enumerate(ranked):
            found[:, row, start:stop] = each.resampled(weights)
        start = stop
    return found


@dataclass(frozen=True)
class _Measure:
    """How a figure of one class is had from its ranking, and on how many samples it rests (0: undefined)."""

    value: Callable[[Ranked], float]
    influence: Callable[[Ranked], NDArray[np.float64]]
    rests_on: Callable[[Ranked], int]


AVERAGE_PRECISION = _Measure(
    lambda ranked: ranked.average_precision, Ranked.average_precision_influence, lambda ranked: ranked.n_positives
)
ROC_AUC = _Measure(
    lambda ranked: ranked.roc_auc,
    Ranked.roc_auc_influence,
    lambda ranked: min(ranked.n_positives, ranked.n - ranked.n_positives),
)


class _Gathered:
    """One measure over all classes: an estimate for each, and what their mean needs."""

    def __init__(self, measure: _Measure, columns: _Columns, level: float) -> None:
        self.measure = measure
        self.columns = columns
        self.level = level
        self.found: list[Estimate] = []
        self.influence = np.zeros(columns.n)

    def add(self, ranked: Ranked, replicates: NDArray[np.float64] | None) -> None:
        n = self.measure.rests_on(ranked)
        if n == 0:
            self.found.append(Estimate(None))
            return
        influence = self.measure.influence(ranked)
        self.influence += influence
        self.found.append(self._estimate(self.measure.value(ranked), influence, n, replicates))

    def estimates(self) -> tuple[Estimate, ...]:
        """One for each class; those without samples are undefined."""
        placed = [Estimate(None)] * self.columns.scores.shape[1]
        for at, estimate in zip(self.columns.present, self.found, strict=True):
            placed[at] = estimate
        return tuple(placed)

    def mean(self, replicates: NDArray[np.float64] | None) -> Estimate:
        values = self._values
        if not values:
            return Estimate(None)
        resampled = None if replicates is None else _mean_of_known(replicates)
        influence, n = self.influence / len(values), self.columns.n_labels
        return self._estimate(float(np.mean(values)), influence, n, resampled, groups=len(values))

    def mean_of_classes(self, resamples: int, seed: int) -> Estimate:
        values = self._values
        if not values:
            return Estimate(None)
        interval = bootstrap_mean(values, resamples=resamples, seed=seed, level=self.level)
        return estimate(float(np.mean(values)), interval, CLASSES, n=len(values), level=self.level)

    @property
    def _values(self) -> list[float]:
        return [each.value for each in self.found if each.value is not None]

    def _estimate(
        self,
        value: float,
        influence: NDArray[np.float64],
        n: int,
        replicates: NDArray[np.float64] | None,
        groups: int = 1,
    ) -> Estimate:
        if replicates is None:
            interval = jackknife_interval(value, influence, n=n, groups=groups, level=self.level)
            return estimate(value, interval, JACKKNIFE, n=n, level=self.level)
        interval = bootstrap_interval(replicates, value, n=n, groups=groups, influence=influence, level=self.level)
        return estimate(value, interval, BOOTSTRAP, n=n, level=self.level)


def estimate(value: float, interval: Interval | None, method: str, *, n: int, level: float) -> Estimate:
    """With an interval as it is; without, at the ends of the scale, the end of the Wilson interval of n in n."""
    if interval is None and n > 1 and value in (0, 1):
        return Estimate(value, wilson(n if value == 1 else 0, n, level=level), WILSON)
    return Estimate(value, interval, method if interval else None)


def _mean_of_known(replicates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the classes, those left out that a resample has no image of; NaN where it has none of any."""
    known = np.isfinite(replicates)
    sums = np.where(known, replicates, 0).sum(axis=0)
    counts = known.sum(axis=0)
    return np.asarray(np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0))
