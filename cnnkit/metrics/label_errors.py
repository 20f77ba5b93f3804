"""Labels that a model's own confidence speaks against."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import Ints, check_scores_and_labels


class LabelDoubts(NamedTuple):
    """Samples whose label is doubted, the worst first, (m,) each, and the bar that each class sets, (classes,).

    `suggested` is the class that the model is confident of instead; `thresholds` is NaN where a class has too few
    samples.
    """

    positions: Ints
    suggested: Ints
    thresholds: NDArray[np.float64]


def label_doubts(probabilities: ArrayLike, labels: ArrayLike, *, at_least: int = 1) -> LabelDoubts:
    """Confident disagreement, by the rule of confident learning.

    The bar of a class is the mean probability that it gets on the samples that carry its label, so a class of which
    the model is seldom sure has a low one. A sample counts as confident of the classes whose bar it reaches, and of
    these of the most probable one; where that is not its label, the label is doubted. The worst comes first: the
    smallest probability of the label minus that of the suggested class. Of equal probabilities the lowest index wins.

    Args:
        probabilities: (n, classes), from a model that was not trained on these samples.
        labels: (n,) ints in [0, classes).
        at_least: a class with fewer samples sets no bar, and is suggested nowhere.

    Returns:
        The doubted ones; empty arrays where there are none.

    Raises:
        ValueError: as `label_ranks`.

    Reference: Northcutt, Jiang and Chuang 2021, Journal of Artificial Intelligence Research 70, 1373-1411, equations 1
    and 2.

    >>> label_doubts([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.05]], [0, 0, 1, 1]).positions.tolist()
    [3]
    """
    scores, labels = check_scores_and_labels(probabilities, labels)
    n, n_classes = scores.shape
    best, suggested = np.full(n, -np.inf), labels.copy()
    thresholds = np.full(n_classes, np.nan)
    for at in range(n_classes):
        column, mine = scores[:, at], labels == at
        if mine.sum() < max(at_least, 1):
            continue
        thresholds[at] = column[mine].mean(dtype=np.float64)
        higher = (column >= thresholds[at]) & (column > best)
        best[higher], suggested[higher] = column[higher], at
    doubted = np.flatnonzero(suggested != labels)
    margin = scores[doubted, labels[doubted]].astype(np.float64) - best[doubted]
    order = doubted[np.argsort(margin, kind="stable")]
    return LabelDoubts(order, suggested[order], thresholds)
