"""Objects and detections of the same images, as each protocol wants them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import DetectedBoxes, DetectionTruth
from cnnkit.metrics import (
    BoxEstimates,
    BoxRanking,
    CocoScores,
    FoundBoxes,
    Matches,
    TrueBoxes,
    box_estimates,
    coco_rankings,
    coco_scores,
    match_detections,
    tie_order,
)

LIMITS = (1, 10, 100)


@dataclass(frozen=True)
class Boxes:
    """What is scored: positions in `found` are those of the truth's images and classes.

    `limits` are COCO's on the detections of an image and class; the last one holds for all figures but recall's.
    """

    truth: DetectionTruth
    found: DetectedBoxes
    limits: tuple[int, ...] = LIMITS

    @cached_property
    def coco(self) -> tuple[TrueBoxes, FoundBoxes]:
        """Crowds are left out of the count; objects marked difficult are as any other, as COCO's evaluator has it."""
        truth, order = self.truth, self._order
        objects = TrueBoxes(
            n_images=self.n_images,
            n_classes=len(truth.classes),
            image=order[truth.image],
            category=truth.category,
            boxes=truth.xywh(),
            area=truth.area,
            crowd=truth.iscrowd,
        )
        return objects, self._detections

    @cached_property
    def voc(self) -> tuple[TrueBoxes, FoundBoxes]:
        """Difficult objects are left out of the count, and crowds, for which VOC has no other word."""
        truth, order = self.truth, self._order
        objects = TrueBoxes(
            n_images=self.n_images,
            n_classes=len(truth.classes),
            image=order[truth.image],
            category=truth.category,
            boxes=truth.corners(),
            crowd=truth.difficult | truth.iscrowd,
            form="corners",
        )
        return objects, self._detections

    @cached_property
    def coco_scores(self) -> CocoScores:
        return coco_scores(*self.coco, max_detections=self.limits)

    @cached_property
    def matches(self) -> Matches:
        """Which detection takes which object by COCO's rule, all areas, up to the last limit."""
        return match_detections(*self.coco, max_detections=self.limits[-1])

    @cached_property
    def rankings(self) -> list[BoxRanking]:
        """The detections of each class by COCO's rule."""
        return coco_rankings(self.matches, *self.coco)

    @cached_property
    def estimates(self) -> tuple[BoxEstimates, BoxEstimates]:
        """AP and recall with their intervals, by COCO's rule."""
        return box_estimates(self.rankings)

    @property
    def n_images(self) -> int:
        return len(self.truth.keys)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """The images by ascending id, which decides between equal scores."""
        return tie_order(self.truth.image_ids)

    @cached_property
    def _detections(self) -> FoundBoxes:
        found = self.found
        return FoundBoxes(
            image=self._order[found.image], category=found.category, boxes=found.boxes, scores=found.scores
        )


def limits_up_to(last: int | None) -> tuple[int, ...]:
    """COCO's limits with another last one.

    >>> limits_up_to(300), limits_up_to(5)
    ((1, 10, 300), (1, 5))
    """
    return LIMITS if last is None else tuple(sorted({*(limit for limit in LIMITS[:2] if limit < last), last}))
