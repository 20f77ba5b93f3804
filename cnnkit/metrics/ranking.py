"""From scores to curves: precision-recall, ROC, and the areas that sum them up. scikit-learn computes them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import Bools, Floats, check_binary, check_scores_and_labels


@dataclass(frozen=True, slots=True)
class PrCurve:
    """Precision and recall at each distinct score, from the highest threshold down; float64, all of one length."""

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    threshold: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RocCurve:
    """The rates at each distinct score, from (0, 0) at the threshold infinity down; float64, all of one length."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    threshold: NDArray[np.float64]


def pr_curve(scores: ArrayLike, positives: ArrayLike) -> PrCurve | None:
    """Precision and recall of "score >= threshold" at every distinct score.

    Equal scores share a point. The point (recall 0, precision 1), which no threshold gives, is not there.

    Args:
        scores: (n,), any real dtype; higher means more likely.
        positives: (n,) bools, or 0 and 1.

    Returns:
        The curve from the highest threshold down, or None where there is no positive.

    Raises:
        ValueError: empty input, disagreeing lengths, a value other than 0 and 1, a score that is NaN or infinite.

    Reference: Davis and Goadrich 2006, The relationship between precision-recall and ROC curves, ICML.

    >>> curve = pr_curve([0.9, 0.6, 0.3], [1, 0, 1])
    >>> curve.recall.tolist(), curve.precision.round(3).tolist(), curve.threshold.tolist()
    ([0.5, 0.5, 1.0], [1.0, 0.5, 0.667], [0.9, 0.6, 0.3])
    """
    from sklearn.metrics import precision_recall_curve

    checked, truth = check_binary(scores, positives)
    if not truth.any():
        return None
    precision, recall, threshold = precision_recall_curve(truth, checked)
    return PrCurve(recall[-2::-1], precision[-2::-1], threshold[::-1].astype(np.float64))


def roc_curve(scores: ArrayLike, positives: ArrayLike) -> RocCurve | None:
    """True against false positive rate of "score >= threshold" at every distinct score.

    Arguments and errors as in `pr_curve`.

    Returns:
        The curve from (0, 0) to (1, 1), or None where there is no positive or no negative.

    Reference: Fawcett 2006, An introduction to ROC analysis, Pattern Recognition Letters 27.

    >>> curve = roc_curve([0.9, 0.6, 0.3], [1, 0, 1])
    >>> curve.false_positive_rate.tolist(), curve.true_positive_rate.tolist()
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    from sklearn.metrics import roc_curve as computed

    checked, truth = check_binary(scores, positives)
    if truth.all() or not truth.any():
        return None
    false_rate, true_rate, threshold = computed(truth, checked, drop_intermediate=False)
    return RocCurve(false_rate, true_rate, threshold.astype(np.float64))


def average_precision(scores: ArrayLike, positives: ArrayLike) -> float | None:
    """Sum over thresholds of precision times the gain in recall, not interpolated. Higher is better.

    Equal scores share a threshold, so the order of the rows does not matter.

    Arguments and errors as in `pr_curve`.

    Returns:
        A float in (0, 1], or None where there is no positive.

    Reference: scikit-learn's average_precision_score; Su, Yuan and Zhu 2015, A relationship between the average
    precision and the area under the ROC curve, ICTIR.

    >>> round(average_precision([0.9, 0.6, 0.3], [1, 0, 1]), 4)
    0.8333
    >>> average_precision([0.9, 0.6], [0, 0]) is None
    True
    """
    return _average_precision(*check_binary(scores, positives))


def roc_auc(scores: ArrayLike, positives: ArrayLike) -> float | None:
    """The chance that a positive scores above a negative, equal scores counting one half. Higher is better.

    Arguments and errors as in `pr_curve`.

    Returns:
        A float in [0, 1], or None where there is no positive or no negative.

    Reference: Hanley and McNeil 1982, Radiology 143.

    >>> roc_auc([0.9, 0.6, 0.3], [1, 0, 1])
    0.5
    """
    return _roc_auc(*check_binary(scores, positives))


def average_precisions(scores: ArrayLike, labels: ArrayLike) -> tuple[float | None, ...]:
    """`average_precision` of each class against all others. Higher is better.

    Args:
        scores: (n, classes), any real dtype. Samples are ranked by this column as it is: softmax mixes the columns,
            so probabilities and logits rank differently.
        labels: (n,) ints in [0, classes).

    Returns:
        One figure for each class; None for a class without samples.

    Raises:
        ValueError: empty input, disagreeing lengths, a label out of range, a score that is NaN or infinite.

    >>> average_precisions([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0]], [0, 1])
    (1.0, 1.0, None)
    """
    checked, labels = check_scores_and_labels(scores, labels)
    return tuple(_average_precision(checked[:, at], labels == at) for at in range(checked.shape[1]))


def roc_aucs(scores: ArrayLike, labels: ArrayLike) -> tuple[float | None, ...]:
    """`roc_auc` of each class against all others. Higher is better.

    Arguments and errors as in `average_precisions`.

    Returns:
        One figure for each class; None for a class that has no sample or every sample.

    >>> roc_aucs([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0]], [0, 1])
    (1.0, 1.0, None)
    """
    checked, labels = check_scores_and_labels(scores, labels)
    return tuple(_roc_auc(checked[:, at], labels == at) for at in range(checked.shape[1]))


def mean_average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    """Mean of `average_precisions` over the classes that have at least one sample. Higher is better.

    Arguments and errors as in `average_precisions`.

    >>> mean_average_precision([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0]], [0, 1])
    1.0
    """
    return float(np.mean([each for each in average_precisions(scores, labels) if each is not None]))


def macro_roc_auc(scores: ArrayLike, labels: ArrayLike) -> float | None:
    """Mean of `roc_aucs` over the classes where it is defined; None when there is none. Higher is better.

    Arguments and errors as in `average_precisions`.

    >>> macro_roc_auc([[0.9, 0.1], [0.6, 0.4]], [0, 1])
    1.0
    """
    defined = [each for each in roc_aucs(scores, labels) if each is not None]
    return float(np.mean(defined)) if defined else None


def _average_precision(scores: Floats, truth: Bools) -> float | None:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, scores)) if truth.any() else None


def _roc_auc(scores: Floats, truth: Bools) -> float | None:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores)) if truth.any() and not truth.all() else None
