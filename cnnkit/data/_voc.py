"""Pascal VOC: a folder with one XML file an image, in and out."""

import html
import math
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from cnnkit.data._detection_truth import Columns, DetectionTruth, safe_key, with_sorted_classes
from cnnkit.data._magic import has_image_suffix
from cnnkit.data._text import read_text
from cnnkit.errors import DataError
from cnnkit.files import write_text

FOLDERS = ("Annotations", "annotations", "xmls", "labels")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
_FLAG = re.compile(r"\s+-?[01]$")  # the sets of one class say beside each image whether it has that class
SETS = ("ImageSets/Main", "ImageSets")


def voc_folder(source: Path) -> Path | None:
    """The folder that holds the XML files: `source`, or its folder `Annotations`; None when there is none."""
    for folder in (source, *(source / name for name in FOLDERS)):
        if folder.is_dir() and next(folder.glob("*.xml"), None) is not None:
            return folder
    return None


def voc_parts(source: Path) -> dict[str, list[str]]:
    """The image sets that a folder lists, `ImageSets/Main/NAME.txt`: the stems of each; empty without any."""
    parts = {}
    for name in ("train", "val", "test"):
        for folder in SETS:
            path = source / folder / f"{name}.txt"
            if path.is_file():
                lines = map(str.strip, read_text(path).splitlines())
                parts[name] = [_FLAG.sub("", line) for line in lines if line]
                break
    return parts


def read_voc(source: Path, *, part: str | None = None) -> DetectionTruth:
    """Read a folder of XML files; `part` takes those that the image set of that name lists.

    A key is the path of the XML file below its folder with the suffix of the image that it names. Boxes are the
    inclusive corners as written; `difficult` is 0 where it is missing.

    Raises:
        DataError: no XML file, not XML, a field missing or no number, a box upside down, `difficult` other than 0 or
            1, an image of the set without a file.
    """
    folder = voc_folder(source)
    if folder is None:
        raise DataError(f"{source}: no Pascal VOC labels here. Expected .xml files, in it or in Annotations/.")
    names: list[str] = []
    sizes: list[tuple[int, int]] = []
    classes: dict[str, int] = {}
    columns = Columns()
    disagreeing = []
    for path in _files(source, folder, part):
        root = _root(path)
        key, disagrees = _key(path, folder, root)
        disagreeing += [path.name] if disagrees else []
        for at, thing in enumerate(root.iter("object")):
            _add(columns, len(names), classes, thing, f"{path}: object[{at}]")
        names.append(key)
        sizes.append(_size(path, root))
    truth = columns.truth(
        folder, names, sizes, list(classes), form="corners", counts={"n_name_disagrees": len(disagreeing)}
    )
    return with_sorted_classes(truth)


def write_voc(truth: DetectionTruth, folder: Path, *, part: str | None = None) -> tuple[str, ...]:
    """Write `folder`/Annotations/KEY.xml, and with `part` the image set of that name; nothing is lost.

    Crowd regions get `<iscrowd>1</iscrowd>` and an area other than that of the box gets `<area>`, which readers of
    VOC pass over and this one's takes.
    """
    corners = truth.corners()
    w, h = truth.xywh()[:, 2:].T
    objects: list[list[str]] = [[] for _ in truth.keys]
    for at, image in enumerate(truth.image):
        fields = {"name": _text(truth.classes[truth.category[at]]), "difficult": str(int(truth.difficult[at]))}
        if truth.area[at] != w[at] * h[at]:
            fields["area"] = _number(truth.area[at])
        if truth.iscrowd[at]:
            fields["iscrowd"] = "1"
        frame = dict(zip(CORNERS, map(_number, corners[at]), strict=True))
        objects[image].append(f"<object>{_elements(fields)}<bndbox>{_elements(frame)}</bndbox></object>\n")
    for key, (height, width), rows in zip(truth.keys, truth.sizes, objects, strict=True):
        size = (
            f"<size>{_elements({'width': str(width), 'height': str(height), 'depth': '3'})}</size>\n" if height else ""
        )
        text = f"<annotation>\n<filename>{_text(key)}</filename>\n{size}{''.join(rows)}</annotation>\n"
        write_text(folder / "Annotations" / Path(key).with_suffix(".xml"), text)
    if part is not None:
        stems = [Path(key).with_suffix("").as_posix() + "\n" for key in truth.keys]
        write_text(folder / "ImageSets" / "Main" / f"{part}.txt", "".join(stems))
    return ()


