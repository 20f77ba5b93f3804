"""Another tool's table as columns: CSV, Parquet, or any of the forms of JSON that timm writes."""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnkit.errors import DataError

KEYS = ("key", "filename", "file", "file_name", "path", "image", "image_path")
EXPECTED = "key and a column for each class, or key,predicted[,p]"
BOXES = ({"x1", "y1", "x2", "y2"}, {"xmin", "ymin", "xmax", "ymax"}, {"x", "y", "w", "h"}, {"bbox"})
BOXES_INSTEAD = (
    "A detector's answers are scored from its run folder, or from COCO's results file, which `cnnkit infer --format "
    "coco` writes."
)

Columns = Mapping[str, Sequence[Any]]


def read_columns(path: Path) -> dict[str, Sequence[Any]]:
    """The columns by name. DataError: unreadable, empty, two columns of one name, boxes."""
    suffix = path.suffix.lower()
    try:
        columns = _from_parquet(path) if suffix == ".parquet" else _from_text(path, is_json=suffix == ".json")
    except DataError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's errors and a wrong encoding are ValueErrors
        raise DataError(f"{path}: cannot be read: {error}.") from error
    if any(corners <= set(columns) for corners in BOXES):
        raise DataError(f"{path}: holds boxes, {', '.join(columns)}. {BOXES_INSTEAD}")
    return columns


def json_rows(text: str) -> list[dict[str, Any]]:
    """`{file: {...}}`, `{"columns": [...], "data": [...]}`, or one object a line."""
    try:
        found = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(found, dict) and set(found) >= {"columns", "data"}:
        return [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]
    if isinstance(found, dict) and KEYS[1] not in found:
        return [{KEYS[1]: name, **facts} for name, facts in found.items()]
    return [found] if isinstance(found, dict) else list(found)


def _from_parquet(path: Path) -> dict[str, Sequence[Any]]:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read()
    _refuse_shared(path, table.column_names)
    columns: dict[str, Sequence[Any]] = table.to_pydict()
    return columns


def _from_text(path: Path, *, is_json: bool) -> dict[str, Sequence[Any]]:
    text = path.read_bytes().decode("utf-8-sig")
    rows = json_rows(text) if is_json else _csv_rows(path, text)
    if not rows:
        raise DataError(f"{path}: empty; expected {EXPECTED}.")
    names = list(rows[0])
    odd = next((at for at, row in enumerate(rows, 1) if list(row) != names or None in row.values()), None)
    if odd is not None:
        raise DataError(f"{path}: row {odd} has other columns than the first, which has {', '.join(map(str, names))}.")
    return {name: [row[name] for row in rows] for name in names}


def _csv_rows(path: Path, text: str) -> list[dict[str, Any]]:
    first = text.partition("\n")[0]
    delimiter = next((mark for mark in first if mark in ",;\t"), ",")
    reader = csv.DictReader(text.splitlines(), strict=True, delimiter=delimiter)
    _refuse_shared(path, reader.fieldnames or ())
    return [row for row in reader if any(row.values())]


def _refuse_shared(path: Path, names: Sequence[str]) -> None:
    shared = next((name for name, n in Counter(names).items() if n > 1), None)
    if shared is not None:
        raise DataError(f"{path}: two of its columns are called {shared!r}. Give each a name of its own.")
