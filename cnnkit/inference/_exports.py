"""What is written beside a run for other tools: files, and folders of labels."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from cnnkit import data, predictions
from cnnkit.data import DetectionTruth, Listing
from cnnkit.errors import DataError, UsageError
from cnnkit.predictions import CocoIds, Run, rows_from_table
from cnnkit.records import Detections, Row
from cnnkit.spec import ModelSpec

Say = Callable[[str], None]

LABEL_FOLDERS = {"yolo": "labels", "voc": "Annotations"}  # format -> where its files lie in predictions.FORMAT
LABEL_SUFFIXES = {"yolo": ".txt", "voc": ".xml"}
FORMATS = (*predictions.EXPORT_FORMATS, *LABEL_FOLDERS)
OF_BOXES = ("coco", *LABEL_FOLDERS)


def check_formats(formats: Sequence[str], spec: ModelSpec, *, coco_ids: Path | None = None) -> None:
    """UsageError for a format that is none, or that the task has no answer for."""
    unknown = [form for form in formats if form not in FORMATS]
    if unknown:
        raise UsageError(f"format {unknown[0]!r} is not one of {', '.join(FORMATS)}.")
    boxes = [form for form in formats if form in OF_BOXES]
    if boxes and spec.task != "detection":
        raise UsageError(f"--format {boxes[0]} is for boxes, and this model is a classifier: csv and jsonl are its.")
    if coco_ids is not None and "coco" not in formats:
        raise UsageError("--coco-ids goes with --format coco.")


def refuse_shared_names(listing: Listing, formats: Sequence[str]) -> None:
    """DataError where two images would have one label file; called before anything is run."""
    suffixes = {form: LABEL_SUFFIXES[form] for form in formats if form in LABEL_FOLDERS}
    names: dict[PurePosixPath, str] = {}
    for key in listing.keys if suffixes else ():
        name = PurePosixPath(key).with_suffix("")
        first = names.setdefault(name, key)
        if first != key:
            asked = " and ".join(f"--format {form}" for form in suffixes)
            file = name.with_name(name.name + next(iter(suffixes.values())))
            raise DataError(
                f"{listing.root}: {first} and {key} would have one label file, {file}, so {asked} cannot hold both; "
                f"nothing was run. Rename one of them, or leave {asked} out: coco, csv and jsonl keep whole names."
            )


def write_exports(run: Run, formats: Sequence[str], *, coco_ids: Path | None = None, say: Say) -> tuple[Path, ...]:
    """Write each format beside the parts; `coco_ids` is a COCO ground truth whose ids are to be used.

    yolo and voc are folders of labels, predictions.yolo/labels/KEY.txt (and data.yaml) and
    predictions.voc/Annotations/KEY.xml: a file for each image that was answered, boxes without their scores.
    """
    written = []
    for form in dict.fromkeys(formats):
        if form in LABEL_FOLDERS:
            written.append(_write_labels(run, form))
        elif form == "coco":
            written.append(predictions.write_export(run, form, ids=_coco_ids(run, coco_ids, say)))
        else:
            written.append(predictions.write_export(run, form))
    return tuple(written)


def _coco_ids(run: Run, path: Path | None, say: Say) -> CocoIds:
    """The truth's ids where there is one; else COCO's own numbers for COCO's own classes."""
    if path is not None:
        return _ids_of(run, path, say)
    return CocoIds(categories=data.coco_categories(run.spec.classes))


def _ids_of(run: Run, path: Path, say: Say) -> CocoIds:
    truth = data.read_coco(path)
    keys = [key for batch in run.batches(["key"]) for key in batch.column("key").to_pylist()]
    matched = data.match_boxes(truth, keys, classes=run.spec.classes)
    numbers = dict(zip(truth.classes, truth.category_ids, strict=True))
    categories: dict[int, tuple[int, str]] = {}
    for at, known in enumerate(run.spec.classes):
        name = next((each for each in (known.name, *known.aliases) if each in numbers), None)
        if name is not None:
            categories[at] = numbers[name], name
    lacking = len(keys) - len(matched.keys), len(run.spec.classes) - len(categories)
    for n, what in zip(lacking, ("images", "classes"), strict=True):
        if n:
            say(f"Boxes of {n} {what} that {path} does not list are not in predictions.coco.json.")
    return CocoIds(dict(zip(matched.keys, matched.image_ids, strict=True)), categories)


def _write_labels(run: Run, form: str) -> Path:
    """Through the writers of data sets, a batch of rows at a time; the folder takes its name when it is whole."""
    target = run.path / f"predictions.{form}"
    with _replaced_folder(target) as folder:
        for batch in run.batches():
            rows = [row for row in rows_from_table(batch) if isinstance(row.prediction, Detections)]
            if form == "yolo":
                data.write_yolo(_as_labels(rows, run), folder)
            else:
                data.write_voc(_as_labels(rows, run), folder)
        if form == "yolo":
            data.write_data_yaml(folder, run.spec.names, [None])
    return target


def _as_labels(rows: Sequence[Row], run: Run) -> DetectionTruth:
    """Predictions as labels: VOC's corners, counted from 1, from the shortest decimals of each float32."""
    found = [row.prediction for row in rows if isinstance(row.prediction, Detections)]
    counts = [len(each.boxes) for each in found]
    corners = [tuple(float(str(side)) for side in box) for each in found for box in each.boxes]
    boxes = np.array([(x1 + 1, y1 + 1, x2, y2) for x1, y1, x2, y2 in corners], np.float64).reshape(-1, 4)
    n = len(boxes)
    labels = DetectionTruth(
        source=run.path,
        keys=tuple(row.key for row in rows),
        sizes=np.array([(row.height or 0, row.width or 0) for row in rows], np.int64).reshape(-1, 2),
        classes=tuple(run.spec.names),
        image=np.repeat(np.arange(len(rows)), counts),
        category=np.concatenate([np.zeros(0, np.int32), *(each.classes for each in found)]).astype(np.int64),
        boxes=boxes,
        area=np.zeros(n),
        iscrowd=np.zeros(n, np.bool_),
        difficult=np.zeros(n, np.bool_),
        form="corners",
    )
    return replace(labels, area=np.asarray(labels.xywh()[:, 2:].prod(axis=1)))


@contextmanager
def _replaced_folder(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