def _elements(fields: dict[str, str]) -> str:
    return "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _files(source: Path, folder: Path, part: str | None) -> Iterator[Path]:
    if part is None:
        yield from sorted(folder.rglob("*.xml"), key=lambda path: path.relative_to(folder).as_posix())
        return
    parts = voc_parts(source)
    if part not in parts:
        raise DataError(f"{source}: no image set {part!r}; there are {', '.join(parts) or 'none'} in {SETS[0]}.")
    for stem in parts[part]:
        path = folder / f"{safe_key(stem)}.xml"
        if not path.is_file():
            raise DataError(f"{source}: the image set {part!r} lists {stem!r}, and {path} is not there.")
        yield path


def _text(value: str) -> str:
    """A text as XML holds it between tags."""
    return html.escape(value, quote=False)


def _root(path: Path) -> ElementTree.Element:
    try:
        data = path.read_bytes()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise DataError(f"{path}: declares entities, which labels have no use for; not read.")
        root = ElementTree.fromstring(data)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"{path}: not XML: {error}.") from error
    if root.tag != "annotation":
        raise DataError(f"{path}: begins with <{root.tag}>, expected <annotation>.")
    return root


def _key(path: Path, folder: Path, root: ElementTree.Element) -> tuple[str, bool]:
    """The image of a label file, and whether the file names another."""
    own = path.relative_to(folder).with_suffix("").as_posix()
    said = (root.findtext("filename") or "").strip()
    if not has_image_suffix(said):
        return f"{own}.jpg", bool(said) and said != path.stem
    suffix = said[said.rfind(".") :]
    return own + suffix, safe_key(said) not in (own + suffix, path.stem + suffix)


def _size(path: Path, root: ElementTree.Element) -> tuple[int, int]:
    size = root.find("size")
    if size is None:
        return 0, 0
    height, width = (_float(size, name, f"{path}: size") for name in ("height", "width"))
    return int(height), int(width)


def _add(columns: Columns, image: int, classes: dict[str, int], thing: ElementTree.Element, where: str) -> None:
    name = (thing.findtext("name") or "").strip()
    if not name:
        raise DataError(f"{where}.name is missing; it is the class.")
    frame = thing.find("bndbox")
    if frame is None:
        raise DataError(f"{where}.bndbox is missing.")
    x1, y1, x2, y2 = (_float(frame, field, f"{where}.bndbox") for field in CORNERS)
    if x2 < x1 or y2 < y1:
        raise DataError(
            f"{where}.bndbox is [{x1:g}, {y1:g}, {x2:g}, {y2:g}]: xmax and ymax must not lie before xmin and ymin."
        )
    area = _float(thing, "area", where) if thing.find("area") is not None else float("nan")
    columns.add(
        image,
        classes.setdefault(name, len(classes)),
        (x1, y1, x2, y2),
        area=area,
        iscrowd=_flag(thing, "iscrowd", where),
        difficult=_flag(thing, "difficult", where),
    )


def _float(parent: ElementTree.Element, field: str, where: str) -> float:
    text = parent.findtext(field)
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}.{field} is {text!r}, expected a finite number.")
    return value


def _flag(thing: ElementTree.Element, field: str, where: str) -> bool:
    text = (thing.findtext(field) or "0").strip()
    if text not in ("0", "1"):
        raise DataError(f"{where}.{field} is {text!r}, expected 0 or 1.")
    return text == "1"
