"""The largest confusions, and the classes that take part in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID_CLASSES = 24
PAIRS = 200


@dataclass(frozen=True)
class Pair:
    """`count` images of class `true` were taken for `predicted`; `back` the other way round."""

    true: int
    predicted: int
    count: int
    share: float
    back: int


def largest_pairs(matrix: NDArray[np.int64], *, n_classes: int | None = None, limit: int = PAIRS) -> list[Pair]:
    """Off-diagonal cells of (C, C), largest count first; of equal counts the larger share of the class first.

    Only those between the first `n_classes`: what a detector has beyond is no class but the background.
    """
    totals = matrix.sum(axis=1)
    true, predicted = np.nonzero(matrix)
    inside = len(matrix) if n_classes is None else n_classes
    off = (true != predicted) & (true < inside) & (predicted < inside)
    true, predicted = true[off], predicted[off]
    counts = matrix[true, predicted]
    order = np.lexsort((predicted, true, -counts / totals[true], -counts))[:limit]
    return [
        Pair(
            true=int(true[at]),
            predicted=int(predicted[at]),
            count=int(counts[at]),
            share=float(counts[at] / totals[true[at]]),
            back=int(matrix[predicted[at], true[at]]),
        )
        for at in order
    ]


def classes_to_draw(matrix: NDArray[np.int64], pairs: list[Pair], *, limit: int = GRID_CLASSES) -> list[int]:
    """All classes in their order when they are few, else those of the largest confusions, partners side by side."""
    if len(matrix) <= limit:
        return list(range(len(matrix)))
    chosen: list[int] = []
    for pair in pairs:
        new = [each for each in (pair.true, pair.predicted) if each not in chosen]
        if len(chosen) + len(new) > limit:
            break
        # a class whose partner is there already goes beside it
        beside = next((chosen.index(each) + 1 for each in (pair.true, pair.predicted) if each in chosen), len(chosen))
        chosen[beside:beside] = new
    return chosen or list(range(limit))
