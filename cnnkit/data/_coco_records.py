"""COCO's JSON parsed and checked as one: every error names file, record and field."""

import json
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import DataError, MachineError

if TYPE_CHECKING:
    from cnnkit.data._coco_structs import Annotation, Detection, GroundTruth


def read_ground_truth(path: Path) -> "GroundTruth":
    return cast("GroundTruth", _parse(path, _structs().GroundTruth))


def read_detections(path: Path) -> "list[Detection]":
    return cast("list[Detection]", _parse(path, _structs().Results))


def _structs() -> ModuleType:
    try:
        from cnnkit.data import _coco_structs
    except ImportError as error:
        raise MachineError(
            f'reading COCO files needs msgspec ({error}). Install: pip install "cnnkit[detection]".'
        ) from error
    return _coco_structs


def _parse(path: Path, wanted: Any) -> Any:
    import msgspec

    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    try:
        return msgspec.json.decode(data, type=wanted)
    except msgspec.ValidationError as error:
        raise DataError(f"{path}: {_where(str(error))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _parse_leniently(path, data, wanted)


def _parse_leniently(path: Path, data: bytes, wanted: Any) -> Any:
    """Python writes NaN and Infinity into JSON, which is none; the checks that follow name the record that has one."""
    import msgspec

    try:
        return msgspec.convert(json.loads(data), type=wanted)
    except msgspec.ValidationError as error:
        raise DataError(f"{path}: {_where(str(error))}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON: {error}.") from error


def _where(problem: str) -> str:
    """`Expected ... - at `$.annotations[3].bbox`` with the record first."""
    said, _, at = problem.partition(" - at `$")
    return f"{at.rstrip('`').lstrip('.')}: {said}." if at else f"{said}."


def positions(path: Path, table: str, ids: Sequence[int | str], *, field: str = "id") -> dict[int | str, int]:
    places: dict[int | str, int] = {}
    for at, one in enumerate(ids):
        if places.setdefault(one, at) != at:
            raise DataError(
                f"{path}: {table}[{at}].{field}: duplicate {field} {one!r}, {table}[{places[one]}] has it too."
            )
    return places


def look_up(
    path: Path, table: str, field: str, ids: list[Any], known: "dict[Any, int]", listed: str, *, hint: str = ""
) -> NDArray[np.int64]:
    try:
        return np.fromiter(map(known.__getitem__, ids), dtype=np.int64, count=len(ids))
    except KeyError:
        at = next(at for at, one in enumerate(ids) if one not in known)
        raise DataError(f"{path}: {table}[{at}].{field} is {ids[at]!r}, which {listed} does not list.{hint}") from None


def boxes_of(path: Path, table: str, found: "Sequence[Annotation | Detection]") -> NDArray[np.float64]:
    flat = chain.from_iterable(map(attrgetter("bbox"), found))
    boxes = np.fromiter(flat, dtype=np.float64, count=4 * len(found)).reshape(-1, 4)
    refuse(path, table, "bbox", ~np.isfinite(boxes).all(axis=1), boxes, "a box is four finite numbers")
    refuse(
        path,
        table,
        "bbox",
        (boxes[:, 2:] < 0).any(axis=1),
        boxes,
        "width and height must not be negative; a box is left, top, width, height, and these may be corners",
    )
    return boxes


def refuse(path: Path, table: str, field: str, bad: Any, values: NDArray[Any], rule: str) -> None:
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise DataError(f"{path}: {table}[{at}].{field} is {values[at].tolist()}: {rule}.")
