"""COCO's AP under weights of the images, from what the rows of detection results say of each detection."""

from dataclasses import dataclass

import numpy as np

from cnnkit.comparison._resampled import Bools, Floats, Ints, Measured, Weights, mean_of_known

RECALL_LEVELS = np.linspace(0, 1, 101)  # in float64: the 71st lies above 0.7
NUMBERS_AT_ONCE = 4_000_000  # detections of a class x resamples


@dataclass(frozen=True)
class Detections:
    """All detections of n images, in the order of the images, and the objects that they are to find.

    Args:
        image: (m,) the place of each detection's image.
        category: (m,) its class.
        score: (m,).
        hit: (m, T) bools: at IoU threshold t it takes an object.
        ignored: (m, T) bools: it takes a crowd and does not count.
        objects: (n, classes) how many objects of each class an image has, crowds left out.
    """

    image: Ints
    category: Ints
    score: Floats
    hit: Bools
    ignored: Bools
    objects: Ints


def coco_ap_of(found: Detections, *, iou: float | None = None) -> Measured | None:
    """`coco_AP` as COCO defines it: the mean over classes with an object, IoU thresholds and 101 recall levels.

    With `iou` at that threshold alone: `coco_AP50` for 0.5.

    An image drawn twice counts as two equal images. Matching stays inside an image, so it is not done again. Of equal
    scores the earlier image comes first. None where there is no object at all.
    """
    present = np.flatnonzero(found.objects.sum(axis=0)).tolist()
    if not present:
        return None
    name, thresholds = "coco_AP", slice(None)
    if iou is not None:
        at = round((iou - 0.5) / 0.05)
        name, thresholds = f"coco_AP{round(100 * iou)}", slice(at, at + 1)
    classes = [_OneClass(found, at, thresholds) for at in present]

    def under(weights: Weights) -> Floats:
        return mean_of_known(np.array([each.average_precision(weights) for each in classes]))

    n = len(found.objects)
    return Measured(name, float(under(np.ones((n, 1), np.float32))[0]), np.zeros(n), under)


class _OneClass:
    """The detections of a class by falling score, and where its objects are."""

    def __init__(self, found: Detections, category: int, thresholds: slice) -> None:
        mine = np.flatnonzero(found.category == category)
        mine = mine[np.argsort(-found.score[mine], kind="stable")]
        self.image = found.image[mine]
        self.hit, self.counts = found.hit[mine, thresholds], ~found.ignored[mine, thresholds]
        self.objects = found.objects[:, category]

    def average_precision(self, weights: Weights) -> Floats:
        """The mean over the IoU thresholds, (resamples,); NaN on a resample without an object of the class."""
        n_objects = self.objects.astype(np.float64) @ weights
        at_once = max(1, NUMBERS_AT_ONCE // max(len(self.image), 1))
        values = [
            self._mean_over_thresholds(weights[:, at : at + at_once], n_objects[at : at + at_once])
            for at in range(0, weights.shape[1], at_once)
        ]
        return np.where(n_objects > 0, np.concatenate(values), np.nan)

    def _mean_over_thresholds(self, weights: Weights, n_objects: Floats) -> Floats:
        drawn = weights[self.image]
        each = [
            _interpolated_ap(drawn, hit, counts, n_objects)
            for hit, counts in zip(self.hit.T, self.counts.T, strict=True)
        ]
        return np.asarray(np.mean(each, axis=0))


def _interpolated_ap(drawn: Weights, hit: Bools, counts: Bools, n_objects: Floats) -> Floats:
    """(resamples,): at each recall level the best precision there or beyond. Only hits raise either.

    Between two hits precision falls, so the best beyond any point is had at a hit; a level is reached at one too.
    """
    at = np.flatnonzero(hit)
    if not len(at):
        return np.zeros(drawn.shape[1])
    hits = np.cumsum(drawn[at], axis=0, dtype=np.float64)
    answers = np.cumsum(_sums_until(np.where(counts[:, None], drawn, 0), at), axis=0, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = np.where(answers > 0, hits / answers, 0), np.where(n_objects > 0, hits / n_objects, 0)
    beyond = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    reached = np.searchsorted(RECALL_LEVELS, recall, side="right")
    return np.asarray((beyond * np.diff(reached, axis=0, prepend=0)).sum(axis=0) / len(RECALL_LEVELS))


def _sums_until(rows: Weights, ends: Ints) -> Floats:
    """Sums of the rows after each end up to and with the next."""
    return np.asarray(np.add.reduceat(rows[: ends[-1] + 1], np.append(0, ends[:-1] + 1), axis=0))
