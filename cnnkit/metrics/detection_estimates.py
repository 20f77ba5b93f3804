"""Intervals for the average precision and the recall of detectors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics.detection import FoundBoxes, TrueBoxes
from cnnkit.metrics.detection_curves import interpolated_ap
from cnnkit.metrics.detection_matches import Matches, rank_in_group, ranking
from cnnkit.metrics.estimates import JACKKNIFE, Estimate, estimate
from cnnkit.metrics.jackknife import jackknife_interval
from cnnkit.metrics.voc import VocScores

__all__ = ["BoxEstimates", "BoxRanking", "box_estimates", "coco_rankings", "voc_rankings"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BoxRanking:
    """The detections of one class by falling score, at T IoU thresholds.

    Args:
        order: (n,) positions in the detections given.
        image: (n,) the image of each.
        hit: (n, T) bools: right.
        counts: (n, T) bools: right or wrong; the others are left out.
        objects: (images,) how many there are to find.
    """

    order: Ints
    image: Ints
    hit: Bools
    counts: Bools
    objects: Ints


@dataclass(frozen=True, slots=True)
class BoxEstimates:
    """A figure of each class and threshold, and its means over the classes with an object.

    Args:
        mean: over classes and thresholds.
        at: (T,) at each threshold, mean over the classes.
        classes: of each class, mean over the thresholds.
        first: of each class at the first threshold.
    """

    mean: Estimate
    at: tuple[Estimate, ...]
    classes: tuple[Estimate, ...]
    first: tuple[Estimate, ...]


def coco_rankings(
    matches: Matches, truth: TrueBoxes, found: FoundBoxes, *, limit: int | None = None
) -> list[BoxRanking]:
    """A ranking for each class by COCO's rule; `limit` takes only the surest of each image and class."""
    kept = matches.kept
    if limit is not None:
        kept = kept & (rank_in_group(found.image * truth.n_classes + found.category, found.scores) < limit)
    order = ranking(found)
    order = order[kept[order]]
    objects = _objects(truth, matches.counted)
    return [
        BoxRanking(own, found.image[own], matches.hit[own], ~matches.ignored[own], objects(at))
        for at, own in enumerate(by_class(found.category[order], order, truth.n_classes))
    ]


def voc_rankings(scores: VocScores, truth: TrueBoxes, found: FoundBoxes) -> list[BoxRanking]:
    """A ranking for each class by Pascal VOC's rule, at its one threshold."""
    objects = _objects(truth, ~truth.crowd)
    return [
        BoxRanking(one.order, found.image[one.order], one.hits[:, None], ~one.ignored[:, None], objects(at))
        for at, one in enumerate(scores.classes)
    ]


def box_estimates(
    rankings: Sequence[BoxRanking], *, points: int | None = 101, level: float = 0.95
) -> tuple[BoxEstimates, BoxEstimates]:
    """Average precision and recall of ranked detections with intervals: (AP, recall).

    The intervals are `jackknife_interval`'s, the images being the independent draws, for AP with the derivative of the
    area under the curve. They say how the figure varies between test sets of this size. A class that only one image
    shows comes and goes with that image, and another such set shows another class in its place: it moves a mean over
    the classes by what sets it apart from them, as in a ratio of sums. A bootstrap does worse: a class of few images is
    missing from many resamples, and repeated images raise AP. (Neither mends that AP itself is higher, on average, on a
    small test set than on a large one, since precision is taken from the best place beyond.)

    Args:
        rankings: one for each class, of the same images and thresholds.
        points: recall levels of AP, as in `interpolated_ap`.
        level: the share of such intervals that hold the truth.

    Returns:
        Estimates of AP and of recall. A class without objects has the value None.

    Reference: as in `jackknife_interval`.

    >>> at, flags = np.arange(4), np.array([[True], [False], [True], [True]])
    >>> ap, recall = box_estimates([BoxRanking(at, at, flags, np.ones_like(flags), np.ones(4, np.int64))])
    >>> [round(value, 3) for value in (recall.mean.value, *recall.mean.interval)]
    [0.75, 0.041, 0.995]
    """
    ap = estimates_of(rankings, lambda one: _curves(one, points), level=level)
    return ap, estimates_of(rankings, _recalls, level=level)


Measured = tuple[Floats, Floats]  # a figure at each threshold (T,), and its derivative by each image's weight (T, n)


def _curves(one: BoxRanking, points: int | None) -> Measured:
    pairs = [_curve(one, at, points) for at in range(one.hit.shape[1])]
    values, influences = zip(*pairs, strict=True)
    return np.array(values), np.array(influences)


