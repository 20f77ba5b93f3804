"""Answers that another tool wrote: tables of scores or of best classes, timm's results, Ultralytics' text files."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import DataError

KEYS = ("key", "filename", "file", "file_name", "path", "image", "image_path")
ANSWERS = ("predicted", "prediction", "top1", "label", "label_0")
INDICES = ("index", "index_0")
SCORES = ("p", "p1", "prob", "prob_0", "confidence", "logit", "logit_0")
NO_CLASSES = ("status", "error")
EXPECTED = "key and a column for each class, or key,predicted[,p]"
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
SNIFFED_BYTES = 4096
_TIMM = {*ANSWERS, *INDICES, *SCORES}


@dataclass(frozen=True)
class ForeignAnswers:
    """What a file says of each image: whole `scores` (n, classes), or only the best class, by `names` or `places`.

    `places` are positions in a class list that the file does not hold. `p` (n,) are probabilities, NaN where none.
    """

    keys: tuple[str, ...]
    classes: tuple[str, ...] = ()
    scores: NDArray[np.float32] | None = None
    names: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    p: NDArray[np.float32] | None = None


def is_answers_file(path: Path) -> bool:
    """Whether these are classes of images in a table, timm's JSON, or a folder of Ultralytics' text files."""
    if path.is_dir():
        return not (path / "plan.json").exists() and next(path.glob("*.txt"), None) is not None
    suffix = path.suffix.lower()
    if suffix == ".json" and path.exists():
        return _is_timm(path)
    return suffix in (".csv", ".parquet")


def read_answers(path: Path) -> ForeignAnswers:
    """Read whichever form it is. DataError names the file and what is wrong in it."""
    if path.is_dir():
        return _from_texts(path)
    columns = _columns(path)
    key = next((name for name in KEYS if name in columns), None)
    if key is None:
        raise DataError(f"{path}: no column names the images; expected {EXPECTED}. It has {', '.join(columns)}.")
    keys = tuple(str(value) for value in columns[key])
    if len(set(keys)) != len(keys):
        twice = next(value for value in keys if keys.count(value) > 1)
        raise DataError(f"{path}: {twice!r} stands there more than once; one answer an image is scored.")
    return _read(path, keys, {name: column for name, column in columns.items() if name != key})


def _read(path: Path, keys: tuple[str, ...], columns: Mapping[str, Sequence[Any]]) -> ForeignAnswers:
    answer = next((name for name in ANSWERS if name in columns), None)
    index = next((name for name in INDICES if name in columns), None)
    score = next((name for name in SCORES if name in columns), None)
    p = None if score is None or "logit" in score else _numbers(path, [_first(each) for each in columns[score]], score)
    if answer is not None:
        return ForeignAnswers(keys, names=tuple(_first_name(each) for each in columns[answer]), p=p)
    if index is not None:
        return ForeignAnswers(keys, places=tuple(_place(path, each) for each in columns[index]), p=p)
    if score in ("prob", "logit"):
        return ForeignAnswers(keys, scores=_rows_of_numbers(path, columns[score], score))
    named = {name: column for name, column in columns.items() if name not in NO_CLASSES}
    if len(named) < 2:
        raise DataError(f"{path}: nothing in it says what each image shows; expected {EXPECTED}.")
    scores = np.stack([_numbers(path, column, name) for name, column in named.items()], axis=1)
    return ForeignAnswers(keys, classes=tuple(named), scores=scores)


def _columns(path: Path) -> dict[str, Sequence[Any]]:
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            import pyarrow.parquet as pq

            columns: dict[str, Sequence[Any]] = pq.read_table(path).to_pydict()
            return columns
        text = path.read_bytes().decode("utf-8-sig")
        return _from_rows(path, _json_rows(text) if suffix == ".json" else _csv_rows(text))
    except DataError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's errors and a wrong encoding are ValueErrors
        raise DataError(f"{path}: cannot be read: {error}.") from error


def _csv_rows(text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    return [row for row in reader if any(row.values())]


def _json_rows(text: str) -> list[dict[str, Any]]:
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


def _from_rows(path: Path, rows: list[dict[str, Any]]) -> dict[str, Sequence[Any]]:
    if not rows:
        raise DataError(f"{path}: empty; expected {EXPECTED}.")
    names = list(rows[0])
    odd = next((at for at, row in enumerate(rows, 1) if list(row) != names or None in row.values()), None)
    if odd is not None:
        raise DataError(f"{path}: row {odd} has other columns than the first, which has {', '.join(map(str, names))}.")
    return {name: [row[name] for row in rows] for name in names}


def _is_timm(path: Path) -> bool:
    """An object that names files or columns; COCO's results are a list, and are known without reading all of it."""
    try:
        with path.open("rb") as file:
            if b'"bbox"' in file.read(SNIFFED_BYTES):
                return False
        rows = _json_rows(path.read_bytes().decode("utf-8-sig"))
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
    return ForeignAnswers(tuple(keys), names=tuple(names), p=_numbers(folder, p, "probability"))


def _numbers(path: Path, values: Sequence[Any], name: str) -> NDArray[np.float32]:
    try:
        numbers = np.array([float(value) for value in values], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: column {name!r} must hold numbers: {error}.") from error
    if not np.isfinite(numbers).all():
        raise DataError(f"{path}: column {name!r} holds a number that is not finite, in row {_bad(numbers)}.")
    return numbers


def _bad(numbers: NDArray[np.float32]) -> int:
    return int(np.flatnonzero(~np.isfinite(numbers))[0]) + 1


def _rows_of_numbers(path: Path, values: Sequence[Any], name: str) -> NDArray[np.float32]:
    """A whole score vector in each cell: a list, or as NumPy prints one."""
    rows = [str(value).strip("[]").replace(",", " ").split() if isinstance(value, str) else value for value in values]
    if len({len(row) for row in rows}) != 1:
        raise DataError(f"{path}: column {name!r} holds rows of different lengths.")
    return np.stack([_numbers(path, row, name) for row in rows])


def _first(value: Any) -> Any:
    """The best of several: files list them from the best down."""
    if isinstance(value, list | tuple | np.ndarray):
        return value[0] if len(value) else None
    return value.strip("[]").replace(",", " ").split()[0] if isinstance(value, str) and value.startswith("[") else value


def _first_name(value: Any) -> str:
    if isinstance(value, str) and value.startswith("["):
        match = _QUOTED.search(value)
        return (match[1] if match[1] is not None else match[2]) if match else value.strip("[]").split()[0]
    return str(value[0] if isinstance(value, list | tuple | np.ndarray) else value)


def _place(path: Path, value: Any) -> int:
    try:
        return int(_first(value))
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {value!r} is no position in a class list.") from error
