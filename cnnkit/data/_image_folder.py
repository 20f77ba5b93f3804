"""Pictures written out as an image folder: PART/CLASS/NAME.png, whole or not at all."""

import io
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import DataError
from cnnkit.files import write_text

RECORD = ".cnnkit-data.json"  # hidden: it is no image, and says that the folder is ours

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Picture:
    """One image to write: uint8 pixels (H, W) grey or (H, W, 3) RGB; `part` None for a folder without parts."""

    part: str | None
    label: str
    name: str
    pixels: NDArray[np.uint8]


def write_image_folder(
    folder: Path,
    pictures: Iterable[Picture],
    *,
    source: str,
    total: int = 0,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> int:
    """Write pictures as `folder`/PART/CLASS/NAME.png and return how many are there.

    They are written into a hidden folder beside, which takes the name when all are there; killed, the same call
    goes on. A folder that holds the same `source` already is left alone.

    Raises:
        DataError: `folder` holds something else (with `overwrite`, something that was not written by this).
    """

    def write(target: Path) -> int:
        n = 0
        for n, picture in enumerate(pictures, 1):
            _write_png(target / (picture.part or "") / safe_name(picture.label) / f"{picture.name}.png", picture.pixels)
            progress(n, total)
        return n

    return write_folder(folder, write, source=source, overwrite=overwrite)


def write_folder(folder: Path, write: Callable[[Path], int], *, source: str, overwrite: bool = False) -> int:
    """Let `write` fill a folder, and give it its name when it is full; returns what `write` returned."""
    if not overwrite:
        present = _read_record(folder)
        if present is not None and present.get("source") == source:
            return int(present["n"])
    _refuse_foreign(folder, overwrite=overwrite)
    partial = folder.with_name(f".{folder.name}.partial")
    if partial.exists() and (_read_record(partial) or {}).get("source") != source:
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    _write_record(partial, source, 0)
    try:
        n = write(partial)
    except DataError:  # no call goes on from here
        shutil.rmtree(partial)
        raise
    _write_record(partial, source, n)
    if folder.exists():
        shutil.rmtree(folder)
    partial.rename(folder)
    return n


def safe_name(label: str) -> str:
    """A class name as a folder name: separators become `_`, and it is not hidden."""
    name = label.replace("/", "_").replace("\\", "_").replace("\0", "_")
    return "_" + name[1:] if name.startswith(".") else name


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    from PIL import Image

    if path.exists():  # from a call that was killed; a file takes its name when it is whole
        return
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, format="PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(encoded.getvalue())
    temporary.replace(path)


def _write_record(folder: Path, source: str, n: int) -> None:
    write_text(folder / RECORD, json.dumps({"schema": 1, "source": source, "n": n}) + "\n")


def _read_record(folder: Path) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError):
        return None
    return record


def _refuse_foreign(folder: Path, *, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataError(f"{folder}: is a file; the output is a folder. Give another name.")
    held = next(folder.iterdir(), None)
    if held is None:
        return
    record = _read_record(folder)
    if record is None:
        raise DataError(f"{folder}: not empty and not written by cnnkit (it holds {held.name!r}). Give another folder.")
    if not overwrite:
        raise DataError(
            f"{folder}: holds {record.get('source')!r} already. Give another folder, or --overwrite to replace it."
        )
