"""Boxes in a CSV file, a row a box."""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

from cnnkit.data._detection_truth import Columns, DetectionTruth, with_sorted_classes
from cnnkit.data._text import csv_rows, read_text
from cnnkit.errors import DataError
from cnnkit.files import write_text

KEYS = ("key", "filename", "file_name", "file", "image", "image_path", "path")
CLASSES = ("class", "label", "name", "class_name", "category")
CORNERS = (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"))
SIDES = (("x", "y", "w", "h"), ("x", "y", "width", "height"), ("left", "top", "width", "height"))
HEADER = ("key", "class", "x", "y", "w", "h", "area", "iscrowd", "difficult", "image_height", "image_width")


def read_boxes_csv(path: Path) -> DetectionTruth:
    """Read a CSV file with a header: key, class, and x1 y1 x2 y2 (right and bottom exclusive) or x y w h, in pixels.

    `area`, `iscrowd`, `difficult`, `image_height` and `image_width` are read where they are there; beside corners,
    `height` and `width` are the image's. A row with a key alone is an image without objects.

    Raises:
        DataError: no such header, a value that is no finite number, a box with a negative size.
    """
    rows = csv_rows(path, read_text(path))
    header = [cell.lower() for cell in rows[0][1]] if rows else []
    layout = _layout(path, header)
    columns = Columns()
    images: dict[str, int] = {}
    sizes: list[tuple[int, int]] = []
    classes: dict[str, int] = {}
    for number, cells in rows[1:]:
        if len(cells) != len(header):
            raise DataError(f"{path}: line {number} has {len(cells)} columns, the header {len(header)}.")
        row = _Row(f"{path}: line {number}", dict(zip(header, cells, strict=True)))
        image = images.setdefault(row.text(layout.key), len(images))
        if image == len(sizes):
            sizes.append((0, 0))
        size = row.whole(layout.size[0]), row.whole(layout.size[1])
        sizes[image] = size if any(size) else sizes[image]
        name = row.cells[layout.label]
        if name:
            columns.add(
                image,
                classes.setdefault(name, len(classes)),
                layout.box_of(row),
                area=row.number("area") if row.cells.get("area") else math.nan,
                iscrowd=row.flag("iscrowd"),
                difficult=row.flag("difficult"),
            )
    return with_sorted_classes(columns.truth(path, list(images), sizes, list(classes)))


def write_boxes_csv(truth: DetectionTruth, path: Path) -> tuple[str, ...]:
    """Write a row a box, and a row with the key alone for an image without; nothing is lost."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    rows: list[list[list[object]]] = [[] for _ in truth.keys]
    for at, box in enumerate(truth.xywh().tolist()):
        name = truth.classes[truth.category[at]]
        flags = int(truth.iscrowd[at]), int(truth.difficult[at])
        rows[truth.image[at]].append([name, *map(repr, box), repr(float(truth.area[at])), *flags])
    for key, size, boxes in zip(truth.keys, truth.sizes.tolist(), rows, strict=True):
        for box in boxes or [[""] * (len(HEADER) - 3)]:
            writer.writerow([key, *box, *(side or "" for side in size)])
    write_text(path, text.getvalue())
    return ()


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    cells: dict[str, str]

    def text(self, column: str) -> str:
        if not self.cells[column]:
            raise DataError(f"{self.where}: {column} is empty.")
        return self.cells[column]

    def number(self, column: str) -> float:
        try:
            value = float(self.cells[column])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataError(f"{self.where}: {column} is {self.cells[column]!r}, expected a finite number.")
        return value

    def whole(self, column: str) -> int:
        """A size; 0 where the column is not there or empty."""
        return int(self.number(column)) if self.cells.get(column) else 0

    def flag(self, column: str) -> bool:
        said = (self.cells.get(column) or "0").lower()
        if said not in ("0", "1", "false", "true"):
            raise DataError(f"{self.where}: {column} is {said!r}, expected 0 or 1.")
        return said in ("1", "true")


@dataclass(frozen=True, slots=True)
class _Layout:
    key: str
    label: str
    box: tuple[str, ...]
    corners: bool
    size: tuple[str, str]

    def box_of(self, row: _Row) -> tuple[float, float, float, float]:
        a, b, c, d = (row.number(column) for column in self.box)
        w, h = (c - a, d - b) if self.corners else (c, d)
        if w < 0 or h < 0:
            rule = "right and bottom must not lie before left and top" if self.corners else "sizes must not be negative"
            raise DataError(f"{row.where}: {' '.join(self.box)} are {a:g} {b:g} {c:g} {d:g}: {rule}.")
        return a, b, w, h


def _layout(path: Path, header: list[str]) -> _Layout:
    key = next((name for name in KEYS if name in header), None)
    label = next((name for name in CLASSES if name in header), None)
    corners = next((names for names in CORNERS if set(names) <= set(header)), None)
    sides = next((names for names in SIDES if set(names) <= set(header)), None)
    box = corners or sides
    if key is None or label is None or box is None:
        raise DataError(
            f"{path}: the first line must name the columns key, class and x1 y1 x2 y2 or x y w h; "
            f"it is {','.join(header) or 'empty'!r}."
        )
    own_size = {"image_height", "image_width"} <= set(header) or corners is None
    size = ("image_height", "image_width") if own_size else ("height", "width")
    return _Layout(key, label, box, corners is not None, size)
