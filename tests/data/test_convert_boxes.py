"""Labelled boxes in one format become any other."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnkit.data import BOX_FORMATS, DetectionTruth, convert, read_boxes
from cnnkit.errors import DataError


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Two parts with whole-number boxes, one crowd region, pictures beside them."""
    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    for part, names in {"train": ("a.png", "sub/b.png"), "val": ("c.png",)}.items():
        images = [{"id": 10 + at, "file_name": name, "height": 50, "width": 100} for at, name in enumerate(names)]
        annotations = [
            {"id": 1, "image_id": 10, "category_id": 7, "bbox": [10, 20, 30, 10], "area": 300, "iscrowd": 0},
            {"id": 2, "image_id": 10, "category_id": 2, "bbox": [0, 0, 100, 50], "area": 99.5, "iscrowd": 0},
        ]
        annotations += [{"id": 3, "image_id": 11, "category_id": 7, "bbox": [5, 5, 5, 5], "iscrowd": 1}] * (
            len(names) > 1
        )
        categories = [{"id": 7, "name": "cat"}, {"id": 2, "name": "dog"}]
        told = {"images": images, "annotations": annotations, "categories": categories}
        (root / "annotations" / f"instances_{part}.json").write_text(json.dumps(told))
        for name in names:
            (root / "images" / part / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (100, 50)).save(root / "images" / part / name)
    return root


def rows(truth: DetectionTruth) -> set[tuple[object, ...]]:
    return {
        (truth.keys[image], truth.classes[label], *map(round, box), bool(crowd))
        for image, label, box, crowd in zip(
            truth.image, truth.category, truth.xywh().tolist(), truth.iscrowd, strict=True
        )
    }


@pytest.mark.parametrize(("middle", "last"), list(product(BOX_FORMATS, BOX_FORMATS)))
def test_any_format_to_any_other(coco: Path, tmp_path: Path, middle: str, last: str) -> None:
    convert(coco, tmp_path / "one", to=middle, copy_images=True)
    done = convert(tmp_path / "one", tmp_path / "two", format=middle, to=last, copy_images=True)
    assert (done.format, done.to, done.parts) == (middle, last, {"train": 2, "val": 1})
    for part in ("train", "val"):
        first = read_boxes(coco, split=part)
        second = read_boxes(tmp_path / "two", format=last, split=part)
        expected = {row for row in rows(first) if not row[-1] or "yolo" not in (middle, last)}
        assert rows(second) == expected
        assert sorted(second.keys) == sorted(first.keys)
        if "yolo" not in (middle, last):
            assert sorted(second.area.tolist()) == sorted(first.area.tolist())


def test_what_a_format_cannot_say_is_told(coco: Path, tmp_path: Path) -> None:
    done = convert(coco, tmp_path / "yolo", to="yolo")
    assert done.notes == (
        "train: Objects without an area, taken as width x height: 1.",
        "train: Crowd regions, which the format cannot say, left out: 1.",
        "train: Areas other than width x height, which the format cannot say, left out: 1.",
        "val: Areas other than width x height, which the format cannot say, left out: 1.",
    )
    assert not (tmp_path / "yolo" / "images").exists()


def test_difficult_objects_survive_all_but_yolo(tmp_path: Path) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
    thing = f"<object><name>cat</name><difficult>1</difficult>{box}</object>"
    (tmp_path / "voc").mkdir()
    size = "<size><width>9</width><height>9</height></size>"
    (tmp_path / "voc" / "a.xml").write_text(f"<annotation>{size}{thing}</annotation>")
    for to in ("coco", "csv", "voc"):
        convert(tmp_path / "voc", tmp_path / to, to=to) if to != "voc" else convert(
            tmp_path / "voc", tmp_path / "v2", to=to
        )
        truth = read_boxes(tmp_path / ("v2" if to == "voc" else to))
        assert truth.difficult.tolist() == [True]
        assert truth.xywh().tolist() == [[0, 1, 3, 3]]
    assert convert(tmp_path / "voc", tmp_path / "yolo", to="yolo").notes == (
        "Marks of difficult objects, which the format cannot say, left out: 1.",
    )


