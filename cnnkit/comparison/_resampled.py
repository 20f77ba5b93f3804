"""Figures of one model on resampled images: the same resamples for every model, so that differences are paired."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FEW = 2  # images a class

Weights = NDArray[np.float32]  # (n images, resamples): how often each image is drawn


@dataclass(frozen=True)
class Measured:
    """A figure of n images as a function of how often each is drawn.

    `influence` (n,) is its derivative by each image's weight; `under` takes weights (n, resamples) to the figure on
    each resample, NaN where it is undefined. None: resampling would take too long, and `influence` gives the interval.
    `groups`: how many means it is made of. `by_chance`: chance alone makes it higher on average, by at most that.
    """

    name: str
    value: float
    influence: Floats
    under: Callable[[Weights], Floats] | None
    groups: int = 1
    by_chance: float = 0.0


@dataclass(frozen=True)
class Resampled:
    """A figure, its influence (n,) and its values on the resamples that all models share; None: not resampled."""

    name: str
    value: float
    influence: Floats
    replicates: Floats | None
    groups: int = 1
    by_chance: float = 0.0


def resample(figures: Sequence[Measured], n: int, *, resamples: int, seed: int) -> dict[str, Resampled]:
    """Draw n images `resamples` times; the same n, number and seed give the same draws for every model."""
    drawn: dict[str, list[Floats]] = {figure.name: [] for figure in figures if figure.under is not None}
    for weights in metrics.resample_weights(n, resamples=resamples, seed=seed) if drawn else ():
        for figure in figures:
            if figure.under is not None:
                drawn[figure.name].append(figure.under(weights))
    found = {}
    for figure in figures:
        replicates = np.concatenate(drawn[figure.name]) if figure.name in drawn else None
        found[figure.name] = Resampled(
            figure.name, figure.value, figure.influence, replicates, figure.groups, figure.by_chance
        )
    return found


def mean_of(name: str, values: Floats | Bools) -> Measured:
    """The mean of a number that each image has: (n,)."""
    numbers = np.asarray(values, dtype=np.float64)
    mean, n = float(numbers.mean()), len(numbers)
    return Measured(name, mean, (numbers - mean) / n, lambda weights: numbers @ weights / n)


def ratio_of(name: str, above: Floats | Ints, below: Floats | Ints) -> Measured | None:
    """The sum of one number that each image has over the sum of another: (n,) each. None where the latter is 0."""
    over, under = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    if not under.sum():
        return None
    value = float(over.sum() / under.sum())

    def drawn(weights: Weights) -> Floats:
        sums, of = over @ weights, under @ weights
        return np.asarray(np.divide(sums, of, out=np.full(len(sums), np.nan), where=of > 0))

    return Measured(name, value, (over - value * under) / under.sum(), drawn)


def calibration_error_of(name: str, confidence: Floats, correct: Bools) -> Measured:
    """The calibration error in bins of equal width, as `metrics.calibration_error` has it."""
    gaps = metrics.binned_gaps(confidence, correct)
    sums = gaps.sum(axis=0)
    value = float(np.abs(sums).sum())
    influence = gaps @ np.sign(sums) - value / len(gaps)

    def under(weights: Weights) -> Floats:
        return np.asarray(np.abs(gaps.T @ weights).sum(axis=0))

    return Measured(name, value, influence, under, by_chance=metrics.added_by_chance(gaps))


def too_few_to_draw(positives: int, classes: int) -> bool:
    """Fewer than two images a class on average: drawing images then draws whole classes, and each at most whole."""
    return positives < FEW * classes


def mean_of_classes(name: str, values: Floats, positives: Bools) -> Measured:
    """The mean of figures (classes,) that stay as they are, the classes drawn through their images.

    `positives` (n, classes) says whose image each is; a class counts as often as its images are drawn on average.
    """
    share = positives / positives.sum(axis=0)
    mean = float(values.mean())

    def under(weights: Weights) -> Floats:
        drawn = share.T @ weights
        return np.asarray(values @ drawn / drawn.sum(axis=0))

    return Measured(name, mean, share @ (values - mean) / len(values), under)


def macro_f1_of(name: str, labels: Ints, predicted: Ints) -> Measured:
    """F1 as the mean over the classes that have an image, on each resample over those that it has an image of."""
    sums = _ClassSums(labels, predicted)
    hits, of_both = sums.totals(np.ones((len(labels), 1), np.float32))
    f1, weight = _f1(hits, of_both)[:, 0], (sums.support > 0) / (sums.support > 0).sum()
    present = np.flatnonzero(sums.support)
    if too_few_to_draw(len(labels), len(present)):
        return mean_of_classes(name, f1[present], labels[:, None] == present)
    right = labels == predicted
    share = weight * f1 / np.maximum(of_both[:, 0], 1)
    influence = 2 * right * weight[labels] / of_both[labels, 0] - share[labels] - share[predicted]
    return Measured(name, float(f1 @ weight), influence, sums.macro_f1, groups=len(present))


class _ClassSums:
    def __init__(self, labels: Ints, predicted: Ints) -> None:
        self.n_classes = int(max(labels.max(), predicted.max())) + 1
        self.support = np.bincount(labels, minlength=self.n_classes)
        self.labels, self.predicted = labels, predicted
        self.hits = np.flatnonzero(labels == predicted)

    def totals(self, weights: Weights) -> tuple[Floats, Floats]:
        """Hits, and images plus answers, of each class: (classes, resamples)."""
        hits = self._by(self.labels[self.hits], weights[self.hits])
        return hits, self._by(self.labels, weights) + self._by(self.predicted, weights)

    def macro_f1(self, weights: Weights) -> Floats:
        present = self._by(self.labels, weights) > 0
        f1 = np.where(present, _f1(*self.totals(weights)), 0)
        return np.asarray(f1.sum(axis=0) / present.sum(axis=0))

    def _by(self, classes: Ints, weights: Weights) -> Floats:
        order = np.argsort(classes, kind="stable")
        sums = np.zeros((self.n_classes, weights.shape[1]))
        if len(order):
            present, starts = np.unique(classes[order], return_index=True)
            sums[present] = np.add.reduceat(weights[order], starts, axis=0)
        return sums


def _f1(hits: Floats, of_both: Floats) -> Floats:
    return np.asarray(np.divide(2 * hits, of_both, out=np.zeros_like(hits), where=of_both > 0))


def mean_of_known(values: Floats) -> Floats:
    """(classes, resamples) to (resamples,), undefined ones left out; NaN where none is defined."""
    known = np.isfinite(values)
    sums, counts = np.where(known, values, 0).sum(axis=0), known.sum(axis=0)
    return np.asarray(np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0))
