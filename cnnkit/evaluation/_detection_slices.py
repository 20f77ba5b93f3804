"""The average precision of a detector on groups of images, each against all the others and against chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.data import find_pictures, open_boxes
from cnnkit.errors import UsageError
from cnnkit.evaluation._attributes import Attribute, attributes_of
from cnnkit.evaluation._detection_boxes import Boxes
from cnnkit.evaluation._detection_details import FEW_OBJECTS
from cnnkit.evaluation._figures import figure_from_estimate
from cnnkit.evaluation._pixel_attributes import MEASURES
from cnnkit.evaluation._scored import Asked
from cnnkit.evaluation._slices import FEW_IMAGES, TESTED_FROM, Judged, corrected
from cnnkit.results import Figure, Results, Slice

POINTS: dict[str, int | None] = {"coco": 101, "voc07": 11, "voc12": None}  # recalls
PERMUTATION = "permutation"
REST = "the difference has the interval"

Bools = NDArray[np.bool_]


def with_box_slices(
    results: Results,
    boxes: Boxes,
    protocol: str,
    asked: Asked,
    *,
    root: Path | None,
    digests: Sequence[bytes | None] | None = None,
) -> Results:
    """Add the slices that were asked for: of the first figure of the protocol.

    `root` is the folder that the boxes' images are relative to, None where it is not known; `digests` are theirs.

    Raises:
        UsageError: a property of pixels, and no pictures.
        DataError: as `data.read_attributes`.
    """
    if asked.slices is None and not asked.slice_by:
        return results
    keys = boxes.truth.keys
    root = _root(root, boxes, asked)
    below = replace(asked, data=root, split="all", truth=boxes.truth.source)
    attributes, notes = attributes_of(keys, digests or [None] * len(keys), root, below)
    n_slices = sum(len(attribute.values) for attribute in attributes)
    if n_slices:
        asked.say(f"Slices that are held against {asked.resamples:,} random ones of as many images each: {n_slices}.")
    groups = _Groups(boxes, protocol, asked)
    judged = [each for attribute in attributes for each in groups.judge(attribute)]
    return results.model_copy(
        update={
            "slices": tuple(corrected(judged)),
            "sliced_by": tuple(each.facts for each in attributes),
            "warnings": (*results.warnings, *notes),
        }
    )


def _root(root: Path | None, boxes: Boxes, asked: Asked) -> Path:
    """Where the pictures are, else where the labels are: enough for what is not measured in pixels."""
    source = boxes.truth.source
    if root is None or not root.is_dir():
        root = find_pictures(source, open_boxes(asked.truth or asked.data).part(asked.split), boxes.truth.keys)
    by_pixels = [name for name in asked.slice_by if name in MEASURES]
    if root is None and by_pixels:
        raise UsageError(
            f"--slice-by {by_pixels[0]} is measured in the pictures, and those of {source} are not beside it (looked "
            f"for {next(iter(boxes.truth.keys), 'any')!r}). Give their folder as DATA and the labels as --truth "
            f"{source}."
        )
    return root or (source if source.is_dir() else source.parent)


@dataclass(frozen=True)
class _Side:
    """A group of images, or all others: `inside` (n,) bools."""

    inside: Bools
    ap: metrics.WeightedAp

    @property
    def n(self) -> int:
        return self.ap.n_images

    @property
    def testable(self) -> bool:
        return min(self.n, self.ap.n_objects) >= TESTED_FROM

    def few(self) -> str | None:
        if self.ap.n_objects == 0:
            return "no object to find"
        counts = {"images": (self.n, FEW_IMAGES), "objects": (self.ap.n_objects, FEW_OBJECTS)}
        few = [f"{TESTED_FROM if n < TESTED_FROM else few} {what}" for what, (n, few) in counts.items() if n < few]
        return f"fewer than {' and '.join(few)}" if few else None


class _Groups:
    """The images in the order in which rankings count them."""

    def __init__(self, boxes: Boxes, protocol: str, asked: Asked) -> None:
        self.measure, self.asked = f"{protocol}_AP", asked
        self.ap = _average_precision(boxes, protocol)
        self.order = np.argsort(metrics.tie_order(boxes.truth.image_ids))
        self.everything = metrics.BoxGroups(self.ap, resamples=asked.resamples, seed=asked.seed)

    def judge(self, attribute: Attribute) -> list[Judged]:
        group = attribute.group[self.order]
        known = group >= 0
        among = self.everything
        if not known.all():
            among = metrics.BoxGroups(self.ap.among(known), resamples=self.asked.resamples, seed=self.asked.seed)
        own = group[known]
        return [
            self._one(among, own == at, by=attribute.facts.by, value=value) for at, value in enumerate(attribute.values)
        ]

    def _one(self, among: metrics.BoxGroups, inside: Bools, **facts: str) -> Judged:
        side, rest = _Side(inside, among.ap.among(inside)), _Side(~inside, among.ap.among(~inside))
        each = Slice(**facts, measure=self.measure, figure=_figure(among, side), n_classes=side.ap.n_classes)
        if rest.n == 0:
            return Judged(each, None)
        first, second = each.figure.value, rest.ap.value
        others = Figure(value=second, n=rest.n, n_positives=rest.ap.n_objects, note=rest.few() or REST)
        each = each.model_copy(update={"rest": others})
        if first is None or second is None or not (side.testable and rest.testable):
            return Judged(each, None)
        found = metrics.beyond_chance(first - second, among.by_chance(side.inside))
        if found is None:
            return Judged(each, None)
        low, high = found.interval or (None, None)
        difference = Figure(value=found.value, low=low, high=high, n=side.n + rest.n, method=PERMUTATION)
        return Judged(each.model_copy(update={"difference": difference, "by_chance": found.by_chance}), found.p)


def _figure(among: metrics.BoxGroups, side: _Side) -> Figure:
    """Without an interval where there is too little to draw from."""
    found = among.estimate(side.inside) if side.testable else metrics.Estimate(side.ap.value)
    figure = figure_from_estimate(found, side.n, note=side.few())
    return figure.model_copy(update={"n_positives": side.ap.n_objects})


def _average_precision(boxes: Boxes, protocol: str) -> metrics.WeightedAp:
    """As the protocol has it, of all images."""
    points = POINTS[protocol]
    if protocol == "coco":
        return metrics.WeightedAp(boxes.rankings, points=points)
    truth, found = boxes.voc
    rankings = metrics.voc_rankings(metrics.voc_scores(truth, found), truth, found)
    return metrics.WeightedAp(rankings, points=points)
