"""Any number of labels a sample: precision, recall and F1 at a threshold, exact match, Hamming, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import Bools, Floats, check_scores, check_zero_one
from cnnkit.metrics.bootstrap import RESAMPLES, bootstrap_interval, bootstrap_mean, resampled_sums
from cnnkit.metrics.estimates import BOOTSTRAP, WILSON, Estimate, estimate
from cnnkit.metrics.intervals import wilson

THRESHOLD = 0.5
NAMES = ("precision", "recall", "f1")

Sums = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MultilabelEstimates:
    """At one threshold, of each class precision, recall and F1 (value None where undefined), and over all classes.

    `averages` has `macro_precision` ... `micro_f1`: macro means over the classes that have at least one image, an
    undefined precision counting as 0; micro pools all decisions. `exact_match_accuracy` is the share of samples whose
    whole set of labels is right, `hamming_error` the share of wrong decisions.
    """

    threshold: float
    support: tuple[int, ...]
    predicted: tuple[int, ...]
    precision: tuple[Estimate, ...]
    recall: tuple[Estimate, ...]
    f1: tuple[Estimate, ...]
    averages: dict[str, Estimate]
    exact_match_accuracy: Estimate
    hamming_error: Estimate
    n_classes_scored: int


def predicted_labels(scores: ArrayLike, *, threshold: float = THRESHOLD) -> Bools:
    """Which labels each sample gets: those whose score is at least `threshold`.

    Args:
        scores: (n, classes), any real dtype.
        threshold: the lowest score that counts; one for all classes.

    Returns:
        (n, classes) bools.

    Raises:
        ValueError: empty input, a score that is NaN or infinite.

    >>> predicted_labels([[0.5, 0.4]]).tolist()
    [[True, False]]
    """
    return np.asarray(check_scores(scores) >= threshold)


def multilabel_estimates(
    scores: ArrayLike,
    truth: ArrayLike,
    *,
    threshold: float = THRESHOLD,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> MultilabelEstimates:
    """All figures at one threshold, with intervals.

    Precision and recall of a class and the exact match are proportions of samples and get Wilson's interval. All
    others get `bootstrap_interval`: decisions on one image are no independent trials, so images are drawn, not
    decisions.

    Args:
        scores: (n, classes), any real dtype.
        truth: (n, classes) bools, or 0 and 1.
        threshold: a label is given where the score is at least this.
        resamples: how often the images are drawn anew.
        seed: of the draws.
        level: the share of such intervals that hold the truth.

    Returns:
        The estimates; undefined ones have the value None.

    Raises:
        ValueError: empty input, disagreeing shapes, a truth other than 0 and 1, a score that is NaN or infinite.

    Reference: Tsoumakas and Katakis 2007, Multi-label classification: an overview, IJDWM 3.

    >>> found = multilabel_estimates([[0.9, 0.2], [0.4, 0.8], [0.7, 0.6]], [[1, 0], [1, 1], [1, 1]])
    >>> found.recall[0].value, found.hamming_error.value
    (0.6666666666666666, 0.16666666666666666)
    """
    checked = check_scores(scores)
    true = check_zero_one(truth, shape=checked.shape)
    given = checked >= threshold
    parts = _Parts(true, given)
    drawn = resampled_sums(parts.columns, resamples=resamples, seed=seed)
    sums = parts.columns.sum(axis=0, keepdims=True)
    hits, predicted, support = (each[0].astype(int) for each in parts.split(sums))
    exact, wrong = (true == given).all(axis=1), (true != given).mean(axis=1)
    return MultilabelEstimates(
        threshold=float(threshold),
        support=tuple(support.tolist()),
        predicted=tuple(predicted.tolist()),
        precision=_proportions(hits, predicted, level),
        recall=_proportions(hits, support, level),
        f1=parts.class_f1(drawn, level),
        averages=parts.averages(drawn, level),
        exact_match_accuracy=_proportions([int(exact.sum())], [len(exact)], level)[0],
        hamming_error=_mean(wrong, resamples, seed, level),
        n_classes_scored=int((support > 0).sum()),
    )


class _Parts:
    """For each sample and class whether it is a hit, an answer, a label: sums of these are all that figures need."""

    def __init__(self, true: Bools, given: Bools) -> None:
        self.n, self.n_classes = true.shape
        self.columns = np.concatenate([true & given, given, true], axis=1).astype(np.float64)

    def split(self, sums: Sums) -> tuple[Sums, Sums, Sums]:
        hits, predicted, support = np.split(sums, 3, axis=1)
        return hits, predicted, support

    @property
    def sums(self) -> tuple[Sums, Sums, Sums]:
        return self.split(self.columns.sum(axis=0, keepdims=True))

    def class_f1(self, drawn: Sums, level: float) -> tuple[Estimate, ...]:
        hits, predicted, support = self.split(drawn)
        replicates = _divided(2 * hits, predicted + support, np.nan)
        above, below = 2 * self.sums[0][0], (self.sums[1] + self.sums[2])[0]
        found = []
        for at in range(self.n_classes):
            if below[at] == 0:
                found.append(Estimate(None))
                continue
            value = float(above[at] / below[at])
            hit, answer, label = (self.columns[:, at + part * self.n_classes] for part in range(3))
            influence = (2 * hit - value * (answer + label)) / below[at]
            n = int(below[at] - above[at] / 2)
            interval = bootstrap_interval(replicates[:, at], value, n=n, influence=influence, level=level)
            found.append(estimate(value, interval, BOOTSTRAP, n=n, level=level))
        return tuple(found)

    def averages(self, drawn: Sums, level: float) -> dict[str, Estimate]:
        """Macro and micro; without a label or an answer anywhere, undefined."""
        values, replicates = _average_values(*self.sums), _average_values(*self.split(drawn))
        found = {}
        for name, value in values.items():
            if np.isnan(value[0]):
                found[name] = Estimate(None)
                continue
            groups = int((self.sums[2] > 0).sum()) if name.startswith("macro") else 1
            n = int(self.sums[2].sum()) if groups > 1 else self.n
            interval = bootstrap_interval(replicates[name], float(value[0]), n=n, groups=groups, level=level)
            found[name] = estimate(float(value[0]), interval, BOOTSTRAP, n=self.n, level=level)
        return found


def _average_values(hits: Sums, predicted: Sums, support: Sums) -> dict[str, Sums]:
    """(resamples,) each, from sums (resamples, classes); NaN where undefined."""
    parts = {"precision": (hits, predicted), "recall": (hits, support), "f1": (2 * hits, predicted + support)}
    present = support > 0
    found = {}
    for name in NAMES:
        above, below = parts[name]
        each = np.where(present, _divided(above, below, 0), 0).sum(axis=1)
        found[f"macro_{name}"] = _divided(each, present.sum(axis=1).astype(np.float64), np.nan)
        found[f"micro_{name}"] = _divided(above.sum(axis=1), below.sum(axis=1), np.nan)
    return found


def _mean(values: Floats, resamples: int, seed: int, level: float) -> Estimate:
    value = float(values.mean())
    interval = bootstrap_mean(values, resamples=resamples, seed=seed, level=level)
    return estimate(value, interval, BOOTSTRAP, n=len(values), level=level)


def _proportions(hits: Sequence[int] | Sums, of: Sequence[int] | Sums, level: float) -> tuple[Estimate, ...]:
    pairs = ((int(hit), int(n)) for hit, n in zip(hits, of, strict=True))
    return tuple(Estimate(hit / n, wilson(hit, n, level=level), WILSON) if n else Estimate(None) for hit, n in pairs)


def _divided(above: Sums, below: Sums, where_none: float) -> Sums:
    return np.asarray(np.divide(above, below, out=np.full(below.shape, float(where_none)), where=below > 0))


def macro_f1_by_threshold(scores: ArrayLike, truth: ArrayLike, *, thresholds: ArrayLike) -> tuple[float, ...]:
    """The macro F1 of `multilabel_estimates` at each threshold. Higher is better.

    Args:
        scores: (n, classes), any real dtype.
        truth: (n, classes) bools, or 0 and 1; at least one label somewhere.
        thresholds: (m,) of which each is one for all classes.

    Returns:
        m floats in [0, 1]; a class without images stays out, one that gets no answer counts as 0.

    Raises:
        ValueError: as `multilabel_estimates`, or no label at all.

    >>> macro_f1_by_threshold([[0.9], [0.4], [0.6]], [[1], [1], [0]], thresholds=[0.3, 0.5])
    (0.8, 0.5)
    """
    checked = check_scores(scores)
    true = check_zero_one(truth, shape=checked.shape)
    present = np.flatnonzero(true.any(axis=0))
    if not len(present):
        raise ValueError("no sample has a label")
    wanted = np.asarray(thresholds, dtype=np.float64)
    total = np.zeros(len(wanted))
    for at in present:
        order = np.argsort(checked[:, at])
        below = np.searchsorted(checked[order, at], wanted, side="left")
        hits = np.append(np.cumsum(true[order[::-1], at])[::-1], 0)[below]
        total += 2 * hits / (true[:, at].sum() + len(order) - below)
    return tuple((total / len(present)).tolist())
