"""mAP and ROC AUC of one model under weights, from its whole score vectors."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnkit.comparison._resampled import (
    Bools,
    Floats,
    Measured,
    Weights,
    mean_of_classes,
    mean_of_known,
    too_few_to_draw,
)
from cnnkit.metrics import BOOTSTRAP_UP_TO, Ranked


def rankings_of(scores: NDArray[np.float32], positives: Bools, *, resamples: int) -> list[Measured]:
    """`map` and `roc_auc`: means over the classes where each is defined, on each resample over those defined there.

    Args:
        scores: (n, classes); each class contiguous is faster.
        positives: (n, classes), which images show which class.
        resamples: how many there will be: beyond 2e9 resamples x images x classes nothing is resampled.

    Returns:
        The figures that are defined.
    """
    present = np.flatnonzero(positives.any(axis=0)).tolist()
    if not present:
        return []
    ranked = [Ranked(np.ascontiguousarray(scores[:, at]), positives[:, at]) for at in present]
    both_ways = [each for each in ranked if each.n_positives < each.n]
    if too_few_to_draw(int(positives.sum()), len(present)):
        return _means_of_classes(ranked, positives[:, present])
    resampled = _Once(ranked) if resamples * len(scores) * len(ranked) <= BOOTSTRAP_UP_TO else None
    found = [
        _mean(
            "map",
            [each.average_precision for each in ranked],
            [each.average_precision_influence() for each in ranked],
            resampled.map if resampled else None,
        )
    ]
    if both_ways:
        values = [each.roc_auc for each in both_ways]
        influences = [each.roc_auc_influence() for each in both_ways]
        found.append(_mean("roc_auc", values, influences, resampled.roc_auc if resampled else None))
    return found


def _means_of_classes(ranked: Sequence[Ranked], positives: Bools) -> list[Measured]:
    found = [mean_of_classes("map", np.array([each.average_precision for each in ranked]), positives)]
    split = [at for at, each in enumerate(ranked) if each.n_positives < each.n]
    if split:
        values = np.array([ranked[at].roc_auc for at in split])
        found.append(mean_of_classes("roc_auc", values, positives[:, split]))
    return found


def _mean(
    name: str, values: Sequence[float], influences: Sequence[Floats], under: Callable[[Weights], Floats] | None
) -> Measured:
    return Measured(name, float(np.mean(values)), np.sum(influences, axis=0) / len(values), under, groups=len(values))


class _Once:
    """Both figures come from one pass over the classes: a block of weights is gone through once."""

    def __init__(self, ranked: Sequence[Ranked]) -> None:
        self.ranked = ranked
        self.last: tuple[Weights, Floats] | None = None

    def map(self, weights: Weights) -> Floats:
        return mean_of_known(self._both(weights)[0])

    def roc_auc(self, weights: Weights) -> Floats:
        return mean_of_known(self._both(weights)[1])

    def _both(self, weights: Weights) -> Floats:
        if self.last is None or self.last[0] is not weights:
            found = [each.resampled(weights) for each in self.ranked]
            self.last = weights, np.array(found).swapaxes(0, 1)
        return self.last[1]