def _curve(one: BoxRanking, at: int, points: int | None) -> tuple[float, Floats]:
    """AP at a threshold, and the derivative of the area under the curve."""
    n, n_images, hits = int(one.objects.sum()), len(one.objects), np.flatnonzero(one.hit[:, at])
    if not len(hits):
        return 0.0, np.zeros(n_images)
    # between two hits precision falls, so the best beyond any point is had at a hit, and a level is reached at one
    answers = np.cumsum(one.counts[:, at])[hits]
    precision, recall = np.arange(1, len(hits) + 1) / answers, np.arange(1, len(hits) + 1) / n
    best = place_of_best_beyond(precision)
    # each hit has the precision of the best place beyond it: what moves that place moves the hit
    gain, loss = np.zeros(len(one.image)), np.zeros(len(one.image))
    np.add.at(gain, hits[best], 1 / answers[best] / n)
    np.add.at(loss, hits[best], precision[best] / answers[best] / n)
    moved = np.where(one.hit[:, at], sums_from_the_end(gain), 0) - np.where(
        one.counts[:, at], sums_from_the_end(loss), 0
    )
    moved[hits] += precision[best] / n
    area = precision[best].sum() / n
    influence = np.bincount(one.image, weights=moved, minlength=n_images) - area * one.objects / n
    return interpolated_ap(precision, recall, points=points), influence


def _recalls(one: BoxRanking) -> Measured:
    n = int(one.objects.sum())
    found = [np.bincount(one.image[hit], minlength=len(one.objects)) for hit in one.hit.T]
    values = np.array([each.sum() / n for each in found])
    influences = [(each - value * one.objects) / n for each, value in zip(found, values, strict=True)]
    return values, np.array(influences)


def estimates_of(
    rankings: Sequence[BoxRanking], measure: Callable[[BoxRanking], Measured], *, level: float = 0.95
) -> BoxEstimates:
    """The figure that `measure` takes of each ranking, of the classes with an object, and its means."""
    present = [at for at, one in enumerate(rankings) if one.objects.any()]
    n_thresholds, n_images = (rankings[0].hit.shape[1], len(rankings[0].objects)) if rankings else (0, 0)
    classes, first = [Estimate(None)] * len(rankings), [Estimate(None)] * len(rankings)
    sums = np.zeros(n_thresholds), np.zeros((n_thresholds, n_images))
    alone: list[tuple[int, Floats]] = []
    for place in present:
        values, influences = measure(rankings[place])
        shown = np.flatnonzero(rankings[place].objects)
        classes[place] = _estimate(values.mean(), influences.mean(axis=0), len(shown), level)
        first[place] = _estimate(values[0], influences[0], len(shown), level)
        alone += [(int(shown[0]), values)] if len(shown) == 1 else []
        for total, own in zip(sums, (values, influences), strict=True):
            total += own
    mean, at = Estimate(None), [Estimate(None)] * n_thresholds
    if present:
        values, influences = (total / len(present) for total in sums)
        for image, own in alone:
            influences[:, image] += (own - values) / len(present)
        n = int(np.count_nonzero(np.sum([one.objects for one in rankings], axis=0)))
        mean = _estimate(values.mean(), influences.mean(axis=0), n, level)
        at = [_estimate(values[t], influences[t], n, level) for t in range(n_thresholds)]
    return BoxEstimates(mean, tuple(at), tuple(classes), tuple(first))


def _estimate(value: Any, influence: Floats, n: int, level: float) -> Estimate:
    interval = jackknife_interval(float(value), influence, n=n, level=level)
    return estimate(float(value), interval, JACKKNIFE, n=n, level=level)


def _objects(truth: TrueBoxes, counted: Bools) -> Callable[[int], Ints]:
    return lambda at: np.bincount(truth.image[counted & (truth.category == at)], minlength=truth.n_images)


def by_class(category: Ints, order: Ints, n_classes: int) -> Iterator[Ints]:
    grouped = order[np.argsort(category, kind="stable")]
    ends = np.cumsum(np.bincount(category, minlength=n_classes))
    return iter(np.split(grouped, ends[:-1]))


def place_of_best_beyond(precision: Floats) -> Ints:
    """For each place the place of the highest value from there on; of equals the first."""
    backwards = precision[::-1]
    new = backwards >= np.maximum.accumulate(backwards)
    places = np.maximum.accumulate(np.where(new, np.arange(len(precision)), -1))
    return np.asarray(len(precision) - 1 - places[::-1])


def sums_from_the_end(values: Floats) -> Floats:
    """For each place the sum from there on."""
    return np.asarray(values[::-1].cumsum()[::-1])
