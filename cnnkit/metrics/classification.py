"""One answer for each image: accuracy, top-k, confusion, precision, recall and F1, cross-entropy."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import (
    Ints,
    check_k,
    check_labels,
    check_probabilities,
    check_scores,
    check_scores_and_labels,
)

P_FLOOR = 2.0**-126  # the smallest normal float32: no probability that infer writes is smaller and not 0


def predicted_classes(scores: ArrayLike) -> Ints:
    """The class with the highest score of each sample; of equal scores the lowest index.

    Args:
        scores: (n, classes), any real dtype.

    Returns:
        (n,) int64.

    Raises:
        ValueError: empty input, a score that is NaN or infinite.

    >>> predicted_classes([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]]).tolist()
    [1, 0]
    """
    return np.asarray(np.argmax(check_scores(scores), axis=1), dtype=np.int64)


def label_ranks(scores: ArrayLike, labels: ArrayLike) -> Ints:
    """The place of the true class among the scores of its sample: 1 is first. Lower is better.

    Of equal scores the lowest class index comes first, as in argmax.

    Args:
        scores: (n, classes), any real dtype; higher means more likely.
        labels: (n,) ints in [0, classes).

    Returns:
        (n,) int64 in [1, classes].

    Raises:
        ValueError: empty input, disagreeing lengths, a label out of range, a score that is NaN or infinite.

    >>> label_ranks([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]], [2, 1]).tolist()
    [2, 2]
    """
    scores, labels = check_scores_and_labels(scores, labels)
    true = scores[np.arange(len(labels)), labels, None]
    earlier = np.arange(scores.shape[1]) < labels[:, None]
    ahead = (scores > true).sum(axis=1) + ((scores == true) & earlier).sum(axis=1)
    return np.asarray(ahead + 1, dtype=np.int64)


def top_k_error(scores: ArrayLike, labels: ArrayLike, *, k: int = 5) -> float:
    """Share of samples whose true class is not among the k highest scores. Lower is better.

    Of equal scores the lowest class index comes first, as in argmax.

    Args:
        scores: (n, classes), any real dtype; higher means more likely.
        labels: (n,) ints in [0, classes).
        k: how many guesses are allowed, 1 <= k <= classes.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: empty input, disagreeing lengths, a label or a k out of range, a score that is NaN or infinite.

    Reference: Russakovsky et al. 2015, arXiv:1409.0575 (the challenge that made top-5 error a standard).

    >>> top_k_error([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]], [2, 1], k=1)
    1.0
    """
    scores = check_scores(scores)
    check_k(k, scores.shape[1])
    return float((label_ranks(scores, labels) > k).mean())


def top_k_accuracy(scores: ArrayLike, labels: ArrayLike, *, k: int = 1) -> float:
    """Share of samples whose true class is among the k highest scores. Higher is better.

    Arguments, ties and errors as in `top_k_error`, of which it is the complement.

    >>> top_k_accuracy([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]], [2, 1], k=2)
    1.0
    """
    scores = check_scores(scores)
    check_k(k, scores.shape[1])
    return float((label_ranks(scores, labels) <= k).mean())


def confusion_matrix(predicted: ArrayLike, labels: ArrayLike, *, n_classes: int) -> Ints:
    """How often each class was taken for each: a row for each label, a column for each answer.

    Args:
        predicted: (n,) ints in [0, n_classes).
        labels: (n,) ints in [0, n_classes).
        n_classes: how many classes there are, those without samples included.

    Returns:
        (n_classes, n_classes) int64 that adds up to n.

    Raises:
        ValueError: empty input, disagreeing lengths, an index out of range.

    >>> confusion_matrix([0, 1, 1], [0, 1, 0], n_classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    from sklearn.metrics import confusion_matrix as counted

    predicted = check_labels(predicted, n_classes=n_classes, what="answer")
    labels = check_labels(labels, n_classes=n_classes, n=len(predicted))
    return np.asarray(counted(labels, predicted, labels=np.arange(n_classes)), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ClassReport:
    """Each class by itself, and the averages over the classes that have at least one sample.

    `precision` is None for a class that was never predicted, `recall` for one without samples, `f1` for one with
    neither; in the averages an undefined precision counts as 0. `macro` weighs the classes alike, `weighted` by their
    samples, `micro` pools all answers (one label and one answer for each sample: it is the accuracy three times).
    """

    support: tuple[int, ...]
    predicted: tuple[int, ...]
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    f1: tuple[float | None, ...]
    macro: "Average"
    micro: "Average"
    weighted: "Average"
    n_classes_scored: int


class Average(NamedTuple):
    precision: float
    recall: float
    f1: float


def classification_report(confusion: ArrayLike) -> ClassReport:
    """Precision, recall and F1 of each class, and their averages. Higher is better.

    Args:
        confusion: (classes, classes) counts, a row for each label, a column for each answer.

    Returns:
        A ClassReport; undefined figures are None, never 0 or NaN.

    Raises:
        ValueError: not square, a negative count, no count at all.

    Reference: van Rijsbergen 1979, Information Retrieval, chapter 7.

    >>> report = classification_report([[1, 1, 0], [0, 2, 0], [0, 0, 0]])
    >>> report.precision, report.recall, report.n_classes_scored
    ((1.0, 0.6666666666666666, None), (0.5, 1.0, None), 2)
    """
    counts = check_confusion(confusion)
    hits, support, predicted = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    parts = (hits, predicted), (hits, support), (2 * hits, support + predicted)
    present = support > 0
    each = np.stack([_divided(*part) for part in parts])[:, present]
    total = float(hits.sum() / support.sum())
    return ClassReport(
        support=tuple(support.tolist()),
        predicted=tuple(predicted.tolist()),
        precision=_or_none(*parts[0]),
        recall=_or_none(*parts[1]),
        f1=_or_none(*parts[2]),
        macro=Average(*each.mean(axis=1).tolist()),
        micro=Average(total, total, total),
        weighted=Average(*(each @ support[present] / support.sum()).tolist()),
        n_classes_scored=int(present.sum()),
    )


class CrossEntropy(NamedTuple):
    """The mean, and how many probabilities were raised to 2^-126 before their logarithm was taken."""

    value: float
    n_clipped: int


def cross_entropy(probabilities: ArrayLike, labels: ArrayLike) -> CrossEntropy:
    """Mean of -log p of the true class, in nats; also called negative log likelihood. Lower is better.

    A probability below 2^-126 counts as 2^-126 (87.3 nats), so that one certain mistake leaves the mean finite.

    Args:
        probabilities: (n, classes) in [0, 1]; rows need not add up to 1.
        labels: (n,) ints in [0, classes).

    Returns:
        The mean and how many were clipped.

    Raises:
        ValueError: empty input, disagreeing lengths, a label out of range, a probability outside [0, 1] or NaN.

    >>> round(cross_entropy([[0.5, 0.5], [1.0, 0.0]], [0, 0]).value, 6)
    0.346574
    """
    checked = check_probabilities(probabilities)
    labels = check_labels(labels, n_classes=checked.shape[1], n=len(checked))
    losses, n_clipped = _losses(checked[np.arange(len(labels)), labels])
    return CrossEntropy(float(losses.mean()), n_clipped)


def log_losses(p: ArrayLike) -> NDArray[np.float64]:
    """-log p of each true class, in nats, with p clipped as in `cross_entropy`. Lower is better.

    Args:
        p: (n,) probabilities of the true classes, in [0, 1].

    Returns:
        (n,) float64, not negative.

    Raises:
        ValueError: empty input, a probability outside [0, 1] or NaN.

    >>> log_losses([1.0, 0.5]).round(4).tolist()
    [0.0, 0.6931]
    """
    array = np.asarray(p)
    if array.ndim != 1:
        raise ValueError(f"p must be (n,), got shape {array.shape}")
    return _losses(check_probabilities(array[:, None])[:, 0])[0]


def _losses(p: NDArray[np.floating]) -> tuple[NDArray[np.float64], int]:
    clipped = np.maximum(p.astype(np.float64), P_FLOOR)
    return np.abs(np.log(clipped)), int((p < P_FLOOR).sum())


def check_confusion(confusion: ArrayLike) -> Ints:
    counts = np.asarray(confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"a confusion matrix is (classes, classes), got shape {counts.shape}")
    if counts.size and counts.min() < 0:
        raise ValueError(f"a confusion matrix holds counts, got {counts.min()}")
    if not counts.sum():
        raise ValueError("the confusion matrix holds no sample")
    return counts.astype(np.int64, copy=False)


def _divided(above: Ints, below: Ints) -> NDArray[np.float64]:
    """The quotient, 0 where `below` is 0."""
    return np.divide(above, below, out=np.zeros(len(below)), where=below > 0)


def _or_none(above: Ints, below: Ints) -> tuple[float | None, ...]:
    pairs = zip(above.tolist(), below.tolist(), strict=True)
    return tuple(over / under if under else None for over, under in pairs)