def test_sizes_come_from_the_pictures_where_labels_have_none(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("key,class,x,y,w,h\na.png,cat,10,10,20,20\n")
    with pytest.raises(DataError, match=r"1 images have no size in the labels \(a.png\), .* --images DIR"):
        convert(tmp_path / "boxes.csv", tmp_path / "yolo", to="yolo")
    (tmp_path / "far").mkdir()
    Image.new("L", (100, 50)).save(tmp_path / "far" / "a.png")
    convert(tmp_path / "boxes.csv", tmp_path / "yolo", to="yolo", images=tmp_path / "far")
    assert (tmp_path / "yolo/labels/a.txt").read_text() == "0 0.2 0.4 0.2 0.4\n"


def test_sizes_that_disagree_and_pictures_that_are_gone_are_told(coco: Path, tmp_path: Path) -> None:
    Image.new("L", (50, 100)).save(coco / "images/train/a.png")
    (coco / "images/train/sub/b.png").unlink()
    done = convert(coco, tmp_path / "out", to="csv", split="train", copy_images=True)
    assert done.notes[1:] == (
        "train: Images of another size than their labels say, boxes taken as they are: 1 (a.png).",
        "train: Pictures that are not there, their labels kept: 1.",
    )
    assert [path.name for path in (tmp_path / "out" / "images").rglob("*.png")] == ["a.png"]


def test_pictures_that_are_nowhere_cannot_be_copied(coco: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone" / "deep" / "gt.json"
    alone.parent.mkdir(parents=True)
    alone.write_bytes((coco / "annotations/instances_val.json").read_bytes())
    with pytest.raises(DataError, match=r"its pictures are not found. --images DIR says where they are"):
        convert(alone, tmp_path / "out", copy_images=True)
    assert {path.name for path in tmp_path.iterdir()} == {"alone", "coco"}


def test_a_name_that_leads_out_is_written_inside(tmp_path: Path) -> None:
    told = {
        "images": [{"id": 1, "file_name": "../../x.jpg", "height": 9, "width": 9}],
        "annotations": [],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "gt.json").write_text(json.dumps(told))
    convert(tmp_path / "gt.json", tmp_path / "out" / "voc", to="voc")
    assert sorted(path.name for path in tmp_path.rglob("*.xml")) == ["x.xml"]
    assert (tmp_path / "out" / "voc" / "Annotations" / "x.xml").exists()


def test_the_same_again_is_left_alone_and_other_boxes_are_refused(coco: Path, tmp_path: Path) -> None:
    convert(coco, tmp_path / "out", to="yolo", copy_images=True)
    (tmp_path / "out" / "data.yaml").unlink()
    convert(coco, tmp_path / "out", to="yolo", copy_images=True)
    assert not (tmp_path / "out" / "data.yaml").exists()
    labels = coco / "annotations/instances_val.json"
    labels.write_text(labels.read_text().replace("[10, 20, 30, 10]", "[10, 20, 30, 11]"))
    with pytest.raises(DataError, match=r"already. Give another folder, or --overwrite"):
        convert(coco, tmp_path / "out", to="yolo", copy_images=True)
    convert(coco, tmp_path / "out", to="yolo", copy_images=True, overwrite=True)
    assert (tmp_path / "out" / "data.yaml").exists()


def test_what_does_not_go_together_is_refused(coco: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no part test; its parts are train, val"):
        convert(coco, tmp_path / "out", split="test")
    with pytest.raises(DataError, match="--holdout is for images in arrays"):
        convert(coco, tmp_path / "out", holdout=3)
    with pytest.raises(DataError, match="digits becomes an image folder; --to is for labelled boxes"):
        convert("sklearn:digits", tmp_path / "out", to="coco")
    with pytest.raises(DataError, match="format 'tfrecord' is not known; there are idx, fashion"):
        convert(coco, tmp_path / "out", format="tfrecord")


def test_parts_with_other_classes_get_one_list(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for part, name in {"train": "zebra", "val": "ant"}.items():
        (tmp_path / "in" / f"{part}.csv").write_text(f"key,class,x,y,w,h\n{part}.png,{name},1,1,2,2\n")
    convert(tmp_path / "in", tmp_path / "out", to="coco")
    train, val = (read_boxes(tmp_path / "out", split=part) for part in ("train", "val"))
    assert train.classes == val.classes == ("zebra", "ant")
    assert (train.category.tolist(), val.category.tolist()) == ([0], [1])


def test_cocos_own_photos_come_back(shared: Path, tmp_path: Path) -> None:
    first = read_boxes(shared / "coco128")
    for to in ("voc", "csv"):
        convert(shared / "coco128", tmp_path / to, to=to)
        convert(tmp_path / to, tmp_path / f"{to}-coco", to="coco")
        back = read_boxes(tmp_path / f"{to}-coco")
        place = {key: at for at, key in enumerate(back.keys)}
        for at, key in enumerate(first.keys):
            mine, theirs = first.image == at, back.image == place[key]
            assert np.allclose(first.boxes[mine], back.boxes[theirs], rtol=0, atol=1e-9)
            assert first.area[mine].tolist() == back.area[theirs].tolist()
            assert first.iscrowd[mine].tolist() == back.iscrowd[theirs].tolist()
            names = [first.classes[label] for label in first.category[mine]]
            assert names == [back.classes[label] for label in back.category[theirs]]


def test_the_raccoons_as_yolo(shared: Path, tmp_path: Path) -> None:
    convert(shared / "raccoon_voc", tmp_path / "yolo", to="yolo", copy_images=True)
    first, back = read_boxes(shared / "raccoon_voc"), read_boxes(tmp_path / "yolo")
    place = {key: at for at, key in enumerate(back.keys)}
    order = np.argsort([place[first.keys[at]] for at in first.image], kind="stable")
    assert np.allclose(first.xywh()[order], back.boxes, atol=1e-9)


def test_train_and_val_that_are_the_same_images_are_taken_once(tmp_path):
    """Tools that train on YOLO's data.yaml want both names; a set without parts then names its images twice."""
    (tmp_path / "set" / "images").mkdir(parents=True)
    Image.new("RGB", (20, 10)).save(tmp_path / "set" / "images" / "a.png")
    (tmp_path / "set" / "boxes.csv").write_text("key,class,x1,y1,x2,y2\na.png,cat,1,2,5,6\n")
    yolo = convert(tmp_path / "set", tmp_path / "yolo", to="yolo", copy_images=True).folder
    assert "val: images" in (yolo / "data.yaml").read_text()
    done = convert(yolo, tmp_path / "back", to="csv", copy_images=True)
    assert "Val is train once more, the same images: taken once." in done.notes or any(
        "val is train once more" in note for note in done.notes
    )
    assert (tmp_path / "back" / "boxes.csv").read_text().count("a.png") == 1
    assert not (tmp_path / "back" / "val.csv").exists()
