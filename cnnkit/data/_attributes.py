"""What a CSV says of each image besides its class: camera, weather, age; one column an attribute."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnkit.data._parts import find_part
from cnnkit.data._text import csv_rows, read_text
from cnnkit.data._truth import match_keys, prefix_of
from cnnkit.data._truth_file import KEY_COLUMNS
from cnnkit.errors import DataError


@dataclass(frozen=True, slots=True)
class Attributes:
    """Each column's value for every key asked for, None where its cell is empty or the file lacks the key.

    `n_unknown` rows of the file are about other images.
    """

    columns: dict[str, list[str | None]]
    n_unknown: int


def read_attributes(path: Path, data: Path, *, split: str | None = None, keys: Sequence[str]) -> Attributes:
    """Read a CSV whose header names a key column and further columns.

    Args:
        path: the file; comma, semicolon or tab.
        data: the folder, or one with parts, that its keys are relative to.
        split: the part, as `find_part` has it.
        keys: of the images wanted.

    Raises:
        DataError: no header with a key, no other column, a row of another length, two rows for one image that
            differ, no row about any of the keys.
    """
    header, rows = _table(path)
    at_key = next((at for at, name in enumerate(header) if name.lower() in KEY_COLUMNS), None)
    if at_key is None:
        raise DataError(
            f"{path}: no column of keys: its header has {', '.join(header)}. Name it key; it holds the path below the "
            f"folder."
        )
    names = [name for at, name in enumerate(header) if at != at_key]
    if not names:
        raise DataError(f"{path}: has keys and nothing else; a column for each attribute is expected.")
    lines: dict[str, tuple[int, list[str]]] = {}
    for number, cells in rows:
        rest = cells[:at_key] + cells[at_key + 1 :]
        before = lines.setdefault(cells[at_key], (number, rest))
        if before[1] != rest:
            raise DataError(f"{path}: {cells[at_key]!r} has other values on line {number} than on line {before[0]}.")
    part = find_part(data, split=split)
    found, n_unknown = match_keys(lines, path, data, part, prefix_of(data, part, keys), keys)
    values = [found[key][1] if key in found else None for key in keys]
    columns = {
        name: [None if cells is None else cells[at] or None for cells in values] for at, name in enumerate(names)
    }
    return Attributes(columns, n_unknown)


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    rows = csv_rows(path, read_text(path))
    if len(rows) < 2:
        raise DataError(f"{path}: no attributes in it; expected a header such as key,camera and a row for each image.")
    header = rows[0][1]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice or "" in header:
        raise DataError(f"{path}: its header names a column {twice[0]!r} twice." if twice else _unnamed(path, header))
    for number, cells in rows[1:]:
        if len(cells) != len(header):
            raise DataError(f"{path}: line {number} has {len(cells)} columns, expected {len(header)}.")
    return header, rows[1:]


def _unnamed(path: Path, header: list[str]) -> str:
    return f"{path}: column {header.index('') + 1} of its header has no name."
