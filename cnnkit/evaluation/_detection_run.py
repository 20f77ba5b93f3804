"""A detector's run against labelled boxes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit.data import DetectionTruth, find_part, find_pictures, match_boxes, open_boxes, read_boxes
from cnnkit.errors import DataError
from cnnkit.evaluation._detection_answers import Answers, answers_of
from cnnkit.evaluation._detection_boxes import Boxes, limits_up_to
from cnnkit.evaluation._detection_classes import class_map_of
from cnnkit.evaluation._detection_details import Details
from cnnkit.evaluation._detection_measure import measure_boxes, n_classes_scored, notes_on
from cnnkit.evaluation._detection_protocols import chosen_protocols
from cnnkit.evaluation._detection_rows import rows_of
from cnnkit.evaluation._detection_slices import with_box_slices
from cnnkit.evaluation._scored import Asked, Scored
from cnnkit.predictions import Run, read_record
from cnnkit.spec import ClassName, DetectionOutput

if TYPE_CHECKING:
    from cnnkit.report import DrawnBoxes

SCORING_CONF = 0.001  # from which boxes are kept to be scored: average precision counts faint ones too


def score_boxes(run: Run, asked: Asked) -> Scored:
    """Images without an answer are left out with their objects, and counted.

    Raises:
        DataError: as `data.read_boxes` and `data.match_boxes`; no labelled image has an answer.
    """
    source = open_boxes(asked.truth or asked.data)
    answers, read = answers_of(run), read_boxes(source.path, split=asked.split)
    labelled, answered, bad = _joined(run, read, answers, asked)
    boxes = Boxes(answered, answers.found(run.path, answered), limits_up_to(asked.max_detections))
    protocols = chosen_protocols(asked.protocol, default=default_protocol(read))
    pictures, digests = pictures_of_run(run, asked.data), answers.digests
    return Scored(
        rows=rows_of(boxes, labelled, [digests[key] for key in labelled.keys]),
        keys_root=pictures,
        part=source.part(asked.split),
        fingerprint=answers.fingerprint(labelled.keys),
        n=boxes.n_images,
        bad=bad,
        n_unlabelled=labelled.counts["n_unlabelled"],
        n_outside_part=0,
        n_classes_scored=n_classes_scored(boxes, protocols),
        notes=(*notes_on(boxes, protocols), *_note_on_confidence(run)),
        measured=measure_boxes(boxes, protocols, asked),
        truth=read.source,
        drawn=lambda: _drawn(boxes, protocols[0], labelled),
        sliced=lambda results: with_box_slices(
            results, boxes, protocols[0], asked, root=pictures, digests=[digests[key] for key in answered.keys]
        ),
    )


def _joined(
    run: Run, read: DetectionTruth, answers: Answers, asked: Asked
) -> tuple[DetectionTruth, DetectionTruth, dict[str, int]]:
    """The labelled images of the run, those of them that have an answer, and how many have none by status."""
    class_map = class_map_of(read, run.spec.classes, asked)
    how: dict[str, Any] = {"classes": run.spec.classes, "class_map": class_map, "sizes": answers.sizes}
    labelled = match_boxes(read, answers.keys, **how)
    bad = Counter(answers.statuses[key] for key in labelled.keys if answers.statuses[key] != "ok")
    if sum(bad.values()) == len(labelled.keys):
        reasons = ", ".join(f"{count} {status}" for status, count in sorted(bad.items()))
        raise DataError(f"{run.path}: none of its {len(labelled.keys)} labelled images has an answer ({reasons}).")
    if not bad:
        return labelled, labelled, {}
    answered = match_boxes(read, [key for key in answers.keys if answers.statuses[key] == "ok"], **how)
    return labelled, replace(answered, counts=labelled.counts, notes=labelled.notes), dict(sorted(bad.items()))


def _drawn(boxes: Boxes, protocol: str, labelled: DetectionTruth) -> "DrawnBoxes":
    from cnnkit.evaluation._detection_drawn import drawn_boxes

    return drawn_boxes(Details(boxes, protocol), labelled)


def default_protocol(truth: DetectionTruth) -> str:
    """Pascal VOC's own labels are scored by its rule, all others by COCO's."""
    return "voc12" if truth.form == "corners" else "coco"


def pictures_of(asked: Asked, classes: Sequence[ClassName]) -> Path:
    """What a detector is run on: DATA itself beside a --truth, else where DATA's labels have their pictures.

    Raises:
        DataError: no pictures; a labelled class that none of the model's `classes` answers to, found out before the
            model is run.
    """
    source = open_boxes(asked.truth or asked.data)
    part = source.part(asked.split)
    labels = source.parts[part]()
    class_map_of(labels, classes, asked)
    if asked.truth is not None:
        return find_part(asked.data, split=asked.split).root if asked.data.is_dir() else asked.data
    for place in (labels.source, asked.data):
        found = find_pictures(place, part, labels.keys)
        if found is not None:
            return found
    raise DataError(
        f"{asked.data}: the pictures of its {len(labels.keys)} labelled images are not beside the labels (looked for "
        f"{next(iter(labels.keys), 'any')!r}). Give their folder as DATA and the labels as --truth."
    )


def _note_on_confidence(run: Run) -> tuple[str, ...]:
    """AP is a little too low when faint boxes were thrown away before it could rank them."""
    output = run.spec.output
    if not isinstance(output, DetectionOutput) or output.conf <= SCORING_CONF:
        return ()
    return (
        f"The run kept boxes from confidence {output.conf:g} on, so the average precision of fainter ones is missing: "
        f"a run with --conf {SCORING_CONF:g}, or eval on the model, has it.",
    )


def pictures_of_run(run: Run, data: Path) -> Path:
    """The folder that the run's keys are relative to, as the run remembers it."""
    record = read_record(run.path)
    root = Path(record.roots["images"]) if record and "images" in record.roots else data
    return root if root.exists() else data
