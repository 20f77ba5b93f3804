"""Which format labelled boxes are in, which parts they have, and where their pictures lie."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cnnkit.data._boxes_csv import read_boxes_csv
from cnnkit.data._coco import read_coco
from cnnkit.data._detection_truth import DetectionTruth
from cnnkit.data._parts import PART_FOLDERS
from cnnkit.data._voc import read_voc, voc_folder, voc_parts
from cnnkit.data._yolo import open_yolo, read_yolo
from cnnkit.errors import DataError

BOX_FORMATS = ("coco", "voc", "yolo", "csv")
PICTURE_FOLDERS = ("images", "JPEGImages", "")
LABEL_FOLDERS = ("annotations", "labels", "xmls")
SNIFFED_BYTES = 65_536

Reader = Callable[[], DetectionTruth]


@dataclass(frozen=True, slots=True)
class BoxSource:
    """Labelled boxes in one of `BOX_FORMATS`; each part is read when it is asked for.

    None is a set without parts; one label file alone is such a set, and answers to the part it is named after too.
    """

    path: Path
    format: str
    parts: dict[str | None, Reader]

    def part(self, split: str | None = None) -> str | None:
        """The part to score: `split`, else test, else val; "all" is a set that has no parts. DataError without it."""
        if split in (None, "all") and len(self.parts) == 1:
            return next(iter(self.parts))
        aliases = {name: part for part, names in PART_FOLDERS.items() for name in names}
        if split and None in self.parts and aliases.get(split, split) == _part_named_by(self.path):
            return None
        defaults: dict[str | None, tuple[str | None, ...]] = {None: (None, "test", "val"), "all": (None,)}
        for name in defaults.get(split, (aliases.get(split or "", split),)):
            if name in self.parts:
                return name
        named = ", ".join(str(name) for name in self.parts if name is not None)
        have = f"its parts are {named}, each scored by itself. --split NAME says which" if named else "it has no parts"
        raise DataError(f"{self.path}: no part {split or 'test or val'}; {have}.")


def open_boxes(source: Path, *, format: str | None = None, names: Sequence[str] | None = None) -> BoxSource:
    """Recognise labelled boxes: a COCO .json, a .csv, a data.yaml, or a folder of one of these or of VOC's XML.

    `names` are the classes of YOLO labels that have none.

    Raises:
        DataError: nothing there, or two formats beside one another and no `format` that chooses.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder.")
    found = _formats(source)
    if format is None and len(found) > 1:
        raise DataError(f"{source}: holds labels as {' and as '.join(found)}. Say which to read, or name the file.")
    chosen = format or (found[0] if found else None)
    if chosen not in found:
        wanted = f"{chosen} labels" if chosen else "labelled boxes"
        raise DataError(
            f"{source}: no {wanted} here. Expected a COCO .json, Pascal VOC's .xml files, data.yaml or images/ beside "
            f"labels/ for YOLO, or a .csv with the columns key, class and x1 y1 x2 y2. Labels elsewhere "
            f"are given to eval as --truth."
        )
    return BoxSource(source, chosen, _OPENERS[chosen](source, names))


def read_boxes(source: Path, *, format: str | None = None, split: str | None = None) -> DetectionTruth:
    """Read labelled boxes in any of `BOX_FORMATS`; of several parts `split`, else test, else val.

    Raises:
        DataError: as `open_boxes` and the format's reader; no such part.
    """
    found = open_boxes(source, format=format)
    part = found.part(split)
    truth = found.parts[part]()
    others = [str(name) for name in found.parts if name != part]
    if split is not None or not others:
        return truth
    note = f"{source} has parts: {part} is read (it also has {' and '.join(others)})."
    return replace(truth, notes=(note, *truth.notes))


