"""Equal scores: what a rank would be if they all fell well, or all badly."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnnkit.metrics._checks import Ints, check_scores_and_labels


class RankBounds(NamedTuple):
    """(n,) int64 each: the label's place if it came first among its equals, and if it came last."""

    best: Ints
    worst: Ints


def label_rank_bounds(scores: ArrayLike, labels: ArrayLike) -> RankBounds:
    """The lowest and the highest place that the true class may take among the scores of its sample, ties broken anyhow.

    `label_ranks` lies between. Where both are the same, no tie touches the label.

    Args:
        scores: (n, classes), any real dtype; higher means more likely.
        labels: (n,) ints in [0, classes).

    Returns:
        Both places, from 1.

    Raises:
        ValueError: empty input, disagreeing lengths, a label out of range, a score that is NaN or infinite.

    >>> best, worst = label_rank_bounds([[0.2, 0.4, 0.4], [0.5, 0.3, 0.2]], [1, 0])
    >>> best.tolist(), worst.tolist()
    ([1, 1], [2, 1])
    """
    scores, labels = check_scores_and_labels(scores, labels)
    true = scores[np.arange(len(labels)), labels, None]
    above = np.asarray((scores > true).sum(axis=1), dtype=np.int64)
    equal = np.asarray((scores == true).sum(axis=1), dtype=np.int64)
    return RankBounds(above + 1, above + equal)
