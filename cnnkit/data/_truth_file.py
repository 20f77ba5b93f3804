"""Truth in a text file: `key,label` as CSV, or `name label` as ImageNet's val.txt has it."""

from dataclasses import dataclass
from pathlib import Path

from cnnkit.data._text import csv_rows, read_text
from cnnkit.errors import DataError

KEY_COLUMNS = ("key", "file", "filename", "file_name", "path", "filepath", "image", "image_path", "img", "name", "id")
LABEL_COLUMNS = ("label", "class", "class_name", "category", "target", "species")


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    label: str


def read_truth_file(path: Path) -> dict[str, Line]:
    """The label of each key, as the file writes both.

    CSV (comma, semicolon or tab, quoted or not) with two columns, or with more under a header that names them;
    otherwise lines whose last word is the label.

    Raises:
        DataError: unreadable, empty, a line without key or label, one key with two labels.
    """
    text = read_text(path)
    first = text.lstrip().partition("\n")[0]
    pairs = _from_csv(path, text) if any(mark in first for mark in ",;\t") else _from_words(path, text)
    if not pairs:
        raise DataError(f"{path}: no labels in it; expected lines key,label.")
    lines: dict[str, Line] = {}
    for number, key, label in pairs:
        if not key or not label:
            raise DataError(f"{path}: line {number} must have a key and a label, got {key!r} and {label!r}.")
        before = lines.setdefault(key, Line(number, label))
        if before.label != label:
            raise DataError(
                f"{path}: {key!r} has the label {before.label!r} on line {before.number} and {label!r} on "
                f"line {number}. Where an image may show several classes, give --multilabel."
            )
    return lines


def _from_words(path: Path, text: str) -> list[tuple[int, str, str]]:
    pairs = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.rsplit(None, 1)
        if len(words) == 1:
            raise DataError(f"{path}: line {number} must have a key and a label, got {line.strip()!r}.")
        if words:
            pairs.append((number, words[0].strip(), words[1]))
    return pairs


def _from_csv(path: Path, text: str) -> list[tuple[int, str, str]]:
    rows = csv_rows(path, text)
    if not rows:
        return []
    columns = _columns(rows[0][1])
    if columns is None and len(rows[0][1]) != 2:
        raise DataError(
            f"{path}: line {rows[0][0]} has {len(rows[0][1])} columns. Expected two, key and label, or a header that "
            f"names them (key,label)."
        )
    at_key, at_label = columns or (0, 1)
    pairs = []
    for number, cells in rows[1 if columns else 0 :]:
        if len(cells) <= max(at_key, at_label) or (columns is None and len(cells) != 2):
            raise DataError(f"{path}: line {number} has {len(cells)} columns, expected {len(rows[0][1])}.")
        pairs.append((number, cells[at_key], cells[at_label]))
    return pairs


def _columns(header: list[str]) -> tuple[int, int] | None:
    """Where key and label stand, when the row is a header."""
    names = [cell.lower() for cell in header]
    keys = [at for at, name in enumerate(names) if name in KEY_COLUMNS]
    labels = [at for at, name in enumerate(names) if name in LABEL_COLUMNS]
    return (keys[0], labels[0]) if keys and labels else None
