"""COCO's ground truth JSON, in and out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._coco_records import boxes_of, look_up, positions, read_ground_truth, refuse
from cnnkit.data._detection_truth import DetectionTruth, counted, safe_key
from cnnkit.errors import DataError
from cnnkit.files import write_text

if TYPE_CHECKING:
    from cnnkit.data._coco_structs import Annotation, Image


def read_coco(path: Path) -> DetectionTruth:
    """Read a COCO ground truth file. Boxes stay as they are; an area that is missing is width x height.

    Raises:
        DataError: not JSON, a field missing or of another type, a box that is not four finite numbers or has a
            negative size, an id given twice, an image or a category that is not listed, no categories.
    """
    data = read_ground_truth(path)
    if not data.categories:
        raise DataError(f"{path}: categories is empty; a ground truth lists its classes there.")
    images = positions(path, "images", [image.id for image in data.images])
    categories = positions(path, "categories", [category.id for category in data.categories])
    classes = [category.name for category in data.categories]
    positions(path, "categories", classes, field="name")
    found = data.annotations
    positions(path, "annotations", [entry.id for entry in found if entry.id is not None])
    names = [str(image.id) if image.file_name is None else image.file_name for image in data.images]
    category_ids = [entry.category_id for entry in found]
    truth = DetectionTruth(
        source=path,
        keys=tuple(map(safe_key, names)),
        sizes=_sizes(path, data.images),
        classes=tuple(classes),
        image=look_up(path, "annotations", "image_id", [entry.image_id for entry in found], images, "images"),
        category=look_up(path, "annotations", "category_id", category_ids, categories, "categories"),
        boxes=boxes_of(path, "annotations", found),
        area=_areas(path, found),
        iscrowd=_flags(path, "iscrowd", [entry.iscrowd for entry in found]),
        difficult=_flags(path, "difficult", [entry.difficult for entry in found]),
        image_ids=tuple(image.id for image in data.images),
        category_ids=tuple(category.id for category in data.categories),
    )
    return counted(truth, names, {})


def write_coco(truth: DetectionTruth, path: Path) -> tuple[str, ...]:
    """Write a ground truth file; nothing is lost. Difficult objects get `"difficult": 1`."""
    images = [
        {"id": image_id, "file_name": key} | ({"height": int(h), "width": int(w)} if h else {})
        for image_id, key, (h, w) in zip(truth.image_ids, truth.keys, truth.sizes, strict=True)
    ]
    rows = zip(truth.image, truth.category, truth.xywh().tolist(), truth.area.tolist(), strict=True)
    annotations: list[dict[str, Any]] = [
        {
            "id": at,
            "image_id": truth.image_ids[image],
            "category_id": truth.category_ids[category],
            "bbox": box,
            "area": area,
            "iscrowd": int(truth.iscrowd[at - 1]),
        }
        | ({"difficult": 1} if truth.difficult[at - 1] else {})
        for at, (image, category, box, area) in enumerate(rows, 1)
    ]
    categories = [{"id": at, "name": name} for at, name in zip(truth.category_ids, truth.classes, strict=True)]
    write_text(path, json.dumps({"images": images, "annotations": annotations, "categories": categories}) + "\n")
    return ()


def _sizes(path: Path, images: "list[Image]") -> NDArray[np.int64]:
    sides = np.array([[image.height or 0, image.width or 0] for image in images], dtype=np.float64).reshape(-1, 2)
    bad = ~(np.isfinite(sides) & (sides >= 0)).all(axis=1)
    refuse(path, "images", "[height, width]", bad, sides, "a size is finite and not negative")
    return sides.astype(np.int64)


def _areas(path: Path, found: "list[Annotation]") -> NDArray[np.float64]:
    given = np.array([entry.area is not None for entry in found], dtype=bool)
    area = np.array([np.nan if entry.area is None else entry.area for entry in found], dtype=np.float64)
    bad = given & ~(np.isfinite(area) & (area >= 0))
    refuse(path, "annotations", "area", bad, area, "an area is finite and not negative")
    return area


def _flags(path: Path, field: str, values: list[int | bool]) -> NDArray[np.bool_]:
    flags = np.array(values, dtype=np.int64)
    refuse(path, "annotations", field, (flags != 0) & (flags != 1), flags, "it is 0 or 1")
    return flags.astype(bool)
