"""Precision, recall and F1 with intervals, from a confusion matrix alone: its cells are all that resampling moves."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import Ints
from cnnkit.metrics.bootstrap import RESAMPLES, bootstrap_interval, bootstrap_ratio
from cnnkit.metrics.classification import check_confusion
from cnnkit.metrics.estimates import BOOTSTRAP, CLASSES, WILSON, Estimate, estimate
from cnnkit.metrics.intervals import Interval, wilson

BLOCK_NUMBERS = 4_000_000  # cells x resamples drawn at once
NAMES = ("precision", "recall", "f1")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReportEstimates:
    """Of each class precision, recall and F1 (value None where undefined), and the averages: `macro_f1` and so on."""

    precision: tuple[Estimate, ...]
    recall: tuple[Estimate, ...]
    f1: tuple[Estimate, ...]
    averages: dict[str, Estimate]


def report_estimates(
    confusion: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0, level: float = 0.95
) -> ReportEstimates:
    """The figures of `classification_report` with intervals.

    Precision and recall of a class are proportions (of its answers, of its images) and get Wilson's interval; so do
    the micro averages and the weighted recall, all of which are the accuracy. F1 and the other averages get
    `bootstrap_interval`: the cells of the matrix are drawn anew, which is the same as drawing the images. A macro
    average leaves out the classes that a resample has no image of. Averages over classes that have fewer than two
    images on average draw the classes anew instead: within such a class there is nothing to draw.

    Args:
        confusion: (classes, classes) counts, a row for each label, a column for each answer.
        resamples: how often the images are drawn anew.
        seed: of the draws.
        level: the share of such intervals that hold the truth.

    Returns:
        An estimate for each class and for each average.

    Raises:
        ValueError: not square, a negative count, no count at all.

    Reference: as in `wilson` and `bootstrap_interval`.

    >>> estimates = report_estimates([[40, 10], [5, 45]])
    >>> [round(end, 2) for end in estimates.averages["macro_f1"].interval]
    [0.77, 0.91]
    """
    cells = _Cells(check_confusion(confusion))
    f1, averages = _replicates(cells, resamples, seed)
    hits, support, predicted = cells.sums(cells.counts[None])
    return ReportEstimates(
        precision=_proportions(hits[0], predicted[0], level),
        recall=_proportions(hits[0], support[0], level),
        f1=tuple(_f1_estimate(cells, f1[:, at], at, level) for at in range(cells.n_classes)),
        averages=_averages(cells, averages, resamples, seed, level),
    )


class _Cells:
    """The cells that are not 0: `labels`, `answers` and `counts` are (cells,), sorted by label."""

    def __init__(self, confusion: Ints) -> None:
        self.n_classes = len(confusion)
        self.labels, self.answers = np.nonzero(confusion)
        self.counts = confusion[self.labels, self.answers]
        self.n = int(self.counts.sum())
        self.right = self.labels == self.answers

    def sums(self, counts: Ints) -> tuple[Ints, Ints, Ints]:
        """Hits, support and answers of each class, (resamples, classes), from counts (resamples, cells)."""
        hits = np.zeros((len(counts), self.n_classes), dtype=np.int64)
        hits[:, self.labels[self.right]] = counts[:, self.right]
        return hits, self._by(self.labels, counts), self._by(self.answers, counts)

    def _by(self, classes: Ints, counts: Ints) -> Ints:
        order = np.argsort(classes, kind="stable")
        present, starts = np.unique(classes[order], return_index=True)
        sums = np.zeros((len(counts), self.n_classes), dtype=np.int64)
        sums[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
        return sums

    def draws(self, resamples: int, seed: int) -> Iterator[Ints]:
        rng = np.random.default_rng(seed)
        size = max(1, BLOCK_NUMBERS // len(self.counts))
        for start in range(0, resamples, size):
            yield rng.multinomial(self.n, self.counts / self.n, size=min(size, resamples - start))


def _replicates(cells: _Cells, resamples: int, seed: int) -> tuple[Floats, dict[str, Floats]]:
    """F1 of each class (resamples, classes), NaN where undefined, and each average (resamples,)."""
    f1, blocks = [], []
    for counts in cells.draws(resamples, seed):
        hits, support, predicted = cells.sums(counts)
        f1.append(_divided(2 * hits, support + predicted, np.nan))
        blocks.append(_average_values(hits, support, predicted))
    return np.concatenate(f1), {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _average_values(hits: Ints, support: Ints, predicted: Ints) -> dict[str, Floats]:
    each = _each(hits, support, predicted)
    found: dict[str, Floats] = {}
    for kind, weights in _weights(support).items():
        found |= {f"{kind}_{name}": (weights * each[name]).sum(axis=1) for name in NAMES}
    return found


def _each(hits: Ints, support: Ints, predicted: Ints) -> dict[str, Floats]:
    return {
        "precision": _divided(hits, predicted, 0),
        "recall": _divided(hits, support, 0),
        "f1": _divided(2 * hits, support + predicted, 0),
    }


def _weights(support: Ints) -> dict[str, Floats]:
    present = support > 0
    return {
        "macro": present / present.sum(axis=1, keepdims=True),
        "weighted": support / support.sum(axis=1, keepdims=True),
    }


def _averages(
    cells: _Cells, replicates: dict[str, Floats], resamples: int, seed: int, level: float
) -> dict[str, Estimate]:
    hits, support, predicted = cells.sums(cells.counts[None])
    right, groups = int(hits.sum()), int((support > 0).sum())
    accuracy = Estimate(right / cells.n, wilson(right, cells.n, level=level), WILSON)
    found = {f"micro_{name}": accuracy for name in NAMES}
    influences = _influences(cells, hits, support, predicted)
    by_class = _by_class(hits, support, predicted, resamples, seed, level) if cells.n < 2 * groups else {}
    for name, value in _average_values(hits, support, predicted).items():
        figure, influence = float(value[0]), np.repeat(influences[name], cells.counts)
        interval = bootstrap_interval(
            replicates[name], figure, n=cells.n, groups=groups, influence=influence, level=level
        )
        interval, method = (by_class[name], CLASSES) if by_class else (interval, BOOTSTRAP)
        found[name] = estimate(figure, interval, method, n=cells.n, level=level)
    return {**found, "weighted_recall": accuracy}


def _by_class(
    hits: Ints, support: Ints, predicted: Ints, resamples: int, seed: int, level: float
) -> dict[str, Interval | None]:
    """The averages' intervals when the classes are drawn, each with its figure as it is."""
    present = support[0] > 0
    each = {name: values[0][present] for name, values in _each(hits, support, predicted).items()}
    weights = {"macro": np.ones(int(present.sum())), "weighted": support[0][present].astype(np.float64)}
    return {
        f"{kind}_{name}": bootstrap_ratio(each[name] * weight, weight, resamples=resamples, seed=seed, level=level)
        for kind, weight in weights.items()
        for name in NAMES
    }


