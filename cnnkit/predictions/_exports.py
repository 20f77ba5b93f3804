"""One file beside the parts for those who want csv or jsonl."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from cnnkit.files import replace_atomically
from cnnkit.predictions._run import Run
from cnnkit.predictions._table import rows_from_table
from cnnkit.records import Classification, Detections, Row

EXPORT_FORMATS = ("csv", "jsonl")
CSV_GUESSES = 5  # top1,p1 ... top5,p5, whatever k was


def write_export(run: Run, form: str) -> Path:
    """Write predictions.csv or predictions.jsonl into the run folder and return its path.

    csv, classification: key,status,error,top1,p1,...,top5,p5 with class names; guesses that do not exist stay empty.
    csv, detection: key,status,error,class,score,x1,y1,x2,y2, a row a box; an image without boxes has one row.
    jsonl: a line an image: key, status, error, width, height, digest (hex) and `top` or `boxes`.
    """
    writers = {"csv": _write_csv, "jsonl": _write_jsonl}
    if form not in writers:
        raise ValueError(f"format {form!r} is not one of {', '.join(EXPORT_FORMATS)}")
    path = run.path / f"predictions.{form}"
    with replace_atomically(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writers[form](run, file)
    return path


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
