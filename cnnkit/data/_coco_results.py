"""Other tools' detections in COCO's results JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._coco_numbering import DARKNET_NAMES, translate_ids
from cnnkit.data._coco_records import boxes_of, look_up, read_detections, refuse
from cnnkit.data._detection_truth import DetectionTruth
from cnnkit.data._match_boxes import match_keys
from cnnkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from cnnkit.data._coco_structs import Detection


@dataclass(frozen=True, slots=True)
class DetectedBoxes:
    """Another tool's detections, in the order of their file: m boxes.

    `image` and `category` int64 (m,): positions in the truth's `keys` and `classes`; `boxes` float64 (m, 4) xywh as
    the file has them; `scores` float64 (m,), finite. `n_ignored` belonged to images that the truth does not list.
    """

    source: Path
    image: NDArray[np.int64]
    category: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    n_ignored: int = 0
    notes: tuple[str, ...] = ()


def read_coco_results(
    path: Path, truth: DetectionTruth, *, ignore_unknown_images: bool = False, by_name: bool = False
) -> DetectedBoxes:
    """Read a COCO results file (a list of image_id, category_id, bbox, score) against its ground truth.

    Where every record has a `file_name` or a `category_name`, these decide: image ids that the truth does not list are
    found by name, and ids that it lists must agree with them. Category ids without names in COCO's other numbering (80
    from 0 or from 1, or 91) are translated where the file shows which it is. What else a record holds (area, iscrowd,
    id) is not believed. `by_name`: classes by name or not at all, since the truth has other names than its own;
    a class that has darknet's name in the truth answers to COCO's, too.

    Raises:
        UsageError: `by_name` where records have no category_name.
        DataError: as `read_coco`; a score that is not finite, an image (unless `ignore_unknown_images`) or a
            category that the truth does not list, names that contradict the ids.
    """
    found = read_detections(path)
    boxes = boxes_of(path, "", found)
    scores = np.fromiter(map(attrgetter("score"), found), dtype=np.float64, count=len(found))
    refuse(path, "", "score", ~np.isfinite(scores), scores, "a score is a finite number")
    category, notes = _categories(path, found, truth, by_name=by_name)
    image_ids, images = _images(path, found, truth)
    if ignore_unknown_images:
        images |= dict.fromkeys(set(image_ids) - images.keys(), -1)
    hint = " --ignore-unknown-images leaves such detections out."
    field = "image_id" if not found or image_ids[0] == found[0].image_id else "file_name"
    image = look_up(path, "", field, image_ids, images, f"{truth.source}", hint=hint)
    kept = image >= 0
    n_ignored = len(kept) - int(kept.sum())
    if n_ignored:
        notes = (*notes, f"Detections in images that the ground truth does not list, left out: {n_ignored}.")
    return DetectedBoxes(path, image[kept], category[kept], boxes[kept], scores[kept], n_ignored, notes)


def _categories(
    path: Path, found: "Sequence[Detection]", truth: DetectionTruth, *, by_name: bool
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """By name where every record has one: positions may mean other classes in another file."""
    if found and all(entry.category_name is not None for entry in found):
        names = [entry.category_name for entry in found]
        _refuse_two_names(path, found)
        places = {name: at for at, name in enumerate(truth.classes)}
        if by_name:
            places = {DARKNET_NAMES.get(name, name): at for name, at in places.items()} | places
        hint = (
            " Leave such boxes out, or let the names agree: --class-map FILE has lines of the labels' name, then the "
            "detections'."
        )
        return look_up(path, "", "category_name", names, places, f"{truth.source}", hint=hint), ()
    if by_name and found:
        raise UsageError(
            f"{path}: its detections have the labels' own category ids, and not a category_name each: --class-map "
            f"would change nothing. Leave it out."
        )
    category_ids = list(map(attrgetter("category_id"), found))
    categories, notes = translate_ids(path, category_ids, truth.category_ids, truth.classes)
    return look_up(path, "", "category_id", category_ids, categories, f"{truth.source}"), notes


def _refuse_two_names(path: Path, found: "Sequence[Detection]") -> None:
    """Ids of any numbering are welcome beside names; one id with two names says that something went wrong."""
    first: dict[int, tuple[int, str | None]] = {}
    for at, entry in enumerate(found):
        place, name = first.setdefault(entry.category_id, (at, entry.category_name))
        if name != entry.category_name:
            raise DataError(
                f"{path}: [{at}].category_id is {entry.category_id} and its category_name {entry.category_name!r}, but "
                f"[{place}] calls the same id {name!r}. Write one id for each name."
            )


def _images(
    path: Path, found: "Sequence[Detection]", truth: DetectionTruth
) -> tuple[list[int | str], dict[int | str, int]]:
    """What each record calls its image, by id or by name, and where the truth has it."""
    ids: list[int | str] = list(map(attrgetter("image_id"), found))
    places: dict[int | str, int] = {image_id: at for at, image_id in enumerate(truth.image_ids)}
    names = [entry.file_name for entry in found if entry.file_name is not None]
    if not names or len(names) < len(found):
        return ids, places
    if not places.keys() >= set(ids):
        matched: dict[int | str, int] = {}
        matched.update(match_keys(truth, list(dict.fromkeys(names))))
        return list(names), matched
    for at, (image_id, name) in enumerate(zip(ids, names, strict=True)):
        listed = truth.keys[places[image_id]]
        if listed != str(image_id) and _base(listed) != _base(name):
            raise DataError(
                f"{path}: [{at}].image_id is {image_id!r}, which {truth.source} calls {listed!r}, and file_name is "
                f"{name!r}. The ids are of another ground truth: write this one's."
            )
    return ids, places


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]