def _influences(cells: _Cells, hits: Ints, support: Ints, predicted: Ints) -> dict[str, Floats]:
    """The derivative of each average by the weight of one image of each cell: (cells,)."""
    each = {name: values[0] for name, values in _each(hits, support, predicted).items()}
    label, answer, right = cells.labels, cells.answers, cells.right
    of_both = (support + predicted)[0]
    found: dict[str, Floats] = {}
    for kind, weights in _weights(support).items():
        weight = weights[0]
        f1_share = weight * each["f1"] / np.maximum(of_both, 1)
        found |= {
            f"{kind}_precision": weight[answer] * (right - each["precision"][answer]) / predicted[0][answer],
            f"{kind}_recall": weight[label] * (right - each["recall"][label]) / support[0][label],
            f"{kind}_f1": 2 * right * weight[label] / of_both[label] - f1_share[label] - f1_share[answer],
        }
    for name in NAMES:  # here the weights move too
        value = (each[name] * support[0]).sum() / cells.n
        found[f"weighted_{name}"] += (each[name][label] - value) / cells.n
    return found


def _f1_estimate(cells: _Cells, replicates: Floats, at: int, level: float) -> Estimate:
    mine = (cells.labels == at) | (cells.answers == at)
    n = int(cells.counts[mine].sum())
    if n == 0:
        return Estimate(None)
    hits = int(cells.counts[mine & cells.right].sum())
    value = 2 * hits / (n + hits)
    influence = np.repeat([2 - 2 * value, -value], [hits, n - hits]) / (n + hits)
    interval = bootstrap_interval(replicates, value, n=n, influence=influence, level=level)
    return estimate(value, interval, BOOTSTRAP, n=n, level=level)


def _proportions(hits: Ints, of: Ints, level: float) -> tuple[Estimate, ...]:
    pairs = zip(hits.tolist(), of.tolist(), strict=True)
    return tuple(Estimate(hit / n, wilson(hit, n, level=level), WILSON) if n else Estimate(None) for hit, n in pairs)


def _divided(above: Ints, below: Ints, where_none: float) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full(below.shape, float(where_none)), where=below > 0))
