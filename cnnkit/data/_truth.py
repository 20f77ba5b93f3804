"""What each image shows: from class folders or a truth file, as positions in the model's class list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from cnnkit.data._classes import ClassIndex, shown_name
from cnnkit.data._folders import class_of_key, flat_folder
from cnnkit.data._listing import find_images
from cnnkit.data._parts import ALL, Part, find_part, find_parts
from cnnkit.data._truth_file import Line, read_truth_file
from cnnkit.errors import DataError
from cnnkit.spec import ClassName

L = TypeVar("L")

N_PROBED = 64  # keys that are looked up on the disk to see what they are relative to
N_NAMED = 5


@dataclass(frozen=True, slots=True)
class Truth:
    """`labels`: the class index of each key that has one. Keys are the run's.

    `root` is the folder that was read and `part` its name; `prefix` begins the keys that lie in it.
    """

    labels: dict[str, int]
    root: Path
    part: str | None = None
    prefix: str = ""
    n_unlabelled: int = 0  # images of the part without a label
    n_outside_part: int = 0  # images of the run that lie in another part
    n_without_image: int = 0  # labels for images that the run has not
    notes: tuple[str, ...] = ()


def read_truth(
    data: Path,
    *,
    classes: Sequence[ClassName],
    truth: Path | None = None,
    truth_index: bool = False,
    split: str | None = None,
    class_map: Mapping[str, str] | None = None,
    keys: Iterable[str] | None = None,
) -> Truth:
    """Say for each key which of `classes` it shows.

    Args:
        data: the labelled folder, or one with parts: `split` chooses, else test, else val.
        classes: the model's, in its order; a label is found by name or alias.
        truth: a file of labels; without it the class is the folder, the first component of a key below the part.
        truth_index: labels are positions in `classes`.
        split: the part, or "all".
        class_map: other names for classes.
        keys: the run's, relative to `data` or to its part; without them, all images of the part.

    Raises:
        DataError: no labels, a label that no class or several answer to, no key that a label belongs to.
    """
    part = find_part(data, split=split)
    run_keys = list(find_images(part.root).keys if keys is None else keys)
    prefix = "" if keys is None else prefix_of(data, part, run_keys)
    inside = [key for key in run_keys if key.startswith(prefix)]
    refuse_nothing_inside(data, part, run_keys, inside)
    index = ClassIndex(classes, class_map)
    if truth is None:
        named, missing, where = _by_folder(data, part, prefix, inside, split), 0, f"{part.root}: class folders"
        _refuse_one_level_up(part.root, named, index)
    else:
        named, missing = match_keys(read_truth_file(truth), truth, data, part, prefix, inside)
        where = str(truth)
    positions = positions_of(named, index, where=where, truth_index=truth_index)
    labels = {key: positions[line.label] for key, line in named.items()}
    counts = len(inside) - len(labels), len(run_keys) - len(inside), missing
    notes = (*part.notes, *part_notes(part, classes, set(labels.values()), *counts))
    return Truth(labels, part.root, part.name, prefix, *counts, notes)


def prefix_of(data: Path, part: Part, keys: Sequence[str]) -> str:
    """What begins the keys of the part: nothing when they are relative to it, its path when relative to `data`."""
    if part.root == data:
        return ""
    below = part.root.relative_to(data).as_posix() + "/"
    step = max(len(keys) // N_PROBED, 1)
    probes = list(islice(keys, 0, None, step))
    in_part = sum((part.root / key).exists() for key in probes)
    in_data = sum((data / key).exists() for key in probes)
    if in_part == in_data:  # as when the images have been moved away
        return below if any(key.startswith(below) for key in keys) else ""
    return below if in_data > in_part else ""


def refuse_nothing_inside(data: Path, part: Part, keys: Sequence[str], inside: Sequence[str]) -> None:
    if not keys:
        raise DataError(f"{data}: the run has no images to score.")
    if not inside:
        raise DataError(
            f"{data}: none of the run's {len(keys)} images lies in {part.root} (the first is {keys[0]!r}). "
            f"--split NAME chooses the part, all takes every one."
        )


def _by_folder(data: Path, part: Part, prefix: str, keys: Sequence[str], split: str | None) -> dict[str, Line]:
    skipped = {folder.name for folder in find_parts(data).values()} if split == ALL else set()
    named = {}
    for key in keys:
        below = key.removeprefix(prefix)
        if skipped and below.partition("/")[0] in skipped:
            below = below.partition("/")[2]
        folder = class_of_key(below)
        if folder is not None:
            named[key] = Line(0, folder)
    if not named:
        raise DataError(flat_folder(part.root, len(keys)))
    return named


def _refuse_one_level_up(root: Path, named: Mapping[str, Line], index: ClassIndex) -> None:
    """DATA/images/cat/1.jpg scored as DATA: the class folders lie one level down."""
    for key, line in named.items():
        folder = class_of_key(key.partition(f"{line.label}/")[2])
        if not index.answers(line.label) and folder is not None and index.answers(folder):
            raise DataError(
                f"{root}: class folders: no class of the model answers to {line.label!r}, but one does to the folder "
                f"{folder!r} in it. Did you mean {root / line.label}?"
            )


def match_keys(
    lines: Mapping[str, L], truth: Path, data: Path, part: Part, prefix: str, keys: Sequence[str]
) -> tuple[dict[str, L], int]:
    """The lines for the keys, and how many lines are for none of them. Keys of the file may have the part or not."""
    below = "" if part.root == data else part.root.relative_to(data).as_posix() + "/"
    wanted = set(keys)
    named = {}
    for written, line in lines.items():
        short = _relative(written, data, part)
        spellings = (short, prefix + short, short.removeprefix(below))
        key = next((spelling for spelling in spellings if spelling in wanted), None)
        if key is not None:
            named[key] = line
    if not named:
        raise DataError(
            f"{truth}: none of its {len(lines)} keys is an image of {part.root}: it has {next(iter(lines))!r}, "
            f"the images have {keys[0]!r}. A key is the path below the folder."
        )
    return named, len(lines) - len(named)


def _relative(written: str, data: Path, part: Part) -> str:
    for root in (part.root, data):
        written = written.removeprefix(root.as_posix() + "/")
    return written.replace("\\", "/").removeprefix("./") if "\\x" not in written else written


def positions_of(named: Mapping[str, Line], index: ClassIndex, *, where: str, truth_index: bool) -> dict[str, int]:
    first: dict[str, int] = {}
    for line in named.values():
        first.setdefault(line.label, line.number)
    if truth_index:
        return {label: _as_index(label, number, len(index.classes), where) for label, number in first.items()}
    unknown = [label for label in first if not index.answers(label)]
    if len(unknown) == len(first) and all(_is_integer(label) for label in unknown):
        shown = ", ".join(unknown[:N_NAMED]) + (", ..." if len(unknown) > N_NAMED else "")
        raise DataError(
            f"{where}: no class of the model answers to {shown}; all are integers. If they are positions in the "
            f"model's class list, 0 to {len(index.classes) - 1}, give --truth-index."
        )
    if unknown and first[unknown[0]]:
        where = f"{where}, line {first[unknown[0]]}"
    return index.find_all(first, where=where)


def _as_index(label: str, number: int, n: int, where: str) -> int:
    at = int(label) if _is_integer(label) else -1
    if not 0 <= at < n:
        line = f", line {number}" if number else ""
        hint = " Do they count from 1?" if label == str(n) else ""
        raise DataError(f"{where}{line}: {label!r} is no position in the model's {n} classes, 0 to {n - 1}.{hint}")
    return at


def _is_integer(label: str) -> bool:
    return label.removeprefix("-").isdecimal()


def part_notes(
    part: Part, classes: Sequence[ClassName], present: set[int], unlabelled: int, outside: int, missing: int
) -> list[str]:
    notes = []
    empty = sorted(set(range(len(classes))) - present)
    if empty:
        names = ", ".join(shown_name(classes[at].name) for at in empty[:N_NAMED])
        more = f" and {len(empty) - N_NAMED} others" if len(empty) > N_NAMED else ""
        notes.append(f"{len(empty)} of {len(classes)} classes have no image here: {names}{more}.")
    if unlabelled:
        notes.append(f"Images without a label, not scored: {unlabelled}.")
    if outside:
        notes.append(f"Images of the run outside {part.root}, not scored: {outside}.")
    if missing:
        notes.append(f"Labels for images that the run does not have: {missing}.")
    return notes
