"""Labelled boxes as their files have them: the record that readers build, writers take and metrics read arrays of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

N_NAMED = 3

ROUNDING_PX = 1e-6  # what arithmetic alone can push over the edge of an image

Form = Literal["xywh", "corners"]

# what is counted -> what is done about it, in the words of the notes
COUNTED = {
    "n_degenerate": "boxes without width or height, kept as they are",
    "n_outside": "boxes that reach outside their image, kept as they are",
    "n_without_area": "objects without an area, taken as width x height",
    "n_unsafe_names": "image names that lead out of their folder, cut to the part below it",
    "n_empty_images": "images that the labels know, without an object",
    "n_polygons": "polygons, taken as the boxes around them",
    "n_name_disagrees": "label files that name another image than their own name says, taken by their own name",
    "n_size_disagrees": "images of another size than their labels say, boxes taken as they are",
    "n_size_unknown": "images whose size could not be read, left out with their boxes",
    "n_unlabelled": "images that the labels do not list, not scored",
    "n_without_image": "labelled images that are not among those found or run, not scored",
    "n_without_picture": "pictures that are not there, their labels kept",
    "n_crowd_dropped": "crowd regions, which the format cannot say, left out",
    "n_difficult_dropped": "marks of difficult objects, which the format cannot say, left out",
    "n_area_dropped": "areas other than width x height, which the format cannot say, left out",
}


@dataclass(frozen=True, slots=True)
class DetectionTruth:
    """The objects of n images: m boxes, in the order of their file.

    Args:
        source: the file or folder that was read.
        keys: (n,) the images' paths below their folder.
        sizes: int64 (n, 2), [height, width] as the labels say, 0 where they do not.
        classes: the names of the classes.
        image: int64 (m,), positions in `keys`.
        category: int64 (m,), positions in `classes`.
        boxes: float64 (m, 4), finite. `form` "xywh": left, top, width, height, in continuous pixels from 0 (COCO);
            "corners": left, top, right, bottom, in pixels counted from 1, the last included (Pascal VOC).
        area: float64 (m,), of the object (COCO: of its segmentation); NaN becomes width x height.
        iscrowd, difficult: bool (m,).
        image_ids, category_ids: what a COCO file calls them; without, they count from 1.
        counts: what was met and how often; `COUNTED` says what is done about each.
        notes: the same in sentences.
    """

    source: Path
    keys: tuple[str, ...]
    sizes: NDArray[np.int64]
    classes: tuple[str, ...]
    image: NDArray[np.int64]
    category: NDArray[np.int64]
    boxes: NDArray[np.float64]
    area: NDArray[np.float64]
    iscrowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]
    form: Form = "xywh"
    image_ids: tuple[int | str, ...] = ()
    category_ids: tuple[int, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, m = len(self.keys), len(self.boxes)
        columns = (self.image, self.category, self.area, self.iscrowd, self.difficult)
        if self.boxes.shape != (m, 4) or any(column.shape != (m,) for column in columns):
            raise ValueError(f"boxes must be (m, 4) and each column (m,), got {self.boxes.shape}")
        if self.sizes.shape != (n, 2):
            raise ValueError(f"sizes must be ({n}, 2), got {self.sizes.shape}")
        if len(self.image_ids) != n:
            object.__setattr__(self, "image_ids", tuple(range(1, n + 1)))
        if len(self.category_ids) != len(self.classes):
            object.__setattr__(self, "category_ids", tuple(range(1, len(self.classes) + 1)))

    def xywh(self) -> NDArray[np.float64]:
        """Boxes as COCO has them; inclusive corners x1 y1 x2 y2 become x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1."""
        if self.form == "xywh":
            return self.boxes
        x1, y1, x2, y2 = self.boxes.T
        return np.stack([x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1], axis=1)

    def corners(self) -> NDArray[np.float64]:
        """Boxes as Pascal VOC has them; x y w h become x + 1, y + 1, x + w, y + h."""
        if self.form == "corners":
            return self.boxes
        x, y, w, h = self.boxes.T
        return np.stack([x + 1, y + 1, x + w, y + h], axis=1)


@dataclass(slots=True)
class Columns:
    """Boxes as a reader of one file after another collects them."""

    image: list[int] = field(default_factory=list)
    category: list[int] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    area: list[float] = field(default_factory=list)
    iscrowd: list[bool] = field(default_factory=list)
    difficult: list[bool] = field(default_factory=list)

    def add(
        self,
        image: int,
        category: int,
        box: tuple[float, float, float, float],
        *,
        area: float = float("nan"),
        iscrowd: bool = False,
        difficult: bool = False,
    ) -> None:
        self.image.append(image)
        self.category.append(category)
        self.boxes.append(box)
        self.area.append(area)
        self.iscrowd.append(iscrowd)
        self.difficult.append(difficult)

    def truth(
        self,
        source: Path,
        names: Sequence[str],
        sizes: Sequence[tuple[int, int]],
        classes: Sequence[str],
        *,
        form: Form = "xywh",
        counts: Mapping[str, int] | None = None,
    ) -> DetectionTruth:
        built = DetectionTruth(
            source,
            tuple(safe_key(name) for name in names),
            np.array(sizes, dtype=np.int64).reshape(-1, 2),
            tuple(classes),
            np.array(self.image, dtype=np.int64),
            np.array(self.category, dtype=np.int64),
            np.array(self.boxes, dtype=np.float64).reshape(-1, 4),
            np.array(self.area, dtype=np.float64),
            np.array(self.iscrowd, dtype=bool),
            np.array(self.difficult, dtype=bool),
            form,
        )
        return counted(built, names, counts or {}, areas_expected=False)


def counted(
    truth: DetectionTruth, names: Sequence[str], counts: Mapping[str, int], *, areas_expected: bool = True
) -> DetectionTruth:
    """Fill in the areas and count what the boxes and the images' own `names` hold; `counts` is added as it is."""
    x, y, w, h = truth.xywh().T
    no_area = np.isnan(truth.area)
    height, width = truth.sizes[truth.image].T
    low = -1.0 if truth.form == "corners" else 0.0  # VOC counts from 1, but many write 0
    beyond = np.max([low - x, low - y, x + w - width, y + h - height], axis=0)
    outside = (height > 0) & (beyond > ROUNDING_PX)
    one = 1 if truth.form == "corners" else 0
    thin = (w <= one) | (h <= one)
    unsafe = [name for name in names if _leads_out(name)]
    found = {
        "n_degenerate": int(thin.sum()),
        "n_outside": int(outside.sum()),
        "n_without_area": int(no_area.sum()) if areas_expected else 0,
        "n_unsafe_names": len(unsafe),
        "n_empty_images": len(truth.keys) - len(np.unique(truth.image)),
        **counts,
    }
    examples = {"n_degenerate": _names(truth, thin), "n_outside": _names(truth, outside), "n_unsafe_names": unsafe}
    area = np.where(no_area, w * h, truth.area)
    return replace(truth, area=area, counts=found, notes=sentences(found, examples))


