"""YOLO's labels: a text file an image, `class cx cy w h` as fractions of it; data.yaml names parts and classes."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnkit.data._detection_truth import Columns, DetectionTruth, sentences
from cnnkit.data._listing import find_images
from cnnkit.data._picture_sizes import picture_size
from cnnkit.data._simple_yaml import Value, parse_simple_yaml
from cnnkit.data._text import read_text
from cnnkit.errors import DataError
from cnnkit.files import write_text

NAME_FILES = ("classes.txt", "obj.names", "labels/classes.txt")
FAR_OUT = 2.0  # a coordinate beyond this is no part of a picture, it is a pixel


@dataclass(frozen=True, slots=True)
class YoloPart:
    """Where the pictures of a part lie: keys are relative to `root`; `pictures` is None for all below it."""

    root: Path
    pictures: tuple[Path, ...] | None = None


@dataclass(frozen=True, slots=True)
class YoloSet:
    source: Path
    names: tuple[str, ...] | None
    parts: dict[str | None, YoloPart]


def open_yolo(source: Path) -> YoloSet | None:
    """Find the parts of a data.yaml, of the folder that holds one, or of images/ beside labels/; None without."""
    yaml = source if source.suffix.lower() in (".yaml", ".yml") else _yaml_in(source)
    if yaml is not None:
        return _from_yaml(yaml)
    images = source / "images"
    if not (images.is_dir() and (source / "labels").is_dir()):
        return None
    folders = {name: images / name for name in ("train", "val", "test") if (images / name).is_dir()}
    parts: dict[str | None, YoloPart] = {name: YoloPart(folder) for name, folder in folders.items()}
    return YoloSet(source, _names_beside(source), parts or {None: YoloPart(images)})


def read_yolo(found: YoloSet, part: str | None, *, names: Sequence[str] | None = None) -> DetectionTruth:
    """Read the labels of one part; sizes come from the pictures' headers, since labels are parts of them.

    A picture without a label file has no objects. Five columns are a box; seven and more, an odd number, are a
    polygon and become the box around it.

    Raises:
        DataError: a class that is no integer or has no name, another number of columns, a value that is not finite,
            a negative size, coordinates that are pixels.
    """
    chosen = found.parts[part]
    classes = tuple(names) if names is not None else found.names
    columns = Columns()
    keys: list[str] = []
    sizes: list[tuple[int, int]] = []
    counts = {"n_polygons": 0, "n_size_unknown": 0, "n_without_image": _labels_without_picture(chosen)}
    highest = -1
    for key, path in _pictures(chosen):
        size = picture_size(path)
        if size is None:
            counts["n_size_unknown"] += 1
            continue
        for line in _lines(label_file(path)):
            at, box, is_polygon = line.parsed(size, None if classes is None else len(classes))
            columns.add(len(keys), at, box)
            counts["n_polygons"] += is_polygon
            highest = max(highest, at)
        keys.append(key)
        sizes.append(size)
    named = classes if classes is not None else tuple(str(at) for at in range(highest + 1))
    return columns.truth(chosen.root, keys, sizes, named, counts=counts)


def label_file(picture: Path) -> Path:
    """The last folder `images` of the path becomes `labels`; without one the label lies beside the picture."""
    parts = list(picture.parts)
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] == "images":
            return Path(*parts[:at], "labels", *parts[at + 1 :]).with_suffix(".txt")
    return picture.with_suffix(".txt")


def write_yolo(truth: DetectionTruth, folder: Path, *, part: str | None = None) -> tuple[str, ...]:
    """Write `folder`/labels/[PART/]KEY.txt; data.yaml is written by `write_data_yaml`. Says what is lost.

    Raises:
        DataError: an image whose size is not known.
    """
    unknown = [key for key, size in zip(truth.keys, truth.sizes, strict=True) if not size.all()]
    if unknown:
        raise DataError(
            f"{truth.source}: {len(unknown)} images have no size in the labels ({unknown[0]}), and YOLO's boxes are "
            f"parts of it. --images DIR says where the pictures are."
        )
    rows: list[list[str]] = [[] for _ in truth.keys]
    for at, (x, y, w, h) in enumerate(truth.xywh().tolist()):
        image = int(truth.image[at])
        height, width = truth.sizes[image].tolist()
        if not truth.iscrowd[at]:
            parts = ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height)
            rows[image].append(f"{truth.category[at]} {' '.join(map(repr, parts))}\n")
    for key, lines in zip(truth.keys, rows, strict=True):
        write_text(folder / "labels" / (part or "") / Path(key).with_suffix(".txt"), "".join(lines))
    w, h = truth.xywh()[:, 2:].T
    own_area = (truth.area != w * h) & ~truth.iscrowd
    lost = {
        "n_crowd_dropped": int(truth.iscrowd.sum()),
        "n_difficult_dropped": int((truth.difficult & ~truth.iscrowd).sum()),
        "n_area_dropped": int(own_area.sum()),
    }
    return sentences(lost)


def write_data_yaml(folder: Path, classes: Sequence[str], parts: Sequence[str | None]) -> None:
    """Write data.yaml; without parts, train and val are the same pictures."""
    lines = ["path: ."]
    named = [part for part in parts if part is not None]
    lines += [f"{part}: images/{part}" for part in named] or ["train: images", "val: images"]
    lines += ["names:"] + [f"  {at}: {json.dumps(name, ensure_ascii=False)}" for at, name in enumerate(classes)]
    write_text(folder / "data.yaml", "\n".join(lines) + "\n")


@dataclass(frozen=True, slots=True)
class _Line:
    path: Path
    number: int
    words: tuple[str, ...]

    def parsed(
        self, size: tuple[int, int], n_classes: int | None
    ) -> tuple[int, tuple[float, float, float, float], bool]:
        """(class, box as xywh in pixels, whether it was a polygon)."""
        numbers = self._numbers()
        at = int(numbers[0])
        if at != numbers[0] or at < 0:
            raise self._bad(f"class {self.words[0]!r} is no integer from 0.")
        if n_classes is not None and at >= n_classes:
            raise self._bad(f"class {at} has no name, there are {n_classes}. Is it the right data.yaml?")
        polygon = len(numbers) >= 7 and len(numbers) % 2 == 1
        if len(numbers) != 5 and not polygon:
            scored = " A sixth column is a score: these look like predictions." if len(numbers) == 6 else ""
            raise self._bad(f"{len(numbers)} columns, expected class cx cy w h.{scored}")
        if max(map(abs, numbers[1:])) > FAR_OUT:
            raise self._bad("coordinates must be parts of the picture, 0 to 1. Are these pixels?")
        x1, y1, w, h = _around(numbers[1:]) if polygon else _from_centre(numbers[1:])
        if w < 0 or h < 0:
            raise self._bad("width and height must not be negative.")
        height, width = size
        return at, (x1 * width, y1 * height, w * width, h * height), polygon

    def _numbers(self) -> list[float]:
        try:
            numbers = [float(word) for word in self.words]
        except ValueError:
            numbers = [math.nan]
        if not all(map(math.isfinite, numbers)):
            raise self._bad("expected finite numbers.")
        return numbers

    def _bad(self, problem: str) -> DataError:
        return DataError(
            f"{self.path}: line {self.number} ({' '.join(self.words)[:80]}): {problem}.".replace("..", ".")
        )


def _from_centre(numbers: Sequence[float]) -> tuple[float, float, float, float]:
    cx, cy, w, h = numbers
    return cx - w / 2, cy - h / 2, w, h


def _around(numbers: Sequence[float]) -> tuple[float, float, float, float]:
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def _lines(path: Path) -> Iterator[_Line]:
    if path.is_file():
        for number, line in enumerate(read_text(path).splitlines(), 1):
            if line.strip():
                yield _Line(path, number, tuple(line.split()))


def _pictures(part: YoloPart) -> Iterator[tuple[str, Path]]:
    if part.pictures is None:
        for sample in find_images(part.root):
            yield sample.key, sample.path
        return
    for path in part.pictures:
        yield (path.relative_to(part.root) if path.is_relative_to(part.root) else Path(path.name)).as_posix(), path


def _labels_without_picture(part: YoloPart) -> int:
    if part.pictures is not None:
        return 0
    probe = label_file(part.root / "x").parent
    if not probe.is_dir():
        return 0
    labels = {path.relative_to(probe).with_suffix("").as_posix() for path in probe.rglob("*.txt")}
    pictures = {Path(key).with_suffix("").as_posix() for key in find_images(part.root).keys}
    return len(labels - pictures - {"classes"})


def _yaml_in(source: Path) -> Path | None:
    if not source.is_dir():
        return None
    named = [source / "data.yaml", source / "dataset.yaml"]
    present = [path for path in named if path.is_file()]
    return present[0] if present else next(iter(sorted(source.glob("*.y*ml"))), None)


def _from_yaml(yaml: Path) -> YoloSet:
    values = parse_simple_yaml(read_text(yaml), yaml)
    said = values.get("path", "")
    root = (yaml.parent / said).resolve() if isinstance(said, str) else yaml.parent
    root = root if root.is_dir() else yaml.parent.resolve()
    parts: dict[str | None, YoloPart] = {}
    for name, keys in {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}.items():
        value = next((values[key] for key in keys if values.get(key)), None)
        if value is not None:
            parts[name] = _part(yaml, root, value)
    if not parts:
        raise DataError(
            f"{yaml}: names no train, val or test: add a line with the folder of the images, such as `val: images/val`."
        )
    return YoloSet(yaml, _names(yaml, values.get("names", ""), values.get("nc", "")), parts)


def _part(yaml: Path, root: Path, value: Value) -> YoloPart:
    said = [value] if isinstance(value, str) else list(value)
    places = [_place(yaml, root, one) for one in said]
    if len(places) == 1 and places[0].is_dir():
        return YoloPart(places[0])
    pictures: list[Path] = []
    for place in places:
        pictures += [sample.path for sample in find_images(place)] if place.is_dir() else _listed(place)
    return YoloPart(root, tuple(pictures))


def _place(yaml: Path, root: Path, said: str) -> Path:
    """A folder or list of a part; some tools write `../train/images` for what lies beside the file."""
    for place in (root / said, yaml.parent / said, root / said.removeprefix("../")):
        if place.exists():
            return place.resolve()
    raise DataError(f"{yaml}: {said!r} is not there, neither below {root} nor beside the file.")


def _listed(path: Path) -> list[Path]:
    """The pictures that a text file lists, relative to it."""
    return [(path.parent / line.strip()).resolve() for line in read_text(path).splitlines() if line.strip()]


def _names(yaml: Path, names: Value, count: Value) -> tuple[str, ...] | None:
    if isinstance(names, dict):
        if set(names) != {str(at) for at in range(len(names))}:
            raise DataError(f"{yaml}: names must be numbered 0 to {len(names) - 1}, got {', '.join(list(names)[:5])}.")
        names = [names[str(at)] for at in range(len(names))]
    if isinstance(names, str):
        return None
    if isinstance(count, str) and count.isdecimal() and int(count) != len(names):
        raise DataError(f"{yaml}: nc is {count} and there are {len(names)} names.")
    return tuple(names)


def _names_beside(source: Path) -> tuple[str, ...] | None:
    for name in NAME_FILES:
        if (source / name).is_file():
            return tuple(line.strip() for line in read_text(source / name).splitlines() if line.strip())
    return None
