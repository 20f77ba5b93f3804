"""One class's samples, sorted: average precision and ROC AUC under weights, and how each sample moves them.

Samples with equal scores form a group; sums run over groups from the highest score down.
"""

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics._checks import Bools, Floats

Weights = NDArray[np.float32]


class Ranked:
    """n samples by falling score, of which `n_positives` are positive.

    `scores` is (n,) real and finite, `positives` (n,) bools; neither is checked here. The average precision needs a
    positive, the ROC AUC a negative too.

    >>> ranked = Ranked(np.array([0.9, 0.6, 0.3]), np.array([True, False, True]))
    >>> round(ranked.average_precision, 4), ranked.roc_auc
    (0.8333, 0.5)
    """

    def __init__(self, scores: Floats, positives: Bools) -> None:
        self.n = len(scores)
        self.order = np.argsort(-scores)
        ordered = scores[self.order]
        last = np.append(ordered[1:] != ordered[:-1], True)
        self.ends = np.flatnonzero(last) + 1  # one past the last sample of each group
        self.sizes = np.diff(self.ends, prepend=0)
        self.is_positive = positives[self.order]
        until = np.cumsum(self.is_positive)[self.ends - 1]
        self.positives = np.diff(until, prepend=0)  # in each group
        self.n_positives = int(until[-1])

    @property
    def average_precision(self) -> float:
        return float((self.positives * self._precision).sum() / self.n_positives)

    @property
    def roc_auc(self) -> float:
        return float((self.positives * self._below).sum() / self.n_positives)

    def average_precision_influence(self) -> NDArray[np.float64]:
        hits = np.cumsum(self.positives)
        gain = _from_the_end(self.positives / self.ends)
        loss = _from_the_end(self.positives * hits / self.ends**2.0)
        of_positives = self._precision - self.average_precision + gain - loss
        return self._spread(of_positives / self.n_positives, -loss / self.n_positives)

    def roc_auc_influence(self) -> NDArray[np.float64]:
        above = (np.cumsum(self.positives) - self.positives / 2) / self.n_positives
        of_positives = (self._below - self.roc_auc) / self.n_positives
        return self._spread(of_positives, (above - self.roc_auc) / (self.n - self.n_positives))

    def resampled(self, weights: Weights) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average precision and ROC AUC under each column of `weights` (n, resamples); NaN where undefined."""
        ends = self.ends[self.positives > 0]
        starts = ends - self.sizes[self.positives > 0]
        drawn = weights[self.order]
        gained = _sums(drawn[self.is_positive], np.cumsum(self.positives[self.positives > 0]))
        cuts = np.union1d(starts, ends)
        until = np.concatenate([np.zeros((1, weights.shape[1])), np.cumsum(_sums(drawn, cuts[cuts > 0]), axis=0)])
        at = np.concatenate([[0], cuts[cuts > 0]])
        taken, before = until[np.searchsorted(at, ends)], until[np.searchsorted(at, starts)]
        hits = np.cumsum(gained, axis=0)
        n_positives = hits[-1]
        n_negatives = self.n - n_positives
        negatives_below = n_negatives - ((taken - hits) + (before - (hits - gained))) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(taken > 0, hits / taken, 0)
            ap = (gained * precision).sum(axis=0) / n_positives
            auc = (gained * negatives_below).sum(axis=0) / (n_positives * n_negatives)
        return ap, auc

    @property
    def _precision(self) -> NDArray[np.float64]:
        return np.cumsum(self.positives) / self.ends

    @property
    def _below(self) -> NDArray[np.float64]:
        """The share of negatives below each group, half of those in it counted."""
        negatives = self.sizes - self.positives
        return 1 - (np.cumsum(negatives) - negatives / 2) / (self.n - self.n_positives)

    def _spread(self, of_positives: NDArray[np.float64], of_negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """One value a sample, in the samples' own order, from the two of its group."""
        spread = np.where(self.is_positive, np.repeat(of_positives, self.sizes), np.repeat(of_negatives, self.sizes))
        placed = np.empty(self.n)
        placed[self.order] = spread
        return placed


def _from_the_end(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values[::-1].cumsum()[::-1])


def _sums(rows: Weights, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of the rows from each end to the next, the first from 0; exact, since weights are small whole numbers."""
    starts = np.concatenate([[0], ends[:-1]])
    return np.add.reduceat(rows[: ends[-1]], starts, axis=0).astype(np.float64)
