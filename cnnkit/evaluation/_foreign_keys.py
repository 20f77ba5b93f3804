"""What another tool calls an image, and the image that it means."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import DataError
from cnnkit.evaluation._foreign_files import OK, ForeignAnswers
from cnnkit.results import NO_PREDICTION


@dataclass(frozen=True)
class Matched:
    """The labelled images in key order, and for each the row of the file that answers it; -1: none does.

    `bad` counts those without an answer by reason, `n_elsewhere` the rows about images outside the part.
    """

    keys: tuple[str, ...]
    rows: NDArray[np.int64]
    bad: dict[str, int]
    n_elsewhere: int

    @property
    def ok(self) -> NDArray[np.bool_]:
        return np.asarray(self.rows >= 0)


def match(
    path: Path, found: ForeignAnswers, labelled: Iterable[str], places: Mapping[str, int], n_elsewhere: int, root: Path
) -> Matched:
    """DataError when no labelled image has an answer."""
    keys = tuple(sorted(labelled))
    rows = [places.get(key, -1) for key in keys]
    statuses = [NO_PREDICTION if row < 0 else found.statuses[row] for row in rows]
    answered = [row if status == OK else -1 for row, status in zip(rows, statuses, strict=True)]
    if max(answered) < 0:
        raise DataError(f"{path}: has no answer for any of the {len(keys)} labelled images of {root}.")
    bad = Counter(status for status in statuses if status != OK)
    return Matched(keys, np.array(answered, dtype=np.int64), dict(sorted(bad.items())), n_elsewhere)


def places_of(
    path: Path, written: Sequence[str], images: Iterable[str], root: Path, data: Path, *, others: bool = False
) -> tuple[dict[str, int], int]:
    """The row of each image's key, and how many rows are about images outside the part.

    Raises:
        DataError: a name of several images; two names of one; unless `others`, one of no image of the data (with
            `others`, of which the folders may have moved, the end of a path is enough).
    """
    known: set[str] = set(images)
    by_name: dict[str, list[str]] = defaultdict(list)
    for image in known:
        for short in {image.rpartition("/")[2], Path(image).stem}:
            by_name[short].append(image)
    places: dict[str, int] = {}
    n_elsewhere = 0
    for at, name in enumerate(written):
        key = _key(path, name, known, by_name, root, data, others=others)
        if key is None:
            n_elsewhere += 1
        elif places.setdefault(key, at) != at:
            raise DataError(f"{path}: {name!r} and {written[places[key]]!r} are the same image, {key!r}.")
    return places, n_elsewhere


def _key(
    path: Path,
    name: str,
    known: set[str],
    by_name: Mapping[str, list[str]],
    root: Path,
    data: Path,
    *,
    others: bool,
) -> str | None:
    """The key that a name stands for; a bare name only when no other image has it. None: outside the part."""
    short = name.replace("\\", "/").removeprefix(f"{root.as_posix()}/").removeprefix("./")
    if short in known:
        return short
    inside = short.removeprefix(f"{data.as_posix()}/")
    below = root.relative_to(data).as_posix() + "/" if root != data else ""
    if inside.removeprefix(below) in known:
        return inside.removeprefix(below)
    if (data / inside).exists():
        return None
    same = sorted(by_name.get(short, [])) if "/" not in short else []
    if len(same) == 1:
        return same[0]
    if same:
        raise DataError(
            f"{path}: {name!r} could be {len(same)} images, such as {same[0]!r} and {same[1]!r}. Write whole paths "
            f"below the folder (timm: --fullname)."
        )
    if others:
        return next(
            (short[at + 1 :] for at, mark in enumerate(short) if mark == "/" and short[at + 1 :] in known), None
        )
    raise DataError(f"{path}: {name!r} is no image of {data}. A key is the path below the folder.")