def find_pictures(source: Path, part: str | None, keys: Sequence[str]) -> Path | None:
    """The folder below which the pictures of these labels lie: one of the usual places, or the only one beside them.

    `val2017/` beside `annotations/` or in `images/` is found so. Labels of no part, but in a file named after one,
    have their pictures where that part has them; never in a folder named after another part.
    """
    base = source if source.is_dir() else source.parent
    part = part or _part_named_by(source)
    folders = PART_FOLDERS.get(part, (part,)) if part else ()
    for folder in (base, base.parent):
        for top in (folder / name for name in PICTURE_FOLDERS):
            for place in (*(top / name for name in folders), top):
                if _holds(place, keys):
                    return place
    around = (base, base.parent) if base.name.lower() in LABEL_FOLDERS else (base,)
    tops = [folder / name for folder in around for name in PICTURE_FOLDERS]
    inside = [place for top in tops for place in _folders(top) if _holds(place, keys)]
    if part:
        inside = [place for place in inside if _part_in(place.name) in (None, part)]
        inside = [place for place in inside if _part_in(place.name) == part] or inside
    return inside[0] if len(inside) == 1 else None


def _part_named_by(source: Path) -> str | None:
    """The part that the one label file is named after."""
    files = [source] if source.is_file() else [*_coco_files(source), *_csv_files(source)]
    return _part_in(files[0].stem) if len(files) == 1 else None


def _part_in(name: str) -> str | None:
    """`instances_val2017`, `val2017` and `valid` name the part val."""
    match = re.search(r"(?:^|[_-])(train|val|valid|validation|test)\d*$", name)
    return match[1].replace("validation", "val").replace("valid", "val") if match else None


def _holds(place: Path, keys: Sequence[str]) -> bool:
    return any((place / key).is_file() for key in keys[:8])


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _formats(source: Path) -> list[str]:
    """The formats that are there, the surest first."""
    if source.is_file():
        suffixes = {".json": "coco", ".csv": "csv", ".yaml": "yolo", ".yml": "yolo", ".xml": "voc"}
        return [suffixes[source.suffix.lower()]] if source.suffix.lower() in suffixes else []
    present = {
        "coco": bool(_coco_files(source)),
        "voc": voc_folder(source) is not None,
        "yolo": open_yolo(source) is not None,
        "csv": bool(_csv_files(source)),
    }
    return [name for name, there in present.items() if there]


def _coco_files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return [path for path in _visible(source, "*.json", "annotations/*.json") if _looks_like_coco(path)]


def _looks_like_coco(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(SNIFFED_BYTES)
    return any(field in head for field in (b'"images"', b'"annotations"', b'"categories"'))


def _csv_files(source: Path) -> list[Path]:
    return [source] if source.is_file() else _visible(source, "*.csv")


def _visible(folder: Path, *patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if not path.name.startswith("."))


def _files_by_part(source: Path, files: list[Path]) -> dict[str | None, Path]:
    """`instances_train2017.json` is the part train; one file alone is no part."""
    if len(files) == 1:
        return {None: files[0]}
    parts: dict[str | None, Path] = {}
    for path in files:
        part = _part_in(path.stem)
        if part is None or part in parts:
            raise DataError(
                f"{source}: holds {len(files)} label files, {files[0].name}, {files[1].name}, ..., and not one for "
                f"each of train, val and test. Name the one to read."
            )
        parts[part] = path
    return parts


def _open_coco(source: Path, names: Sequence[str] | None) -> dict[str | None, Reader]:
    files = _files_by_part(source, _coco_files(source))
    return {part: partial(read_coco, path) for part, path in files.items()}


def _open_csv(source: Path, names: Sequence[str] | None) -> dict[str | None, Reader]:
    files = _files_by_part(source, _csv_files(source))
    return {part: partial(read_boxes_csv, path) for part, path in files.items()}


def _open_voc(source: Path, names: Sequence[str] | None) -> dict[str | None, Reader]:
    parts: list[str | None] = [*voc_parts(source)] or [None]
    return {part: partial(read_voc, source, part=part) for part in parts}


def _open_yolo(source: Path, names: Sequence[str] | None) -> dict[str | None, Reader]:
    found = open_yolo(source)
    if found is None:
        raise DataError(f"{source}: no YOLO labels here.")
    return {part: partial(read_yolo, found, part, names=names) for part in found.parts}


_OPENERS = {"coco": _open_coco, "voc": _open_voc, "yolo": _open_yolo, "csv": _open_csv}
