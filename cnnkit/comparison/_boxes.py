"""Models that find boxes, from rows that say of each detection what it takes at each IoU threshold."""

from collections.abc import Sequence

import numpy as np

from cnnkit.comparison._box_rows import detected_rows, true_rows
from cnnkit.comparison._classes import UNKNOWN, class_places
from cnnkit.comparison._contender import Contender
from cnnkit.comparison._detections import Detections, coco_ap_of
from cnnkit.comparison._images import SameImages, same_images
from cnnkit.comparison._objects import Found, found_of, object_pair, objects_of, shares_of
from cnnkit.comparison._paired_boxes import PairedBoxes, boxes_to_draw
from cnnkit.comparison._record import ObjectPair
from cnnkit.comparison._resampled import Ints, Measured
from cnnkit.errors import DataError


class Boxes:
    """A `Kind`: `coco_AP`, also at IoU 0.5 and 0.75 alone, and the shares at one confidence, resampled.

    An image that a model could not read is one on which it finds nothing.
    """

    measure = "coco_AP"

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self.contenders = contenders
        self.images = same_images(contenders)
        self.places = [class_places(contenders[0], each) for each in contenders]
        _refuse_other_objects(contenders, self.images, self.places)
        self.n, self.n_left_out = len(self.images.keys), 0
        true = (true_rows(each, rows) for each, rows in zip(contenders, self.images.rows, strict=True))
        self.objects = [objects_of(each, place) for each, place in zip(true, self.places, strict=True)]
        self.notes = (*self.images.notes, *self._moved())

    def right(self, _at: int) -> None:
        """AP is no proportion."""

    def figures(self, at: int, *, resamples: int) -> list[Measured]:
        rows = detected_rows(self.contenders[at], self.images.rows[at])
        found = Detections(
            image=rows.image,
            category=rows.label,
            score=rows.score.astype(np.float64),
            hit=rows.hit,
            ignored=rows.ignored,
            objects=true_rows(self.contenders[at], self.images.rows[at]).counts(self.n, self._n_classes(at)),
        )
        figures = [figure for iou in (None, 0.5, 0.75) if (figure := coco_ap_of(found, iou=iou))]
        return [*figures, *shares_of(self.objects[at], self._found(at), self.n)]

    def pair(self, first: int, second: int) -> ObjectPair | None:
        """None where the objects do not lie in the same places."""
        if not self.objects[first].are(self.objects[second]):
            return None
        names = self.contenders[first].name, self.contenders[second].name
        digests = self.contenders[0].rows.column("digest").take(self.images.rows[0]).to_pylist()
        both = self._found(first), self._found(second)
        return object_pair(names, self.objects[first], both, self.images.keys, digests)

    def boxes(self, first: int, second: int) -> PairedBoxes:
        """Of a pair that there is."""
        return boxes_to_draw(self.objects[first], self._found(first), self._found(second), np.array(self.images.keys))

    def _found(self, at: int) -> Found:
        rows = detected_rows(self.contenders[at], self.images.rows[at])
        return found_of(rows, self.objects[at], self.places[at], n_images=self.n)

    def _n_classes(self, at: int) -> int:
        return len(self.contenders[at].results.classes)

    def _moved(self) -> list[str]:
        """Labels read from another file can hold as many objects of each class in other places."""
        first, *others = zip(self.contenders, self.objects, strict=True)
        return [
            f"the labels of {other.name} have their boxes in other places than those of {first[0].name}: objects found "
            f"are not compared"
            for other, objects in others
            if not objects.are(first[1])
        ]


def paired_boxes(first: Contender, second: Contender) -> PairedBoxes:
    """Objects and boxes of two detectors that have an `ObjectPair`."""
    return Boxes([first, second]).boxes(0, 1)


def _refuse_other_objects(contenders: Sequence[Contender], images: SameImages, places: Sequence[Ints]) -> None:
    """Where the truths differ in how many objects of a class an image has."""
    first, *others = contenders
    wanted = _counts(first, images.rows[0])
    for other, rows, place in zip(others, images.rows[1:], places[1:], strict=True):
        found, theirs = np.zeros_like(wanted), _counts(other, rows)
        known = place != UNKNOWN
        found[:, place[known]] = theirs[:, known]
        differ = np.flatnonzero((found != wanted).any(axis=1))
        if len(differ):
            at = int(differ[0])
            raise DataError(
                f"{other.source} cannot be compared with {first.source}: {len(differ):,} of {len(wanted):,} images "
                f"have other objects in their truth (such as {images.keys[at]!r}: {wanted[at].sum()} and "
                f"{theirs[at].sum()}). Score both models with the same truth."
            )


def _counts(contender: Contender, rows: Ints) -> Ints:
    return true_rows(contender, rows).counts(len(rows), len(contender.results.classes))
