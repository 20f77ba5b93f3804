"""All that is measured on boxes, as fields of Results by name."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnkit.evaluation._detection_boxes import Boxes
from cnnkit.evaluation._detection_details import FEW_OBJECTS, IOU, Details
from cnnkit.evaluation._detection_form import notes_on_form
from cnnkit.evaluation._detection_protocols import MANY, protocol_figures, rule_of
from cnnkit.evaluation._detection_table import tables_of
from cnnkit.evaluation._scored import Asked


def measure_boxes(boxes: Boxes, protocols: Sequence[str], asked: Asked) -> dict[str, Any]:
    """Figures of each protocol; what stands beside them is the first one's.

    With more than `MANY` detections, curves, confusions and kinds of error are worked out only for `asked.details`.
    """
    beside = Details(boxes, protocols[0])
    all_of_it = asked.details or len(boxes.found.scores) <= MANY
    facts = beside.facts(errors=all_of_it)
    measured: dict[str, Any] = {
        "figures": protocol_figures(boxes, protocols),
        "per_class": beside.classes(),
        "detection": facts.model_copy(update={"tables": tables_of(beside)}) if asked.tables else facts,
        "protocol": _facts(boxes, protocols, beside),
    }
    if all_of_it:
        measured |= {"curves": beside.curves(), "confusion": beside.confusion()}
    return measured


def n_classes_scored(boxes: Boxes, protocols: Sequence[str]) -> int:
    return int(np.count_nonzero(Details(boxes, protocols[0]).matches.n_objects))


def notes_on(boxes: Boxes, protocols: Sequence[str]) -> tuple[str, ...]:
    """What of these boxes a protocol has no word for, and what looks as if it were read wrongly."""
    n_difficult = int(np.count_nonzero(boxes.truth.difficult))
    n_crowd = int(np.count_nonzero(boxes.truth.iscrowd))
    notes = [*boxes.truth.notes, *boxes.found.notes, *notes_on_form(boxes.truth, boxes.found)]
    if n_difficult and "coco" in protocols:
        notes.append(f"Objects marked difficult, which COCO's rule does not know, are to be found too: {n_difficult}.")
    if n_crowd and protocols != ("coco",):
        told = {"voc07": "difficult objects for VOC", "voc12": "difficult objects for VOC"}
        told |= {"ultralytics": "nothing for Ultralytics"}
        words = dict.fromkeys(told[name] for name in protocols if name in told)
        notes.append(f"Crowd regions are {', '.join(words)}: {n_crowd}.")
    return (*notes, *_note_on_few_objects(boxes))


def _note_on_few_objects(boxes: Boxes) -> tuple[str, ...]:
    counts = np.bincount(boxes.truth.category[~boxes.truth.iscrowd])
    n_classes, n_few = int(np.count_nonzero(counts)), int(np.count_nonzero((counts > 0) & (counts < FEW_OBJECTS)))
    if 2 * n_few <= n_classes:
        return ()
    few = f"{n_few} of the {n_classes} classes have fewer than {FEW_OBJECTS} objects here"
    return (f"{few}: AP on so few runs higher than on many images, which no interval mends.",)


def _facts(boxes: Boxes, protocols: Sequence[str], beside: Details) -> dict[str, Any]:
    from importlib.metadata import version

    facts: dict[str, Any] = {"name": protocols[0] if len(protocols) == 1 else "all"}
    if "coco" in protocols:
        facts |= {"engine": f"hotcoco {version('hotcoco')}", "max_detections": list(boxes.limits)}
    facts |= {"iou_of_f1_and_confusions": IOU, "confidence_of_confusions": beside.confidence}
    return facts | {f"rule_{name}": rule_of(name, boxes) for name in protocols}
