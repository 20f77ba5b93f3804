"""Folders with parts: train, val and test beside one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnkit.errors import DataError

# part -> the folder names that it goes by, the first that is there wins
PART_FOLDERS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
ALL = "all"


@dataclass(frozen=True, slots=True)
class Part:
    """The folder to read: `name` is the part it is, None when `data` has no parts or all of them are read."""

    root: Path
    name: str | None = None
    notes: tuple[str, ...] = ()


def find_parts(data: Path) -> dict[str, Path]:
    """The parts of a folder, `{"train": ..., "val": ..., "test": ...}` as far as they are there; empty without any.

    A folder has parts when `train` stands beside one of `val valid validation test` in it, or when all its folders
    are named so. (A class may be called `train`: it stands beside other classes.)
    """
    if not data.is_dir():
        return {}
    folders = {entry.name for entry in data.iterdir() if not entry.name.startswith(".") and entry.is_dir()}
    known = {name for names in PART_FOLDERS.values() for name in names}
    if not folders or not (folders <= known or ("train" in folders and len(folders & known) > 1)):
        return {}
    found = {}
    for part, names in PART_FOLDERS.items():
        present = [name for name in names if name in folders]
        if present:
            found[part] = data / present[0]
    return found


def find_part(data: Path, *, split: str | None = None, prefer: Sequence[str] = ("test", "val")) -> Part:
    """Choose what to read of `data`: the part `split`, else the first of `prefer` that is there, else all of it.

    `split="all"` reads everything; a name other than train, val and test is a folder of that name.

    Raises:
        DataError: no such part.
    """
    if not data.exists():
        raise DataError(f"{data}: no such file or folder.")
    parts = find_parts(data)
    if split == ALL:
        return Part(data)
    if split is not None:
        return _asked_for(data, parts, split)
    if not parts:
        return Part(data)
    for name in prefer:
        if name in parts:
            others = [part for part in parts if part != name]
            beside = f" (it also has {' and '.join(others)})" if others else ""
            return Part(parts[name], name, (f"{data} has parts: {parts[name].name} is read{beside}.",))
    raise DataError(
        f"{data}: has the parts {', '.join(parts)}, none of {', '.join(prefer)}. "
        f"Say which to read: --split NAME or all."
    )


def _asked_for(data: Path, parts: dict[str, Path], split: str) -> Part:
    aliases = {name: part for part, names in PART_FOLDERS.items() for name in names}
    folder = parts.get(aliases.get(split, split), data / split)
    if not split.strip("./\\") or not folder.is_dir():
        have = f"its parts are {', '.join(parts)}" if parts else "it has no parts"
        raise DataError(f"{data}: no part {split!r}; {have}.")
    return Part(folder, aliases.get(split, split))
