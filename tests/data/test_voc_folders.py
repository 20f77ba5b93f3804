"""Pascal VOC's XML folders."""

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pytest

from cnnkit.data import read_boxes, read_voc, write_voc
from cnnkit.errors import DataError

OBJECT = (
    "<object><name>cat</name>{}<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)
SIZE = "<size><width>200</width><height>100</height><depth>3</depth></size>"


def thing(*corners: object, more: str = "") -> str:
    return OBJECT.format(more, *corners)


def put(folder: Path, name: str, inside: str, *, filename: str | None = None) -> Path:
    path = folder / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = f"<filename>{escape(filename or name + '.jpg')}</filename>"
    path.write_text(f"<annotation>{said}{inside}</annotation>")
    return path


def test_corners_are_kept_and_xywh_counts_the_last_pixel(tmp_path: Path) -> None:
    put(tmp_path, "a", SIZE + thing(1, 2, 10, 20) + thing(3.5, 4, 3.5, 9, more="<difficult>1</difficult>"))
    truth = read_voc(tmp_path)
    assert (truth.keys, truth.classes, truth.form) == (("a.jpg",), ("cat",), "corners")
    assert truth.sizes.tolist() == [[100, 200]]
    assert truth.boxes.tolist() == [[1, 2, 10, 20], [3.5, 4, 3.5, 9]]
    assert truth.corners() is truth.boxes
    assert truth.xywh().tolist() == [[0, 1, 10, 19], [2.5, 3, 1, 6]]
    assert truth.area.tolist() == [190, 6]
    assert truth.difficult.tolist() == [False, True]
    assert {name: n for name, n in truth.counts.items() if n} == {"n_degenerate": 1}


def test_classes_are_sorted_whatever_the_files_order(tmp_path: Path) -> None:
    put(tmp_path, "a", thing(1, 1, 2, 2).replace("cat", "zebra") + thing(1, 1, 2, 2))
    truth = read_voc(tmp_path)
    assert truth.classes == ("cat", "zebra")
    assert truth.category.tolist() == [1, 0]


def test_boxes_outside_are_counted_and_a_zero_is_let_pass(tmp_path: Path) -> None:
    put(tmp_path, "a", SIZE + thing(0, 0, 200, 100) + thing(-1, 1, 5, 5) + thing(1, 1, 201, 5))
    put(tmp_path, "b", "")
    truth = read_voc(tmp_path)
    assert {name: n for name, n in truth.counts.items() if n} == {"n_outside": 2, "n_empty_images": 1}


def test_a_key_is_the_label_files_own_name(tmp_path: Path) -> None:
    put(tmp_path, "sub/a", "", filename="a.PNG")
    put(tmp_path, "b", "", filename="../../etc/passwd.png")
    put(tmp_path, "c", "", filename="c")
    put(tmp_path, "d", "", filename="other.jpg")
    truth = read_voc(tmp_path)
    assert truth.keys == ("b.png", "c.jpg", "d.jpg", "sub/a.PNG")
    assert truth.counts["n_name_disagrees"] == 2


def test_image_sets_are_parts(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path / "Annotations", name, thing(1, 1, 2, 2))
    sets = tmp_path / "ImageSets" / "Main"
    sets.mkdir(parents=True)
    (sets / "train.txt").write_text("a\n")
    (sets / "val.txt").write_text("b  1\nc -1\n\n")
    assert read_voc(tmp_path, part="val").keys == ("b.jpg", "c.jpg")
    assert read_boxes(tmp_path).keys == ("b.jpg", "c.jpg")
    assert read_boxes(tmp_path, split="train").keys == ("a.jpg",)
    with pytest.raises(DataError, match="no part test; its parts are train, val"):
        read_boxes(tmp_path, split="test")
    (sets / "train.txt").write_text("x\n")
    with pytest.raises(DataError, match=r"the image set 'train' lists 'x', and .*x.xml is not there"):
        read_voc(tmp_path, part="train")
    with pytest.raises(DataError, match="no image set 'test'; there are train, val in ImageSets/Main"):
        read_voc(tmp_path, part="test")


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (thing(5, 1, 4, 9), r"object\[0\].bndbox is \[5, 1, 4, 9\]: xmax and ymax must not lie before"),
        (thing(1, 1, 2, 2) + thing(1, 9, 4, 8), r"object\[1\].bndbox is \[1, 9, 4, 8\]"),
        (thing(1, "one", 4, 8), r"object\[0\].bndbox.ymin is 'one', expected a finite number"),
        (thing(1, "nan", 4, 8), r"object\[0\].bndbox.ymin is 'nan'"),
        (thing(1, 1, 4, ""), r"object\[0\].bndbox.ymax is ''"),
        ("<object><name>cat</name><bndbox><xmin>1</xmin></bndbox></object>", r"object\[0\].bndbox.ymin is None"),
        ("<object><name>cat</name></object>", r"object\[0\].bndbox is missing"),
        ("<object><name> </name></object>", r"object\[0\].name is missing; it is the class"),
        (thing(1, 1, 2, 2, more="<difficult>yes</difficult>"), r"object\[0\].difficult is 'yes', expected 0 or 1"),
        ("<size><width>x</width><height>5</height></size>", r"size.width is 'x', expected a finite number"),
        ("<broken>", "not XML: mismatched tag"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, inside: str, message: str) -> None:
    path = put(tmp_path, "a", inside)
    with pytest.raises(DataError, match=message) as caught:
        read_voc(tmp_path)
    assert str(caught.value).startswith(str(path))


def test_entities_and_other_documents_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<!DOCTYPE x [<!ENTITY a "aaa">]><annotation>&a;</annotation>')
    with pytest.raises(DataError, match="declares entities"):
        read_voc(tmp_path)
    (tmp_path / "a.xml").write_text("<html></html>")
    with pytest.raises(DataError, match="begins with <html>, expected <annotation>"):
        read_voc(tmp_path)
    with pytest.raises(DataError, match="no Pascal VOC labels here"):
        read_voc(tmp_path / "nothing")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    more = "<difficult>1</difficult><iscrowd>1</iscrowd><area>7.25</area>"
    put(tmp_path / "in", "sub/a & b", SIZE + thing(1.5, 2, 10.125, 20) + thing(3, 4, 5, 9, more=more))
    put(tmp_path / "in", "c", "")
    first = read_voc(tmp_path / "in")
    write_voc(first, tmp_path / "out", part="val")
    second = read_boxes(tmp_path / "out", split="val")
    assert (second.keys, second.classes) == (first.keys, first.classes)
    for name in ("sizes", "image", "category", "boxes", "area", "iscrowd", "difficult"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def folder_from_case(told: dict[str, Any], folder: Path) -> Path:
    for image in told["images"]:
        rows = [
            thing(*entry["bbox"], more=f"<difficult>{entry['difficult']}</difficult>").replace("cat", entry["class"])
            for entry in told["groundtruth"]
            if entry["image"] == image
        ]
        put(folder, image, "".join(rows))
    return folder


def test_published_cases_come_through_as_written(shared: Path, tmp_path: Path) -> None:
    for path in sorted((shared / "metrics" / "voc").glob("*.json")):
        told = json.loads(path.read_text())
        folder = folder_from_case(told, tmp_path / path.stem)
        if told["expect"] == "error" and "difficult" in told["error_should_name"]:
            with pytest.raises(DataError, match=r"difficult is 'maybe', expected 0 or 1"):
                read_voc(folder)
            continue
        truth = read_voc(folder)
        rows = sorted(
            (truth.keys[image], truth.classes[label], box, bool(difficult))
            for image, label, box, difficult in zip(
                truth.image, truth.category, truth.boxes.tolist(), truth.difficult, strict=True
            )
        )
        assert rows == sorted(
            (
                f"{entry['image']}.jpg",
                entry["class"],
                [float(value) for value in entry["bbox"]],
                bool(entry["difficult"]),
            )
            for entry in told["groundtruth"]
        ), path.name


def test_the_raccoons(shared: Path) -> None:
    truth = read_boxes(shared / "raccoon_voc")
    assert (len(truth.keys), len(truth.boxes), truth.classes) == (60, 67, ("raccoon",))
    assert all((shared / "raccoon_voc" / "images" / key).is_file() for key in truth.keys)
    assert truth.notes == ()
