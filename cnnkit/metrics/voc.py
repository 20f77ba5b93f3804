"""Pascal VOC's average precision."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics._detection_pairs import largest_overlaps, meeting_pairs
from cnnkit.metrics.detection import FoundBoxes, TrueBoxes, check_pair
from cnnkit.metrics.detection_curves import interpolated_ap

__all__ = ["VocClass", "VocScores", "voc_scores"]


@dataclass(frozen=True, slots=True)
class VocClass:
    """One class's detections by falling score.

    Args:
        order: (n,) positions in the detections given.
        hits: (n,) bools, right ones.
        ignored: (n,) bools, neither right nor wrong.
        n_objects: objects that are not difficult.
    """

    order: NDArray[np.int64]
    hits: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    n_objects: int

    @property
    def precision(self) -> NDArray[np.float64]:
        """(n,) hits over hits and mistakes so far; 0 as long as there is neither."""
        counted = np.cumsum(~self.ignored)
        return np.cumsum(self.hits) / np.maximum(counted, 1)

    @property
    def recall(self) -> NDArray[np.float64]:
        """(n,) share of the objects that are found; NaN where there is none."""
        return np.cumsum(self.hits) / (self.n_objects or np.nan)

    def ap(self, points: int | None = None) -> float | None:
        """AP at 11 recalls (VOC 2007) or over all (None, VOC 2010 and later); None where there is no object."""
        return interpolated_ap(self.precision, self.recall, points=points) if self.n_objects else None


@dataclass(frozen=True, slots=True)
class VocScores:
    """What VOC's rules make of a data set."""

    classes: tuple[VocClass, ...]

    def mean_ap(self, points: int | None = None) -> float | None:
        """Mean AP over the classes that have an object; None when none has."""
        defined = [value for value in (one.ap(points) for one in self.classes) if value is not None]
        return float(np.mean(defined)) if defined else None


def voc_scores(truth: TrueBoxes, found: FoundBoxes, *, iou: float = 0.5, plus_one: bool = True) -> VocScores:
    """Score detections as the Pascal VOC development kit does.

    By falling score (of equals the order given), a detection looks at the one object of its image and class that it
    overlaps most, of equal overlaps the first: below `iou` it is wrong; a difficult object makes it neither right nor
    wrong; otherwise the first detection that comes to the object is right and every other wrong, without a second
    choice. Difficult objects are not among those to find.

    Args:
        truth: objects; xywh is taken as the corners x + 1, y + 1, x + w, y + h. `crowd` means difficult.
        found: detections, of any form.
        iou: least overlap, itself enough.
        plus_one: corners are inclusive pixels, a side counts right - left + 1, as in the kit; False takes the same
            numbers as continuous.

    Returns:
        `VocScores`, a `VocClass` for each class.

    Raises:
        ValueError: detections in images or of classes that the truth does not have.

    Reference: Everingham et al. 2010, doi:10.1007/s11263-009-0275-4, and the kit's VOCevaldet.m.
    """
    check_pair(truth, found)
    groups = [boxes.image * truth.n_classes + boxes.category for boxes in (found, truth)]
    pairs = meeting_pairs(groups[0], found.corners, groups[1], truth.corners, floor=iou, plus_one=plus_one)
    overlap, best = largest_overlaps(pairs, len(found))
    enough = overlap > 0  # pairs below `iou` are not among them
    order = np.argsort(-found.scores, kind="stable")
    difficult = enough & truth.crowd[best] if len(truth) else enough
    hits = np.zeros(len(found), np.bool_)
    takes = order[(enough & ~difficult)[order]]
    hits[takes[np.unique(best[takes], return_index=True)[1]]] = True
    n_objects = np.bincount(truth.category[~truth.crowd], minlength=truth.n_classes)
    classes = []
    by_class = order[np.argsort(found.category[order], kind="stable")]
    ends = np.searchsorted(found.category[by_class], np.arange(truth.n_classes + 1))
    for at in range(truth.n_classes):
        own = by_class[ends[at] : ends[at + 1]]
        classes.append(VocClass(own, hits[own], difficult[own], int(n_objects[at])))
    return VocScores(tuple(classes))
