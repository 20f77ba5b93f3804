"""May an int8 detector take the float one's place? Both find the boxes of the same labelled images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit import data
from cnnkit.boxes import xywh_from_xyxy
from cnnkit.comparison.paired_ap import paired_ap_drop
from cnnkit.data import DetectionTruth
from cnnkit.errors import DataError, UsageError
from cnnkit.metrics import FoundBoxes, TrueBoxes, tie_order
from cnnkit.pipeline import Model
from cnnkit.quantization._gate import Decision
from cnnkit.records import Detections, Row, Sample
from cnnkit.spec import DetectionOutput

SCORING_CONF = 0.001  # average precision counts faint boxes too


@dataclass(frozen=True)
class LabelledBoxes:
    """Labelled pictures and their boxes in a model's classes."""

    source: Path
    truth: DetectionTruth
    samples: tuple[Sample, ...]


def read_labelled_boxes(
    model: Model, labelled: Path | None, *, class_map: Path | None, split: str | None
) -> LabelledBoxes:
    """The labelled boxes that decide, and their pictures.

    Raises:
        UsageError: none are given: without truth nothing bounds the drop, since a box that only changes its score
            can change the average precision.
        DataError: as `data.read_boxes` and `data.match_boxes`; the pictures are not found.
    """
    if labelled is None:
        raise UsageError(
            f"{model.path}: is a detector, and how much average precision int8 costs shows on labelled boxes alone: "
            f"boxes that change nothing but their score change it too. Give --data, a COCO .json, Pascal VOC's .xml, "
            f"YOLO's labels or a .csv."
        )
    source = data.open_boxes(labelled)
    part = source.part(split)
    read = source.parts[part]()
    root = next((found for place in (read.source, labelled) if (found := _pictures(place, part, read))), None)
    if root is None:
        raise DataError(f"{labelled}: the pictures of its {len(read.keys)} labelled images are not beside the labels.")
    samples = {sample.key: sample for sample in data.find_images(root)}
    mapping = data.read_class_map(class_map) if class_map else None
    truth = data.match_boxes(read, list(samples), classes=model.spec.classes, class_map=mapping)
    return LabelledBoxes(labelled, truth, tuple(samples[key] for key in truth.keys))


def decide_by_boxes(
    float_model: Model, int8_model: Model, labelled: LabelledBoxes, *, max_drop: float, conf: float | None
) -> Decision:
    """Both models on the same images, from confidence `conf` (0.001); `max_drop` in points.

    Images that either cannot read are left out. DataError where there is nothing to find.
    """
    before, after = (_rows(model, labelled.samples, conf) for model in (float_model, int8_model))
    read = [one.status == other.status == "ok" for one, other in zip(before, after, strict=True)]
    truth = _truth_of(labelled.truth, read, n_classes=len(float_model.spec.classes))
    places = tie_order([image for image, kept in zip(labelled.truth.image_ids, read, strict=True) if kept])
    found = [_found([row for row, kept in zip(rows, read, strict=True) if kept], places) for rows in (before, after)]
    drop = paired_ap_drop(truth, found[0], found[1], margin=max_drop / 100) if truth.n_images else None
    if drop is None:
        raise DataError(
            f"{labelled.source}: no object to find on {truth.n_images} images that can be read, so nothing can be "
            f"decided."
        )
    return Decision(
        basis="labels",
        measure="coco_AP",
        n=truth.n_images,
        changed=_n_changed(before, after, conf=_output_of(float_model).conf),
        drop=drop.drop,
        low=drop.low,
        high=drop.high,
        max_drop=max_drop / 100,
        images_needed=drop.images_needed,
    )


def _pictures(place: Path, part: str | None, read: DetectionTruth) -> Path | None:
    return data.find_pictures(place, part, read.keys)


def _rows(model: Model, samples: Sequence[Sample], conf: float | None) -> list[Row]:
    output = _output_of(model).model_copy(update={"conf": SCORING_CONF if conf is None else conf})
    scoring = replace(model, spec=model.spec.model_copy(update={"output": output}))
    return list(scoring.rows(samples))


def _output_of(model: Model) -> DetectionOutput:
    assert isinstance(model.spec.output, DetectionOutput)
    return model.spec.output


def _truth_of(truth: DetectionTruth, read: Sequence[bool], *, n_classes: int) -> TrueBoxes:
    kept = np.array(read, np.bool_)
    inside = kept[truth.image]
    order = np.full(len(kept), -1, np.int64)
    order[kept] = tie_order([image for image, there in zip(truth.image_ids, read, strict=True) if there])
    return TrueBoxes(
        n_images=int(kept.sum()),
        n_classes=n_classes,
        image=order[truth.image[inside]],
        category=truth.category[inside],
        boxes=truth.xywh()[inside],
        area=truth.area[inside],
        crowd=truth.iscrowd[inside],
    )


def _found(rows: Sequence[Row], places: NDArray[np.int64]) -> FoundBoxes:
    answers = [row.prediction for row in rows if isinstance(row.prediction, Detections)]
    boxes = np.concatenate([np.zeros((0, 4), np.float32), *(each.boxes for each in answers)])
    return FoundBoxes(
        image=np.repeat(places, [len(each.boxes) for each in answers]),
        category=np.concatenate([np.zeros(0, np.int32), *(each.classes for each in answers)]),
        boxes=xywh_from_xyxy(boxes.astype(np.float64)),
        scores=np.concatenate([np.zeros(0, np.float32), *(each.scores for each in answers)]),
    )


def _n_changed(before: Sequence[Row], after: Sequence[Row], *, conf: float) -> int:
    """Images on which the two find other numbers of boxes of a class, from `conf` on."""
    pairs = zip(before, after, strict=True)
    return sum(_classes(one, conf) != _classes(other, conf) for one, other in pairs)


def _classes(row: Row, conf: float) -> list[int] | None:
    if not isinstance(row.prediction, Detections):
        return None
    return sorted(row.prediction.classes[row.prediction.scores >= conf].tolist())
