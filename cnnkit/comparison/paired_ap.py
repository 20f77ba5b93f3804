"""COCO's AP of two detectors on the same images, before anything is written."""

from dataclasses import dataclass

import numpy as np

from cnnkit import metrics
from cnnkit.comparison._detections import Detections, coco_ap_of
from cnnkit.comparison._differences import compare_resampled, equivalence
from cnnkit.comparison._resampled import Ints, Measured, resample
from cnnkit.metrics import FoundBoxes, TrueBoxes

__all__ = ["ApDrop", "paired_ap_drop"]

MAX_DETECTIONS = 100  # of an image and class, as COCO counts


@dataclass(frozen=True, slots=True)
class ApDrop:
    """`coco_AP` of the first minus that of the second, and its 95 % interval, as shares.

    `images_needed` is about how many would decide whether it lies within the margin, were the drop to stay; None
    where it is decided, or no number would do.
    """

    first: float
    second: float
    drop: float
    low: float
    high: float
    images_needed: int | None


def paired_ap_drop(
    truth: TrueBoxes,
    first: FoundBoxes,
    second: FoundBoxes,
    *,
    margin: float,
    resamples: int = metrics.RESAMPLES,
    seed: int = 0,
) -> ApDrop | None:
    """The drop in AP from the first detector to the second, by a bootstrap over the images that pairs them.

    Where no resample changes the difference, a drop on 0 of n images bounds it: the upper end is Wilson's for 0 of n.

    Returns:
        The drop, or None where there is no object to find.

    Raises:
        ValueError: detections in images or of classes that the truth does not have.
    """
    measured = [_measured(truth, found) for found in (first, second)]
    one, other = measured
    if one is None or other is None:
        return None
    n = truth.n_images
    figures = [resample([each], n, resamples=resamples, seed=seed)["coco_AP"] for each in (one, other)]
    tested = compare_resampled("first", "second", (figures[0], figures[1]), n)
    if tested.interval is None:
        drop = -tested.value
        return ApDrop(one.value, other.value, drop, drop, max(drop, metrics.wilson(0, n)[1]), None)
    found = equivalence(tested, margin)
    needed = None if found.further_images is None else n + found.further_images
    return ApDrop(one.value, other.value, found.drop, found.low, found.high, needed)


def _measured(truth: TrueBoxes, found: FoundBoxes) -> Measured | None:
    matches = metrics.match_detections(truth, found, max_detections=MAX_DETECTIONS)
    kept = np.flatnonzero(matches.kept)
    kept = kept[np.argsort(found.image[kept], kind="stable")]
    return coco_ap_of(
        Detections(
            image=found.image[kept],
            category=found.category[kept],
            score=found.scores[kept],
            hit=matches.hit[kept],
            ignored=matches.ignored[kept],
            objects=_objects(truth),
        )
    )


def _objects(truth: TrueBoxes) -> Ints:
    counts = np.zeros((truth.n_images, truth.n_classes), dtype=np.int64)
    np.add.at(counts, (truth.image[~truth.crowd], truth.category[~truth.crowd]), 1)
    return counts
