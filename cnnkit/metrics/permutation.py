"""A group of images against all others, judged by random groups of as many images."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cnnkit.metrics._checks import check_share
from cnnkit.metrics.intervals import Interval

__all__ = ["BeyondChance", "beyond_chance"]

ALIKE = 1e-6  # differences that lie nearer count as equal


class BeyondChance(NamedTuple):
    """A difference less what random groups have on average; None for the interval where random groups are alike."""

    value: float
    interval: Interval | None
    p: float
    by_chance: float


def beyond_chance(difference: float, random: ArrayLike, *, level: float = 0.95) -> BeyondChance | None:
    """How far a group's difference from the rest lies beyond those of random groups: a permutation test.

    Two-sided: the share of random groups, the group itself among them, whose difference lies at least as far from the
    mean of all. It raises no more false alarms than its level whatever the figure and however few the images, where
    the images of the group are like all others. Never below 1 / (groups + 1), which is all that so many can tell.

    Args:
        difference: the figure of the group minus that of the rest.
        random: (groups,) the same of random groups of as many images; NaN where it is undefined.
        level: of the interval: the mean difference plus or minus what that share of the random groups keeps within.
            It is right where the group's figure is moved and its spread is not.

    Returns:
        The difference less their mean, its interval, the p-value and the mean; None where no random group has a
        difference.

    Raises:
        ValueError: level out of range.

    Reference: Fisher 1935, The Design of Experiments; Phipson and Smyth 2010, Statistical Applications in Genetics
    and Molecular Biology 9, 39 (the group itself counts).

    >>> found = beyond_chance(0.5, [0.0, 0.1, 0.2, 0.3] * 25)
    >>> round(found.value, 2), [round(end, 2) for end in found.interval], round(found.p, 4)
    (0.35, [0.2, 0.5], 0.0099)
    """
    check_share("level", level)
    known = np.asarray(random, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    mean = float(known.mean())
    everyone = np.append(known, difference)
    away = np.abs(everyone - everyone.mean())
    p = float(np.count_nonzero(away >= away[-1] - ALIKE) / len(everyone))
    far = np.sort(np.abs(known - mean))
    within = float(far[min(math.ceil(level * len(everyone)), len(known)) - 1])
    value = difference - mean
    interval = Interval(value - within, value + within) if far[-1] > ALIKE else None
    return BeyondChance(value, interval, p, mean)
