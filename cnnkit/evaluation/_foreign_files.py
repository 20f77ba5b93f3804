"""Answers that another tool wrote: tables of scores or of best classes, timm's results, Ultralytics' text files."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import DataError
from cnnkit.evaluation._foreign_columns import (
    ANSWERS,
    INDICES,
    PROBABILITIES,
    TRUTHLIKE,
    VECTORS,
    Chosen,
    choose_columns,
    is_blank,
    is_number,
)
from cnnkit.evaluation._foreign_tables import EXPECTED, KEYS, Columns, json_rows, read_columns
from cnnkit.predictions import is_run
from cnnkit.records import STATUSES
from cnnkit.results import NO_PREDICTION

OK = "ok"
GUESSES = {
    "top1": ("top", 2),
    "label_0": ("label_", 1),
}  # the best answer -> what the next are called, from which number
SNIFFED_BYTES = 4096
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_TIMM = {*ANSWERS, *INDICES, *PROBABILITIES}

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ForeignAnswers:
    """What a file says of each image: whole `scores` (n, classes), or only the best class, by `names` or `places`.

    `statuses` are "ok" or why a row is no answer; what such a row says means nothing. `places` are positions in a class
    list that the file does not hold. `p` (n,) are probabilities, 0 where there is no answer. `guesses`: for each
    further guess after the best, the names of all rows. `unread` are columns that say something else,
    `assumed` is the column of the answers where it could be the truth.
    """

    keys: tuple[str, ...]
    statuses: tuple[str, ...]
    classes: tuple[str, ...] = ()
    scores: NDArray[np.float32] | None = None
    names: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    p: NDArray[np.float32] | None = None
    guesses: tuple[tuple[str, ...], ...] = ()
    unread: tuple[str, ...] = ()
    assumed: str | None = None

    @property
    def ok(self) -> Bools:
        return np.array([status == OK for status in self.statuses], dtype=np.bool_)


def is_answers_file(path: Path) -> bool:
    """Whether these are classes of images in a table, timm's JSON, or a folder of Ultralytics' text files."""
    if path.is_dir():
        return not is_run(path) and next(path.glob("*.txt"), None) is not None
    suffix = path.suffix.lower()
    if suffix == ".json" and path.exists():
        return _is_timm(path)
    return suffix in (".csv", ".parquet")


def refuse_exports_of_ours(path: Path) -> None:
    """What `infer --format jsonl` writes stands beside the run that is scored in its place."""
    if path.suffix.lower() == ".jsonl":
        raise DataError(
            f"{path}: lines of JSON are not scored. Give the run folder that `cnnkit infer` wrote them into, or of "
            f"another tool a CSV or Parquet file of {EXPECTED}, or a COCO results file."
        )


def read_answers(path: Path, *, known: Sequence[Collection[str]] = (), complete: bool = False) -> ForeignAnswers:
    """Read whichever form it is; `known` and `complete` as in `choose_columns`.

    DataError names the file and what is wrong in it.
    """
    if path.is_dir():
        return _from_texts(path)
    columns = read_columns(path)
    key = next((name for name in KEYS if name in columns), None)
    if key is None:
        raise DataError(f"{path}: no column names the images; expected {EXPECTED}. It has {', '.join(columns)}.")
    keys = tuple(str(value) for value in columns[key])
    twice, times = Counter(keys).most_common(1)[0] if keys else ("", 0)
    if times > 1:
        raise DataError(f"{path}: {twice!r} stands there more than once; one answer an image is scored.")
    others = {name: column for name, column in columns.items() if name != key}
    found = ForeignAnswers(keys, _statuses(others, len(keys)))
    chosen = choose_columns(path, others, known, complete=complete)
    assumed = chosen.answer if chosen.answer in TRUTHLIKE and chosen.p is None else None
    return replace(_read(path, found, others, chosen), unread=chosen.unread, assumed=assumed)


def _statuses(columns: Columns, n: int) -> tuple[str, ...]:
    """Of cnnkit's own files; in any other each row is an answer."""
    written = [str(value) for value in columns.get("status", ())]
    return tuple(written) if written and set(written) <= set(STATUSES) else (OK,) * n


def _read(path: Path, found: ForeignAnswers, columns: Columns, chosen: Chosen) -> ForeignAnswers:
    if chosen.scores:
        found = _without(
            found, [all(is_blank(columns[name][at]) for name in chosen.scores) for at in range(len(found.keys))]
        )
        scores = [_numbers(path, columns[name], name, found.ok) for name in chosen.scores]
        return replace(found, classes=chosen.scores, scores=np.stack(scores, axis=1))
    if chosen.p in VECTORS and chosen.answer is None and chosen.index is None:
        return replace(found, scores=_rows_of_numbers(path, columns[chosen.p], chosen.p))
    answer = chosen.answer or chosen.index
    assert answer is not None  # or choose_columns would have refused
    cells = [_first(cell) for cell in columns[answer]]
    found = _without(found, [is_blank(cell) for cell in cells])
    if chosen.p is not None and "logit" not in chosen.p:
        found = replace(found, p=_probabilities(path, [_first(cell) for cell in columns[chosen.p]], chosen.p, found.ok))
    if chosen.answer is None:
        return replace(
            found, places=tuple(_place(path, cell) if ok else 0 for cell, ok in zip(cells, found.ok, strict=True))
        )
    return replace(found, names=tuple(str(cell) for cell in cells), guesses=_guesses(columns, answer, found.ok))


