"""Models that find boxes, from rows that say of each detection what it takes at each IoU threshold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.comparison._classes import UNKNOWN, class_places
from cnnkit.comparison._contender import Contender
from cnnkit.comparison._detections import Detections, coco_ap_of
from cnnkit.comparison._images import SameImages, same_images
from cnnkit.comparison._record import Pair
from cnnkit.comparison._resampled import Bools, Ints, Measured
from cnnkit.errors import DataError

THRESHOLDS = 10
LISTS = ("det_class", "det_score", "det_match", "det_ignore")


class Boxes:
    """A `Kind`: `coco_AP`, also at IoU 0.5 and 0.75 alone, resampled.

    An image that a model could not read is one on which it finds nothing.
    """

    measure = "coco_AP"

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self.contenders = contenders
        self.images = same_images(contenders)
        places = [class_places(contenders[0], each) for each in contenders]
        self.objects = _same_objects(contenders, self.images, places)
        self.n, self.n_left_out = len(self.images.keys), 0
        self.notes = self.images.notes

    def right(self, _at: int) -> None:
        """AP is no proportion."""

    def figures(self, at: int, *, resamples: int) -> list[Measured]:
        columns = {name: _column(self.contenders[at], name, self.images.rows[at]) for name in LISTS}
        lengths, _ = columns["det_class"]
        found = Detections(
            image=np.repeat(np.arange(self.n), lengths),
            category=np.asarray(columns["det_class"][1], dtype=np.int64),
            score=np.asarray(columns["det_score"][1], dtype=np.float64),
            hit=_bits(columns["det_match"][1]),
            ignored=_bits(columns["det_ignore"][1]),
            objects=_counts(self.contenders[at], self.images.rows[at]),
        )
        figures = (coco_ap_of(found, iou=iou) for iou in (None, 0.5, 0.75))
        return [figure for figure in figures if figure]

    def pair(self, _first: int, _second: int) -> Pair | None:
        return None


def _same_objects(contenders: Sequence[Contender], images: SameImages, places: Sequence[Ints]) -> Ints:
    """(n, classes) objects of the first model's classes; refused where the truths differ."""
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
    return wanted


def _counts(contender: Contender, rows: Ints) -> Ints:
    lengths, values = _column(contender, "truth_class", rows)
    counts = np.zeros((len(rows), len(contender.results.classes)), dtype=np.int64)
    np.add.at(counts, (np.repeat(np.arange(len(rows)), lengths), np.asarray(values, dtype=np.int64)), 1)
    return counts


def _column(contender: Contender, name: str, rows: Ints) -> tuple[Ints, NDArray[Any]]:
    """How many entries each image has, and all of them in one row."""
    import pyarrow.compute as pc

    column = contender.rows.column(name).take(rows)
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    return np.asarray(lengths.to_numpy(), dtype=np.int64), np.asarray(pc.list_flatten(column).to_numpy())


def _bits(numbers: NDArray[Any]) -> Bools:
    """(m,) numbers to (m, 10) flags: bit i is IoU threshold i."""
    return np.asarray((numbers.astype(np.int64)[:, None] >> np.arange(THRESHOLDS)) & 1, dtype=np.bool_)
