"""Small text files that people write: read as UTF-8, with or without BOM, whatever the line ends."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from cnnkit.errors import DataError


def read_text(path: Path) -> str:
    if path.is_fifo():
        raise DataError(f"{path}: a pipe, which can be read only once. Write it to a file first.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text at byte {error.start}. Save it as UTF-8.") from error


def read_json(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}.") from error


def csv_rows(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """The rows that are not empty, each with its line number; the delimiter is what the first line has first."""
    first = text.lstrip().partition("\n")[0]
    delimiter = next((mark for mark in first if mark in ",;\t"), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num} is not CSV: {error}.") from error
    return rows
