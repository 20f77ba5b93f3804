"""One file beside the parts for those who want csv, jsonl or COCO's results."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

import numpy as np

from cnnkit.boxes import xywh_from_xyxy
from cnnkit.files import replace_atomically
from cnnkit.predictions._run import Run
from cnnkit.predictions._table import rows_from_table
from cnnkit.records import Classification, Detections, Row

EXPORT_FORMATS = ("csv", "jsonl", "coco")
CSV_GUESSES = 5  # top1,p1 ... top5,p5, whatever k was
COCO_NAME = re.compile(r"(?:COCO_\w+_)?(\d{12})")


@dataclass(frozen=True, slots=True)
class CocoIds:
    """What a ground truth calls images and classes; boxes of others are left out. None: see `write_export`.

    images: ids by key. categories: id and name by the place of the model's class.
    """

    images: Mapping[str, int | str] | None = None
    categories: Mapping[int, tuple[int, str]] | None = None


def write_export(run: Run, form: str, *, ids: CocoIds | None = None) -> Path:
    """Write predictions.csv, predictions.jsonl or predictions.coco.json into the run folder and return its path.

    csv, classification: key,status,error,top1,p1,...,top5,p5 with class names; guesses that do not exist stay empty.
    csv, detection: key,status,error,class,score,x1,y1,x2,y2, a row a box; an image without boxes has one row.
    jsonl: a line an image: key, status, error, width, height, digest (hex) and `top` or `boxes`.
    coco: a list of image_id, category_id, bbox (x, y, x2 - x, y2 - y in float64), score, and `file_name` and
    `category_name`, by which a truth with other ids is found. Without `ids` an image that is called as COCO calls its
    own (twelve digits) has that number, any other its key; classes count from 1 in the model's order.
    """
    names = {"csv": "predictions.csv", "jsonl": "predictions.jsonl", "coco": "predictions.coco.json"}
    writers: dict[str, Callable[[Run, TextIO], None]] = {
        "csv": _write_csv,
        "jsonl": _write_jsonl,
        "coco": lambda run, file: _write_coco(run, file, ids or CocoIds()),
    }
    if form not in writers:
        raise ValueError(f"format {form!r} is not one of {', '.join(EXPORT_FORMATS)}")
    path = run.path / names[form]
    with replace_atomically(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writers[form](run, file)
    return path


def coco_image_id(key: str) -> int | str:
    """The number in a name of COCO's own, else the key: a made-up number could be another image's.

    >>> coco_image_id("val/000000000139.jpg"), coco_image_id("cats/7.jpg")
    (139, 'cats/7.jpg')
    """
    found = COCO_NAME.fullmatch(PurePosixPath(key).stem)
    return int(found[1]) if found else key


def _rows(run: Run) -> Iterator[Row]:
    for batch in run.batches():
        yield from rows_from_table(batch)


def _write_csv(run: Run, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    if run.spec.task == "classification":
        guesses = [column for k in range(1, CSV_GUESSES + 1) for column in (f"top{k}", f"p{k}")]
        writer.writerow(["key", "status", "error", *guesses])
        for row in _rows(run):
            writer.writerow([row.key, row.status, row.error or "", *_guess_cells(row, run.spec.names)])
        return
    writer.writerow(["key", "status", "error", "class", "score", "x1", "y1", "x2", "y2"])
    for row in _rows(run):
        for cells in _box_cells(row, run.spec.names) or [[""] * 6]:
            writer.writerow([row.key, row.status, row.error or "", *cells])


def _write_jsonl(run: Run, file: TextIO) -> None:
    for row in _rows(run):
        facts: dict[str, Any] = {"key": row.key, "status": row.status}
        if row.error is not None:
            facts["error"] = row.error
        facts |= {"width": row.width, "height": row.height, "digest": row.digest.hex() if row.digest else None}
        if isinstance(row.prediction, Classification):
            facts["top"] = [{"class": name, "p": p} for name, p in _guesses(row.prediction, run.spec.names)]
        elif isinstance(row.prediction, Detections):
            names = ("class", "score", "x1", "y1", "x2", "y2")
            facts["boxes"] = [dict(zip(names, cells, strict=True)) for cells in _box_cells(row, run.spec.names)]
        file.write(json.dumps(facts, ensure_ascii=False) + "\n")


def _write_coco(run: Run, file: TextIO, ids: CocoIds) -> None:
    before = "[\n"
    for row in _rows(run):
        for record in _coco_records(row, run.spec.names, ids):
            file.write(before + json.dumps(record, ensure_ascii=False))
            before = ",\n"
    file.write("\n]\n" if before.startswith(",") else "[]\n")


def _coco_records(row: Row, names: list[str], ids: CocoIds) -> Iterator[dict[str, Any]]:
    if not isinstance(row.prediction, Detections) or (ids.images is not None and row.key not in ids.images):
        return
    image = coco_image_id(row.key) if ids.images is None else ids.images[row.key]
    boxes = xywh_from_xyxy(row.prediction.boxes.astype(np.float64)).tolist()
    columns = row.prediction.classes.tolist(), row.prediction.scores.tolist(), boxes
    for index, score, box in zip(*columns, strict=True):
        if ids.categories is None or index in ids.categories:
            category, name = (index + 1, names[index]) if ids.categories is None else ids.categories[index]
            known = {"image_id": image, "category_id": category, "bbox": box, "score": score}
            yield known | {"file_name": row.key, "category_name": name}


def _guesses(prediction: Classification, names: list[str]) -> list[tuple[str, float]]:
    return [(names[at], _short(prediction.scores[at])) for at in prediction.top_ids]


def _guess_cells(row: Row, names: list[str]) -> list[Any]:
    cells: list[Any] = []
    if isinstance(row.prediction, Classification):
        cells = [cell for guess in _guesses(row.prediction, names)[:CSV_GUESSES] for cell in guess]
    return cells + [""] * (2 * CSV_GUESSES - len(cells))


def _box_cells(row: Row, names: list[str]) -> list[list[Any]]:
    if not isinstance(row.prediction, Detections):
        return []
    columns = zip(row.prediction.classes, row.prediction.scores, row.prediction.boxes, strict=True)
    return [[names[index], _short(score), *map(_short, box)] for index, score, box in columns]


def _short(value: Any) -> float:
    """A float32 by the shortest decimal that reads back as the same float32."""
    return float(str(value))
