"""Label files (the classes of a model, in its order) and class maps (other names for them)."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit.data._coco_numbering import with_coco_names
from cnnkit.data._text import csv_rows, read_json, read_text
from cnnkit.errors import DataError
from cnnkit.spec import ClassName

BACKGROUND = "background"
_SYNSET = re.compile(r"(n\d{8})\s+(\S.*)")
_HEADER = {"folder", "from", "name", "key", "alias", "synset", "wnid"}


@dataclass(frozen=True, slots=True)
class Labels:
    """The classes in the model's order. `background`: the file began with that line, which is no class."""

    classes: tuple[ClassName, ...]
    background: bool = False


def read_labels(path: Path) -> Labels:
    """Read the names of a model's classes, in the order of its outputs.

    A plain list (one name a line, spaces and commas belong to it); `WNID words` lines, where the WNID and the whole
    of the words become aliases of the first word group that no other class has; JSON: a list of names, `{index:
    name}`, `{index: [wnid, name]}` or `{name: index}`. A first entry `background` is taken away and reported.
    COCO's 80 classes in darknet's spelling (`sofa`, `tvmonitor`) answer to COCO's names too.

    Raises:
        DataError: unreadable, empty, a blank line between names, indices that are not 0 .. n-1.
    """
    entries = _from_json(path) if path.suffix.lower() == ".json" else _from_lines(path)
    background = len(entries) > 1 and entries[0][-1].lower() == BACKGROUND
    entries = entries[1:] if background else entries
    return Labels(with_coco_names(_class_names(entries)), background)


def read_class_map(path: Path) -> dict[str, str]:
    """Read other names for classes: `{folder: class name}`.

    Lines `folder name...` (an ImageNet synset file is one), `.csv` rows `folder,name`, `.json` `{folder: name}` or
    `{index: [wnid, name]}`.

    Raises:
        DataError: unreadable, empty, a line with one word, a folder given two names.
    """
    pairs = _map_pairs(path)
    if not pairs:
        raise DataError(f"{path}: empty; a class map has lines `folder name`.")
    names: dict[str, str] = {}
    for folder, name in pairs:
        if names.setdefault(folder, name) != name:
            raise DataError(f"{path}: maps {folder!r} to {names[folder]!r} and to {name!r}.")
    return names


def _from_lines(path: Path) -> list[tuple[str, ...]]:
    """Each class as (words,) or (wnid, words)."""
    lines = [line.strip() for line in read_text(path).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise DataError(f"{path}: empty; a label file has one class name a line.")
    if "" in lines:
        raise DataError(
            f"{path}: line {lines.index('') + 1} is blank, so every class after it would be one place off. Take it out."
        )
    matches = [_SYNSET.fullmatch(line) for line in lines]
    if all(match or line.lower() == BACKGROUND for match, line in zip(matches, lines, strict=True)):
        return [(match[1], match[2]) if match else (line,) for match, line in zip(matches, lines, strict=True)]
    return [(line,) for line in lines]


def _from_json(path: Path) -> list[tuple[str, ...]]:
    value = read_json(path)
    if isinstance(value, dict):
        value = _by_index(path, value)
    if not isinstance(value, list) or not value:
        raise DataError(f"{path}: expected a JSON list of names or an object {{index: name}} with at least one entry.")
    return [_json_entry(path, at, entry) for at, entry in enumerate(value)]


def _by_index(path: Path, value: dict[str, Any]) -> list[Any]:
    if all(isinstance(at, int) and not isinstance(at, bool) for at in value.values()):  # {name: index}
        named: dict[Any, Any] = {at: name for name, at in value.items()}
    else:
        named = {int(at) if at.isdecimal() else at: name for at, name in value.items()}
    if len(named) != len(value) or set(named) != set(range(len(value))):
        raise DataError(f"{path}: the indices must be 0 to {len(value) - 1}, each once; got {_few(list(named))}.")
    return [named[at] for at in range(len(named))]


def _json_entry(path: Path, at: int, entry: Any) -> tuple[str, ...]:
    parts = entry if isinstance(entry, list) else [entry]
    if not 1 <= len(parts) <= 2 or not all(isinstance(part, str) and part.strip() for part in parts):
        raise DataError(f"{path}: class {at} must be a name or [wnid, name], got {entry!r}.")
    return tuple(part.strip() for part in parts)


def _class_names(entries: list[tuple[str, ...]]) -> tuple[ClassName, ...]:
    firsts = Counter(entry[-1].partition(",")[0].strip() for entry in entries)
    classes = []
    for *wnid, words in entries:
        first = words.partition(",")[0].strip()
        name = first if wnid and firsts[first] == 1 else words
        aliases = (*wnid, *([words] if words != name else []))
        classes.append(ClassName(name=name, aliases=aliases))
    return tuple(classes)


def _map_pairs(path: Path) -> list[tuple[str, str]]:
    if path.suffix.lower() == ".json":
        return _json_pairs(path)
    text = read_text(path)
    if path.suffix.lower() == ".csv":
        rows = csv_rows(path, text)
        if rows and rows[0][1][0].lower() in _HEADER:
            rows = rows[1:]
        return [_pair(path, line, cells) for line, cells in rows]
    lines = [(at, line.split(None, 1)) for at, line in enumerate(text.splitlines(), 1) if line.strip()]
    return [_pair(path, at, [cell.strip() for cell in cells]) for at, cells in lines]


def _json_pairs(path: Path) -> list[tuple[str, str]]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a JSON object {{folder: name}}, got {type(value).__name__}.")
    return [_pair(path, folder, name if isinstance(name, list) else [folder, name]) for folder, name in value.items()]


def _pair(path: Path, where: int | str, cells: list[Any]) -> tuple[str, str]:
    if len(cells) != 2 or not all(isinstance(cell, str) and cell for cell in cells):
        raise DataError(f"{path}: entry {where} must be a folder and a class name, got {cells!r}.")
    return cells[0], cells[1]


def _few(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values[:5]) + (", ..." if len(values) > 5 else "")