def _without(found: ForeignAnswers, blank: Sequence[bool]) -> ForeignAnswers:
    """An empty cell is no answer."""
    told = zip(found.statuses, blank, strict=True)
    return replace(found, statuses=tuple(NO_PREDICTION if status == OK and empty else status for status, empty in told))


def _guesses(columns: Columns, answer: str, ok: Bools) -> tuple[tuple[str, ...], ...]:
    """The columns after the best answer, as far as every answer has them."""
    found: list[tuple[str, ...]] = []
    stem, first = GUESSES.get(answer, ("", 0))
    while stem:
        column = columns.get(f"{stem}{first + len(found)}")
        if column is None or any(is_blank(cell) for cell, told in zip(column, ok, strict=True) if told):
            break
        found.append(tuple(str(cell) for cell in column))
    return tuple(found)


def _is_timm(path: Path) -> bool:
    """An object that names files or columns; COCO's results are a list, and are known without reading all of it."""
    try:
        with path.open("rb") as file:
            if b'"bbox"' in file.read(SNIFFED_BYTES):
                return False
        rows = json_rows(path.read_bytes().decode("utf-8-sig"))
        return bool(rows) and isinstance(rows[0], dict) and "bbox" not in rows[0] and bool(_TIMM & set(rows[0]))
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def _from_texts(folder: Path) -> ForeignAnswers:
    """`NAME.txt` for each image, its first line `0.97 class name`."""
    keys, names, p = [], [], []
    for file in sorted(folder.glob("*.txt")):
        score, _, name = file.read_text(encoding="utf-8").partition("\n")[0].strip().partition(" ")
        if not name:
            raise DataError(f"{file}: the first line must be a probability and a class, such as `0.97 cat`.")
        keys.append(file.stem)
        names.append(name.strip())
        p.append(score)
    found = ForeignAnswers(tuple(keys), (OK,) * len(keys), names=tuple(names))
    return replace(found, p=_probabilities(folder, p, "probability", found.ok))


def _probabilities(path: Path, values: Sequence[Any], name: str, ok: Bools) -> NDArray[np.float32]:
    numbers = _numbers(path, values, name, ok)
    outside = np.flatnonzero((numbers < 0) | (numbers > 1))
    if len(outside):
        at = int(outside[0])
        raise DataError(
            f"{path}: column {name!r} holds {values[at]} in row {at + 1}, which is no probability: expected 0 to 1. "
            f"Leave the column out when it is something else."
        )
    return numbers


def _numbers(path: Path, values: Sequence[Any], name: str, ok: Bools) -> NDArray[np.float32]:
    """Float32, 0 where `ok` is False."""
    try:
        cells = zip(values, ok, strict=True)
        numbers = np.array([float(value) if told else 0.0 for value, told in cells], dtype=np.float32)
    except (TypeError, ValueError) as error:
        at = next(at for at, (value, told) in enumerate(zip(values, ok, strict=True)) if told and not is_number(value))
        raise DataError(f"{path}: column {name!r} must hold numbers, got {values[at]!r} in row {at + 1}.") from error
    if not np.isfinite(numbers).all():
        at = int(np.flatnonzero(~np.isfinite(numbers))[0]) + 1
        raise DataError(f"{path}: column {name!r} holds a number that is not finite, in row {at}.")
    return numbers


def _rows_of_numbers(path: Path, values: Sequence[Any], name: str) -> NDArray[np.float32]:
    """A whole score vector in each cell: a list, or as NumPy prints one."""
    rows = [str(value).strip("[]").replace(",", " ").split() if isinstance(value, str) else value for value in values]
    if len({len(row) for row in rows}) != 1:
        raise DataError(f"{path}: column {name!r} holds rows of different lengths.")
    return np.stack([_numbers(path, row, name, np.ones(len(row), dtype=np.bool_)) for row in rows])


def _first(value: Any) -> Any:
    """The best of several: files list them from the best down."""
    if isinstance(value, list | tuple | np.ndarray):
        return value[0] if len(value) else None
    if not isinstance(value, str) or not value.startswith("["):
        return value
    quoted = _QUOTED.search(value)
    if quoted:
        return quoted[1] if quoted[1] is not None else quoted[2]
    return next(iter(value.strip("[]").replace(",", " ").split()), None)


def _place(path: Path, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {value!r} is no position in a class list.") from error
