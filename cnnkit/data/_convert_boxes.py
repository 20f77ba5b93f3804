"""Labelled boxes in one format become another."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cnnkit.data._box_sources import BoxSource, find_pictures
from cnnkit.data._boxes_csv import write_boxes_csv
from cnnkit.data._coco import write_coco
from cnnkit.data._detection_truth import DetectionTruth, sentences
from cnnkit.data._image_folder import Progress
from cnnkit.data._picture_sizes import picture_size
from cnnkit.data._voc import write_voc
from cnnkit.data._yolo import write_data_yaml, write_yolo
from cnnkit.errors import DataError

Writer = Callable[[DetectionTruth, Path, str | None], tuple[str, ...]]


def _write_coco(truth: DetectionTruth, folder: Path, part: str | None) -> tuple[str, ...]:
    return write_coco(truth, folder / "annotations" / f"instances{f'_{part}' if part else ''}.json")


def _write_csv(truth: DetectionTruth, folder: Path, part: str | None) -> tuple[str, ...]:
    return write_boxes_csv(truth, folder / f"{part or 'boxes'}.csv")


# format -> its writer
WRITERS: dict[str, Writer] = {
    "coco": _write_coco,
    "voc": lambda truth, folder, part: write_voc(truth, folder, part=part),
    "yolo": lambda truth, folder, part: write_yolo(truth, folder, part=part),
    "csv": _write_csv,
}


@dataclass(frozen=True, slots=True)
class BoxPart:
    """One part, read: its boxes, with sizes as far as labels or pictures have them, and where the pictures are."""

    name: str | None
    truth: DetectionTruth
    pictures: Path | None
    notes: tuple[str, ...]


def read_box_parts(source: BoxSource, *, split: str | None, images: Path | None) -> list[BoxPart]:
    """Read every part of `source`, or the part `split`; all get the same class list."""
    names = [*source.parts] if split in (None, "all") else [source.part(split)]
    parts = []
    for name, read in zip(names, _with_one_class_list([source.parts[name]() for name in names]), strict=True):
        pictures = images or find_pictures(source.path, name, read.keys)
        truth, measured = _measured(read, pictures)
        parts.append(BoxPart(name, truth, pictures, (*truth.notes, *measured)))
    return _each_once(parts)


def _each_once(parts: list[BoxPart]) -> list[BoxPart]:
    """A data.yaml may call the same images train and val: they are taken once, as a set without parts if all are."""
    kept: dict[str, BoxPart] = {}
    also: list[str] = []
    for part in parts:
        first = kept.setdefault(f"{part.pictures} {digest_of([replace(part, name=None)])}", part)
        also += [] if first is part else [f"{part.name} is {first.name} once more, the same images: taken once."]
    if not also:
        return parts
    first, *others = kept.values()
    return [replace(first, name=first.name if others else None, notes=(*first.notes, *also)), *others]


def write_box_parts(
    parts: Sequence[BoxPart], folder: Path, to: str, *, copy_images: bool, progress: Progress
) -> tuple[str, ...]:
    """Write the parts into `folder`; says what the format cannot."""
    notes: list[str] = []
    for part in parts:
        notes += [_of_part(part, note) for note in WRITERS[to](part.truth, folder, part.name)]
        if copy_images:
            _copy(part.truth, part.pictures, picture_folder(folder, to, part.name), progress)
    if to == "yolo":
        write_data_yaml(folder, parts[0].truth.classes, [part.name for part in parts])
    return tuple(notes)


def picture_folder(folder: Path, to: str, part: str | None) -> Path:
    """Where a format's readers look for the pictures of a part."""
    return folder / ("JPEGImages" if to == "voc" else f"images/{part or ''}")


def notes_of(parts: Sequence[BoxPart]) -> tuple[str, ...]:
    return tuple(_of_part(part, note) for part in parts for note in part.notes)


def digest_of(parts: Sequence[BoxPart]) -> str:
    """sha256 over everything that a conversion of these parts writes."""
    digest = hashlib.sha256()
    for part in parts:
        truth = part.truth
        digest.update(repr((part.name, truth.keys, truth.classes, truth.image_ids, truth.category_ids)).encode())
        arrays = truth.sizes, truth.image, truth.category, truth.boxes, truth.area, truth.iscrowd, truth.difficult
        for array in arrays:
            digest.update(array.tobytes())
    return digest.hexdigest()


def _of_part(part: BoxPart, note: str) -> str:
    return f"{part.name}: {note}" if part.name else note


def _with_one_class_list(truths: Sequence[DetectionTruth]) -> list[DetectionTruth]:
    """The same classes for every part: those of the first, then what the others add."""
    classes = tuple(dict.fromkeys(name for truth in truths for name in truth.classes))
    if all(truth.classes == classes for truth in truths):
        return list(truths)
    united = []
    for truth in truths:
        places = np.array([classes.index(name) for name in truth.classes], dtype=np.int64)
        united.append(replace(truth, classes=classes, category=places[truth.category], category_ids=()))
    return united


def _measured(truth: DetectionTruth, pictures: Path | None) -> tuple[DetectionTruth, tuple[str, ...]]:
    """Take sizes that the labels do not have from the pictures, and count where both are there and disagree."""
    if pictures is None:
        return truth, ()
    sizes = truth.sizes.copy()
    disagreeing, missing = [], 0
    for at, key in enumerate(truth.keys):
        size = picture_size(pictures / key) if (pictures / key).is_file() else None
        missing += not (pictures / key).is_file()
        if size is not None and not sizes[at].any():
            sizes[at] = size
        elif size is not None and tuple(sizes[at].tolist()) != size:
            disagreeing.append(key)
    met = {"n_size_disagrees": len(disagreeing), "n_without_picture": missing}
    return replace(truth, sizes=sizes), sentences(met, {"n_size_disagrees": disagreeing})


def _copy(truth: DetectionTruth, pictures: Path | None, folder: Path, progress: Progress) -> None:
    if pictures is None:
        raise DataError(f"{truth.source}: its pictures are not found. --images DIR says where they are.")
    for done, key in enumerate(truth.keys, 1):
        source, target = pictures / key, folder / key
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.tmp")
            shutil.copyfile(source, temporary)
            temporary.replace(target)
        progress(done, len(truth.keys))
