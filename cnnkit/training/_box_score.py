"""Average precision of a detector on the pictures that are held out, as evaluation would find it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics, postprocess
from cnnkit.boxes import xywh_from_xyxy
from cnnkit.data import DetectionTruth
from cnnkit.records import Detections, Geometry
from cnnkit.spec import ModelSpec

__all__ = ["ApScorer"]

CONF = 0.01  # boxes less sure than this move AP50 by next to nothing


class ApScorer:
    """Collects a detector's answers in order, then scores them by COCO's rule at an IoU of 0.5."""

    def __init__(self, spec: ModelSpec, truth: DetectionTruth) -> None:
        low = spec.model_copy(update={"output": spec.output.model_copy(update={"conf": CONF})})
        self._decode = postprocess.build_decoder(low)
        self._name = spec.output.name
        self._truth = metrics.TrueBoxes(
            n_images=len(truth.keys),
            n_classes=len(truth.classes),
            image=truth.image,
            category=truth.category,
            boxes=truth.xywh(),
            area=truth.area,
            crowd=truth.iscrowd,
        )
        metrics.coco_scores(self._truth, _found([]))  # so that what it needs is missed before the first epoch

    def ap50(self, answers: Sequence[NDArray[np.float32]], geometries: Sequence[Geometry]) -> float | None:
        """Score the network's output for each image in the truth's order, batch after batch."""
        found: list[Detections] = []
        for batch in answers:
            here = geometries[len(found) : len(found) + len(batch)]
            found += [each for each in self._decode({self._name: batch}, here) if isinstance(each, Detections)]
        return metrics.coco_scores(self._truth, _found(found)).figures()["AP50"]


def _found(each: Sequence[Detections]) -> metrics.FoundBoxes:
    counts = [len(one.scores) for one in each]
    boxes = np.concatenate([np.zeros((0, 4)), *(one.boxes.astype(np.float64) for one in each)])
    return metrics.FoundBoxes(
        image=np.repeat(np.arange(len(counts)), counts).astype(np.int64),
        category=np.concatenate([np.zeros(0, np.int64), *(one.classes for one in each)]),
        boxes=xywh_from_xyxy(boxes),
        scores=np.concatenate([np.zeros(0), *(one.scores for one in each)]),
    )
