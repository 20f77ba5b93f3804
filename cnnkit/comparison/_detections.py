"""COCO's AP under weights of the images, from what the rows of detection results say of each detection."""

from dataclasses import dataclass

import numpy as np

from cnnkit import metrics
from cnnkit.comparison._resampled import Bools, Floats, Ints, Measured


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
    ap = metrics.WeightedAp([_ranking(found, at, thresholds) for at in present])
    return Measured(
        name, ap.value or 0.0, np.zeros(len(found.objects)), lambda weights: ap.under(weights.astype(np.float64))
    )


def _ranking(found: Detections, category: int, thresholds: slice) -> metrics.BoxRanking:
    """The detections of a class by falling score, and where its objects are."""
    mine = np.flatnonzero(found.category == category)
    mine = mine[np.argsort(-found.score[mine], kind="stable")]
    hit, counts = found.hit[mine, thresholds], ~found.ignored[mine, thresholds]
    return metrics.BoxRanking(mine, found.image[mine], hit, counts, found.objects[:, category])
