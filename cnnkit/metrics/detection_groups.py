"""The average precision of a detector on groups of images: each with its interval, and what random groups have."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics.bootstrap import BLOCK_BYTES, RESAMPLES, bootstrap_interval, resample_weights
from cnnkit.metrics.detection_weighted import WeightedAp
from cnnkit.metrics.estimates import BOOTSTRAP, Estimate, estimate

__all__ = ["BoxGroups"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass
class BoxGroups:
    """Groups of the images that `ap` is about.

    The fewer images, the higher is AP on average (precision is taken from the best place beyond), and the more does
    it hang on which classes are there. So two groups of unequal size differ even where the detector is as good on
    both: `by_chance` says how much.

    Args:
        ap: of all images.
        resamples: how often images are drawn anew, and how many random groups are made.
        seed: of the draws; groups of one size share their random groups.
    """

    ap: WeightedAp
    resamples: int = RESAMPLES
    seed: int = 0
    _known: dict[int, Floats] = field(default_factory=dict, repr=False)

    def estimate(self, group: Bools, *, level: float = 0.95) -> Estimate:
        """AP of the group, (n,) bools, and its interval: `bootstrap_interval` from drawing its images anew.

        A class that a draw has no object of is left out of its mean. Value None where the group has no object.

        >>> from cnnkit.metrics.detection_estimates import BoxRanking
        >>> at, flags = np.arange(4), np.array([[True], [False], [True], [True]])
        >>> ap = WeightedAp([BoxRanking(at, at, flags, np.ones_like(flags), np.ones(4, np.int64))])
        >>> BoxGroups(ap).estimate(np.array([True, False, True, False]))
        Estimate(value=1.0, interval=Interval(low=0.3423802275066532, high=1.0), method='wilson')
        """
        own = self.ap.among(group)
        value = own.value
        if value is None:
            return Estimate(None)
        drawn = resample_weights(own.n_images, resamples=self.resamples, seed=self.seed)
        replicates = np.concatenate([own.under(weights) for weights in drawn])
        interval = bootstrap_interval(_cleared(replicates, value), value, n=own.n_images, level=level)
        return estimate(value, interval, BOOTSTRAP, n=own.n_images, level=level)

    def by_chance(self, group: Bools) -> Floats:
        """AP of random groups of as many images as `group` minus that of all others, (resamples,).

        NaN where either has no object. A group and all others have the same ones, with the sign turned. Groups of more
        than 1,000 images share those of a size within half a percent of theirs.
        """
        n, size = self.ap.n_images, int(np.count_nonzero(group))
        turned = 2 * size > n or (2 * size == n and not group[0])
        smaller = _rounded(n - size if turned else size)
        if smaller not in self._known:
            self._known[smaller] = self._differences(smaller)
        return -self._known[smaller] if turned else self._known[smaller]

    def _differences(self, size: int) -> Floats:
        n, rng = self.ap.n_images, np.random.default_rng(self.seed)
        at_once = max(1, BLOCK_BYTES // (4 * n))
        found = []
        for start in range(0, self.resamples, at_once):
            inside = np.zeros((n, min(at_once, self.resamples - start)), np.float32)
            for at in range(inside.shape[1]):
                inside[rng.permutation(n)[:size], at] = 1
            found.append(self.ap.under(inside) - self.ap.under(1 - inside))
        return np.concatenate(found)


def _rounded(size: int) -> int:
    """To three digits, of which the last is even: 12,345 to 12,400."""
    step = 2 * 10 ** (len(str(size)) - 3)
    return size if size <= 1000 else round(size / step) * step


def _cleared(replicates: Floats, value: float) -> Floats:
    """What only float32 has made is no difference."""
    return np.where(np.abs(replicates - value) < 1e-6, value, replicates)
