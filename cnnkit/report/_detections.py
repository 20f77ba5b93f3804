"""Images that a detector got wrong: what it saw where there is nothing, and what it missed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit.predictions import Run
from cnnkit.report._gallery import Caption, Group, pictures
from cnnkit.report._outcomes import Boxes, boxes_from_rows, sizes
from cnnkit.report._thumbnails import Box, Wanted
from cnnkit.report._words import count, counted, percent

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 60
OF_AN_IMAGE = 2


def groups_of_detections(rows: "pa.Table", labels: Sequence[str], root: Path | None, run: Run | None) -> list[Group]:
    """The surest false detections, outlined when the run is there, and the images where most is missed."""
    boxes = boxes_from_rows(rows)
    return [_false_alarms(rows, boxes, labels, root, run), _missed(rows, boxes, labels, root)]


def _false_alarms(rows: "pa.Table", boxes: Boxes, labels: Sequence[str], root: Path | None, run: Run | None) -> Group:
    false = np.flatnonzero(~boxes.matched & ~boxes.ignored)
    chosen = _surest(boxes, false)
    places = _places(run, [(_key(rows, boxes.image[at]), boxes.label[at], boxes.score[at]) for at in chosen])
    wanted = [
        Wanted(_key(rows, boxes.image[at]), rows.column("digest")[int(boxes.image[at])].as_py(), place)
        for at, place in zip(chosen, places, strict=True)
    ]
    captions = [
        Caption((("said", labels[boxes.label[at]], percent(float(boxes.score[at]))),), (int(boxes.label[at]),))
        for at in chosen
    ]
    return Group(
        "worst",
        "Surest false detections",
        f"Boxes on no such object, the surest first: {count(len(chosen))} of {count(len(false))}. "
        "Objects that the truth leaves out show up here too.",
        "No false detection.",
        pictures(wanted, captions, root),
    )


def _surest(boxes: Boxes, candidates: NDArray[np.int64]) -> list[int]:
    taken: dict[int, int] = {}
    chosen = []
    for at in candidates[np.argsort(-boxes.score[candidates], kind="stable")].tolist():
        image = int(boxes.image[at])
        if taken.get(image, 0) < OF_AN_IMAGE:
            taken[image] = taken.get(image, 0) + 1
            chosen.append(at)
        if len(chosen) == SHOWN:
            break
    return chosen


def _places(run: Run | None, wanted: Sequence[tuple[str, int, np.float32]]) -> list[tuple[Box, ...]]:
    """The run's box of each detection, found by image, class and score; none where the run is gone."""
    if run is None:
        return [()] * len(wanted)
    keys = {key for key, _, _ in wanted}
    found: dict[tuple[str, int, float], Box] = {}
    for batch in run.batches(["key", "boxes", "box_scores", "box_classes"]):
        for at, key in enumerate(batch.column("key").to_pylist()):
            if key in keys:
                parts = (batch.column(name)[at].as_py() or [] for name in ("box_classes", "box_scores", "boxes"))
                found |= {(key, label, score): tuple(box) for label, score, box in zip(*parts, strict=True)}
    hits = [found.get((key, int(label), float(score))) for key, label, score in wanted]
    return [() if box is None else (box,) for box in hits]


def _missed(rows: "pa.Table", boxes: Boxes, labels: Sequence[str], root: Path | None) -> Group:
    objects = sizes(rows.column("truth_class"))
    found = np.bincount(boxes.image[boxes.matched], minlength=len(objects))
    missed = np.maximum(objects - found, 0)
    order = np.argsort(-missed, kind="stable")[:SHOWN]
    chosen = [int(at) for at in order if missed[at]]
    n_missed = int((missed > 0).sum())
    captions = []
    for at in chosen:
        classes = sorted(set(rows.column("truth_class")[at].as_py()))
        line = ("missed", f"{count(int(missed[at]))} of {counted(int(objects[at]), 'object')}", "")
        captions.append(Caption((line, ("there:", ", ".join(labels[each] for each in classes), "")), tuple(classes)))
    wanted = [Wanted(_key(rows, at), rows.column("digest")[at].as_py()) for at in chosen]
    return Group(
        "unsure",
        "Most missed",
        f"Images with the most objects that no detection found: {count(len(chosen))} of {count(n_missed)}.",
        "No object was missed.",
        pictures(wanted, captions, root),
    )


def _key(rows: "pa.Table", at: int | np.int64) -> str:
    return str(rows.column("key")[int(at)].as_py())
