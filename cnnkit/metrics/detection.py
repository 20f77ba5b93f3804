"""What detection is scored on: boxes in columns."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnkit import boxes as box_forms

__all__ = ["FoundBoxes", "TrueBoxes", "check_pair", "tie_order"]

Form = Literal["xywh", "corners"]


@dataclass(frozen=True, slots=True, init=False)
class TrueBoxes:
    """The objects of a data set, in the order of their file.

    Args:
        n_images: images in the data set, those without objects too.
        n_classes: classes in the data set.
        image: (m,) ints in [0, n_images), numbered in the order in which ties are broken: see `tie_order`.
        category: (m,) ints in [0, n_classes).
        boxes: (m, 4) float64 as the file has them, never converted there and back: `form` "xywh" (COCO), or "corners"
            (Pascal VOC: left, top, right, bottom pixel, the last one inside).
        area: (m,) float64, what decides the size class; None takes width x height.
        crowd: (m,) bools, objects that are no mistake found or not (COCO's iscrowd, VOC's difficult); None: none is.

    Raises:
        ValueError: columns of different lengths, an image or a class out of range, a box that is not four finite
            numbers or is inverted; the first bad object is named by its position.
    """

    n_images: int
    n_classes: int
    image: NDArray[np.int64]
    category: NDArray[np.int64]
    boxes: NDArray[np.float64]
    area: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    form: Form

    def __init__(
        self,
        *,
        n_images: int,
        n_classes: int,
        image: Any,
        category: Any,
        boxes: Any,
        area: Any = None,
        crowd: Any = None,
        form: Form = "xywh",
    ) -> None:
        _set(self, n_images=n_images, n_classes=n_classes, form=form)
        _set_columns(self, "object", image, category, boxes)
        _set(self, area=self.xywh[:, 2] * self.xywh[:, 3] if area is None else _numbers("area", area, len(self)))
        _set(self, crowd=np.zeros(len(self), np.bool_) if crowd is None else _flags("crowd (difficult)", crowd))
        _same_length(self.image, area=self.area, crowd=self.crowd)
        _refuse("object", "area", self.area, ~(np.isfinite(self.area) & (self.area >= 0)), "a finite number from 0 up")
        _refuse("object", "image", self.image, self.image >= n_images, f"below the {n_images} images")
        _refuse("object", "category", self.category, self.category >= n_classes, f"below the {n_classes} classes")

    def __len__(self) -> int:
        return len(self.image)

    @property
    def xywh(self) -> NDArray[np.float64]:
        return self.boxes if self.form == "xywh" else box_forms.xywh_from_inclusive(self.boxes)

    @property
    def corners(self) -> NDArray[np.float64]:
        return self.boxes if self.form == "corners" else box_forms.inclusive_from_xywh(self.boxes)


@dataclass(frozen=True, slots=True, init=False)
class FoundBoxes:
    """What a detector found, in the order of its file; columns as in `TrueBoxes`.

    `scores` (n,) are any finite numbers, higher is surer; of equal ones the earlier image, then the earlier in the
    file comes first.
    """

    image: NDArray[np.int64]
    category: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    form: Form

    def __init__(self, *, image: Any, category: Any, boxes: Any, scores: Any, form: Form = "xywh") -> None:
        _set(self, form=form)
        _set_columns(self, "detection", image, category, boxes)
        _set(self, scores=_numbers("score", scores, len(self)))
        _same_length(self.image, scores=self.scores)
        _refuse("detection", "score", self.scores, ~np.isfinite(self.scores), "a finite number")

    def __len__(self) -> int:
        return len(self.image)

    @property
    def xywh(self) -> NDArray[np.float64]:
        return self.boxes if self.form == "xywh" else box_forms.xywh_from_inclusive(self.boxes)

    @property
    def corners(self) -> NDArray[np.float64]:
        return self.boxes if self.form == "corners" else box_forms.inclusive_from_xywh(self.boxes)


def tie_order(image_ids: Any) -> NDArray[np.int64]:
    """The number that each image gets so that ties fall as COCO's evaluator lets them fall: by ascending id.

    >>> tie_order([30, 7, 12])
    array([2, 0, 1])
    """
    ranks = np.empty(len(image_ids), np.int64)
    ranks[np.argsort(np.asarray(image_ids), kind="stable")] = np.arange(len(image_ids))
    return ranks


def check_pair(truth: TrueBoxes, found: FoundBoxes) -> None:
    """Refuse detections in images or of classes that the truth does not have."""
    _refuse("detection", "image", found.image, found.image >= truth.n_images, f"below the {truth.n_images} images")
    wanted = f"below the {truth.n_classes} classes"
    _refuse("detection", "category", found.category, found.category >= truth.n_classes, wanted)


def _set(record: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(record, name, value)


def _set_columns(record: TrueBoxes | FoundBoxes, what: str, image: Any, category: Any, boxes: Any) -> None:
    given = np.asarray(boxes, np.float64).reshape(-1, 4) if not len(boxes) else np.asarray(boxes, np.float64)
    if given.ndim != 2 or given.shape[1] != 4:
        raise ValueError(f"bbox: expected (n, 4), got {given.shape}")
    _set(record, image=_positions("image", image), category=_positions("category", category), boxes=given)
    _same_length(record.image, category=record.category, boxes=record.boxes)
    for field in ("image", "category"):
        _refuse(what, field, getattr(record, field), getattr(record, field) < 0, "from 0 up")
    _refuse(what, "bbox", given, ~np.isfinite(given).all(axis=1), "four finite numbers")
    wanted = "width and height from 0 up" if record.form == "xywh" else "right and bottom beyond left and top"
    _refuse(what, "bbox", given, (record.xywh[:, 2:] < 0).any(axis=1), wanted)


def _positions(field: str, values: Any) -> NDArray[np.int64]:
    column = np.asarray(values)
    if column.ndim != 1 or (column.size and column.dtype.kind not in "iu"):
        raise ValueError(f"{field} must be (n,) whole numbers, got {column.dtype} {column.shape}")
    return column.astype(np.int64)


def _numbers(field: str, values: Any, n: int) -> NDArray[np.float64]:
    column = np.asarray(values)
    if column.ndim != 1 or (n and column.dtype.kind not in "iuf"):
        raise ValueError(f"{field} must be (n,) numbers, got {column.dtype} {column.shape}")
    return column.astype(np.float64)


def _flags(field: str, values: Any) -> NDArray[np.bool_]:
    column = np.asarray(values)
    known = column.dtype.kind == "b" or (column.dtype.kind in "iu" and bool(np.isin(column, (0, 1)).all()))
    if column.ndim != 1 or (column.size and not known):
        raise ValueError(f"{field} must be (n,) of 0 or 1, got {column.dtype} {column.shape}")
    return column.astype(np.bool_)


def _same_length(image: NDArray[np.int64], **columns: NDArray[Any]) -> None:
    other = {name: len(column) for name, column in columns.items() if len(column) != len(image)}
    if other:
        raise ValueError(f"image has {len(image)} entries, {', '.join(f'{k} has {n}' for k, n in other.items())}")


def _refuse(what: str, field: str, values: NDArray[Any], bad: Any, wanted: str) -> None:
    if bad.any():
        first = int(bad.argmax())
        raise ValueError(f"{what} {first}: {field} is {values[first].tolist()}, expected {wanted}")