def with_sorted_classes(truth: DetectionTruth) -> DetectionTruth:
    """Classes that were met one by one, sorted by name, so that the order of the files does not show."""
    order = sorted(range(len(truth.classes)), key=truth.classes.__getitem__)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return replace(truth, classes=tuple(truth.classes[at] for at in order), category=place[truth.category])


def sentences(counts: Mapping[str, int], examples: Mapping[str, Sequence[str]] | None = None) -> tuple[str, ...]:
    """One note for each count that is not 0, with a few examples where there are any."""
    notes = []
    for name, n in counts.items():
        shown = list((examples or {}).get(name, ()))[:N_NAMED]
        some = f" ({', '.join(shown)}{', ...' if n > len(shown) else ''})" if shown else ""
        if n:
            notes.append(f"{COUNTED[name][:1].upper()}{COUNTED[name][1:]}: {n}{some}.")
    return tuple(notes)


def safe_key(name: str) -> str:
    r"""An image name as a key: `/` between, nothing that leads out of the folder.

    >>> safe_key("../images/./1.jpg"), safe_key("C:\\data\\1.jpg"), safe_key("/data/1.jpg")
    ('images/1.jpg', 'data/1.jpg', 'data/1.jpg')
    """
    parts = [part for part in _slashed(name).split("/") if part not in ("", ".", "..")]
    return "/".join(parts[1:] if parts and _is_drive(parts[0]) else parts) or "_"


def _leads_out(name: str) -> bool:
    parts = _slashed(name).split("/")
    return ".." in parts or not parts[0] or _is_drive(parts[0])


def _is_drive(part: str) -> bool:
    return len(part) == 2 and part[1] == ":"


def _slashed(name: str) -> str:
    """Windows writes backslashes; keys have them only before the x of a byte that is not UTF-8."""
    return name if "\\x" in name else name.replace("\\", "/")


def _names(truth: DetectionTruth, mask: NDArray[np.bool_]) -> list[str]:
    return list(dict.fromkeys(truth.keys[at] for at in truth.image[mask][: 4 * N_NAMED]))
