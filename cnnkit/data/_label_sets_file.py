"""Truth files with any number of labels an image: lists of labels, or a column of 0 and 1 for each class."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit.data._text import csv_rows, read_json, read_text
from cnnkit.data._truth_file import KEY_COLUMNS, LABEL_COLUMNS
from cnnkit.errors import DataError

SETS = tuple(f"{name}s" for name in LABEL_COLUMNS) + LABEL_COLUMNS + ("categories", "classes")
BETWEEN_LABELS = ("|", ";")


@dataclass(frozen=True, slots=True)
class SetLine:
    """The labels of one image as the file writes them, maybe none; `number` is the line, 0 in JSON."""

    number: int
    labels: tuple[str, ...]


def read_label_sets_file(path: Path) -> dict[str, SetLine]:
    """The labels of each key.

    JSON: `{key: [labels]}`, or a list of objects with a key and `labels`. CSV: `key,labels` with `|` or `;` between
    labels (a key may have several lines), or a header of `key` and class names over cells of 0 and 1.

    Raises:
        DataError: unreadable, empty, a cell or a value that is neither.
    """
    lines = _from_json(path) if path.suffix.lower() == ".json" else _from_csv(path)
    if not lines:
        raise DataError(f"{path}: no labels in it; expected lines key,label|label or JSON {{key: [labels]}}.")
    return lines


def _from_json(path: Path) -> dict[str, SetLine]:
    found = read_json(path)
    entries = found.items() if isinstance(found, dict) else _pairs(path, found)
    lines = {}
    for key, labels in entries:
        if not isinstance(labels, list) or not all(isinstance(label, str | int) for label in labels):
            raise DataError(f"{path}: the labels of {key!r} must be a list of names, got {labels!r}.")
        lines[str(key)] = SetLine(0, tuple(dict.fromkeys(str(label) for label in labels)))
    return lines


def _pairs(path: Path, found: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(found, list):
        raise DataError(f"{path}: expected an object or a list, got {type(found).__name__}.")
    for at, entry in enumerate(found):
        known = entry if isinstance(entry, dict) else {}
        key = next((known[name] for name in KEY_COLUMNS if name in known), None)
        labels = next((known[name] for name in SETS if name in known), None)
        if key is None or labels is None:
            raise DataError(f"{path}: entry {at} has no key and labels: {entry!r}.")
        yield str(key), labels


def _from_csv(path: Path) -> dict[str, SetLine]:
    rows = csv_rows(path, read_text(path))
    if not rows:
        return {}
    header = [cell.lower() for cell in rows[0][1]]
    named = [at for at, cell in enumerate(header) if cell in KEY_COLUMNS]
    at_labels = [at for at, cell in enumerate(header) if cell in SETS]
    if named and not at_labels and len(header) > 1:
        return _from_columns(path, rows, named[0])
    places = (named[0], at_labels[0]) if named and at_labels else (0, 1)
    lines: dict[str, SetLine] = {}
    for number, cells in rows[1 if named and at_labels else 0 :]:
        if len(cells) <= max(places) or not cells[places[0]]:
            raise DataError(f"{path}: line {number} must have a key and labels, got {', '.join(cells)!r}.")
        key, before = cells[places[0]], lines.get(cells[places[0]])
        labels = (*(before.labels if before else ()), *_split(cells[places[1]]))
        lines[key] = SetLine(before.number if before else number, tuple(dict.fromkeys(labels)))
    return lines


def _split(cell: str) -> list[str]:
    mark = next((mark for mark in BETWEEN_LABELS if mark in cell), "|")
    return [label.strip() for label in cell.split(mark) if label.strip()]


def _from_columns(path: Path, rows: list[tuple[int, list[str]]], at_key: int) -> dict[str, SetLine]:
    names = rows[0][1]
    lines = {}
    for number, cells in rows[1:]:
        if len(cells) != len(names):
            raise DataError(f"{path}: line {number} has {len(cells)} columns, expected {len(names)}.")
        labels = []
        for at, cell in enumerate(cells):
            if at != at_key and cell not in ("0", "1"):
                raise DataError(f"{path}: line {number}, column {names[at]!r}: expected 0 or 1, got {cell!r}.")
            if at != at_key and cell == "1":
                labels.append(names[at])
        lines[cells[at_key]] = SetLine(number, tuple(labels))
    return lines
