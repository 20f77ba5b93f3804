"""The average precision of detectors as a function of how often each image counts: for resampling and for groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics.detection_estimates import BoxRanking

__all__ = ["WeightedAp"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Weights = NDArray[np.floating[Any]]

MOST_AT_ONCE = 1_000_000  # right detections of a class x columns of weights


class WeightedAp:
    """AP of ranked detections: the mean over the classes with an object, and over the thresholds, under weights.

    An image of weight 2 counts as two equal images whose equal detections stay together, one of weight 0 is not there.
    Matching stays inside an image, so it is not done again.

    Args:
        rankings: one for each class, of the same images and thresholds.
        points: recall levels of AP, as in `interpolated_ap`.

    >>> at, flags = np.arange(4), np.array([[True], [False], [True], [True]])
    >>> ap = WeightedAp([BoxRanking(at, at, flags, np.ones_like(flags), np.ones(4, np.int64))], points=None)
    >>> ap.under(np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0], [1.0, 0.0]])).tolist()
    [0.625, 1.0]
    """

    def __init__(self, rankings: Sequence[BoxRanking], *, points: int | None = 101) -> None:
        self.rankings = rankings
        self.points = points
        self.n_images = len(rankings[0].objects) if rankings else 0
        self._classes = [_OneClass(one, points) for one in rankings if one.objects.any()]

    @property
    def n_classes(self) -> int:
        """Classes with an object."""
        return len(self._classes)

    @property
    def n_objects(self) -> int:
        return sum(int(one.objects.sum()) for one in self.rankings)

    @property
    def value(self) -> float | None:
        """The figure on the images as they are; None where there is no object."""
        return float(self.under(np.ones((self.n_images, 1)))[0]) if self._classes else None

    def under(self, weights: Weights) -> Floats:
        """The figure under each column of whole numbers from 0 up, (n images, columns) to (columns,).

        NaN for a column that has no object. Weights of float32 are worked with in float32, which takes half the time
        and is right to six digits.
        """
        total, known = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
        for one in self._classes:
            values = one.average_precision(weights)
            there = np.isfinite(values)
            total += np.where(there, values, 0)
            known += there
        return np.asarray(np.divide(total, known, out=np.full(len(total), np.nan), where=known > 0))

    def among(self, images: Bools) -> "WeightedAp":
        """The same of some images alone, (n images,) bools, numbered in their order."""
        place = np.cumsum(images) - 1
        return WeightedAp([_among(one, images, place) for one in self.rankings], points=self.points)


def _among(one: BoxRanking, images: Bools, place: Ints) -> BoxRanking:
    kept = images[one.image]
    return BoxRanking(one.order[kept], place[one.image[kept]], one.hit[kept], one.counts[kept], one.objects[images])


class _OneClass:
    """Precision is asked for at hits alone: between two it falls, and each recall level is reached at one."""

    def __init__(self, one: BoxRanking, points: int | None) -> None:
        self.objects, self.points = one.objects.astype(np.float32), points
        self.n_thresholds = one.hit.shape[1]
        hits = np.flatnonzero(one.hit.any(axis=1))
        self.n_hits, self.image = len(hits), one.image[hits]
        if not len(hits):
            return
        last = hits[-1] + 1  # what comes later changes nothing
        row = np.searchsorted(hits, np.arange(last))  # of the next hit
        counts, image = one.counts[:last], one.image[:last]
        always = np.asarray(counts.all(axis=1))
        shape = (len(hits), len(one.objects))
        self.answers = _counted(row, image, always, shape)
        self.alike: dict[tuple[bytes, bytes], list[Any]] = {}  # thresholds at which the same detections are right
        for at in range(self.n_thresholds):
            sometimes, right = counts[:, at] & ~always, one.hit[hits, at]
            known = self.alike.setdefault(
                (right.tobytes(), sometimes.tobytes()),
                [np.flatnonzero(right), _counted(row, image, sometimes, shape) if sometimes.any() else None, 0],
            )
            known[2] += 1

    def average_precision(self, weights: Weights) -> Floats:
        """(columns,): the mean over the thresholds; NaN where no object is drawn."""
        at_once = max(1, MOST_AT_ONCE // max(self.n_hits, 1))
        starts = range(0, weights.shape[1], at_once)
        return np.concatenate([self._average_precision(weights[:, at : at + at_once]) for at in starts])

    def _average_precision(self, weights: Weights) -> Floats:
        n_objects = self.objects @ weights
        if not self.n_hits:
            return np.where(n_objects > 0, 0.0, np.nan)
        drawn, answers = weights[self.image], np.cumsum(self.answers @ weights, axis=0, dtype=weights.dtype)
        levels = None if self.points is None else _Levels(self.points, n_objects, int(drawn.sum(axis=0).max()))
        total = np.zeros(weights.shape[1])
        for rows, further, times in self.alike.values():
            if len(rows):
                own = answers if further is None else answers + np.cumsum(further @ weights, axis=0)
                total += times * _area(drawn[rows], own[rows], levels)
        scale = np.maximum(n_objects, 1) if self.points is None else self.points
        return np.where(n_objects > 0, total / (self.n_thresholds * scale), np.nan)


class _Levels:
    """How many recall levels are reached with so many hits, looked up."""

    def __init__(self, points: int, n_objects: Weights, most: int) -> None:
        there, which = np.unique(n_objects, return_inverse=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            recall = np.arange(most + 1) / there.astype(np.float64)[:, None]
        table = np.searchsorted(np.linspace(0, 1, points), recall, side="right").astype(n_objects.dtype)
        table[:, 0] = 0  # a level is reached at a hit
        self.table, self.start = table.ravel(), which * (most + 1)

    def reached(self, hits: Weights) -> Weights:
        at = hits.astype(np.int64)
        at += self.start
        return self.table.take(at)


def _area(drawn: Weights, answers: Weights, levels: _Levels | None) -> Floats:
    """(columns,): the best precision at each hit or beyond, times the levels, else the hits, that it is had at."""
    hits = np.cumsum(drawn, axis=0)
    precision = hits / np.maximum(answers, 1)
    np.maximum.accumulate(precision[::-1], axis=0, out=precision[::-1])
    if levels is not None:
        reached = levels.reached(hits)
        drawn = np.diff(reached, axis=0, prepend=np.zeros_like(reached[:1]))
    return np.asarray(np.einsum("ij,ij->j", precision, drawn), np.float64)


def _counted(row: Ints, image: Ints, chosen: Bools, shape: tuple[int, int]) -> Any:
    """A sparse matrix, (hits, images): how many of the chosen detections each image adds before a hit and with it."""
    from scipy.sparse import csr_array

    at = np.flatnonzero(chosen)
    return csr_array((np.ones(len(at), np.float32), (row[at], image[at])), shape=shape)
