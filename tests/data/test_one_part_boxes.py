"""Labelled boxes of one part alone: one label file, its pictures in a folder named after the part."""

import json
from pathlib import Path

import pytest
from PIL import Image

from cnnkit.data import BOX_FORMATS, convert, find_pictures, open_boxes, read_boxes
from cnnkit.errors import DataError
from cnnkit.training._box_parts import find_box_parts
from cnnkit.training._recipe import recipe_for


def coco(root: Path, pictures: str | None, *, labels: str = "annotations/instances_val2017.json") -> Path:
    told = {
        "images": [{"id": 1, "file_name": "a.png", "height": 50, "width": 100}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 10], "area": 300}],
    }
    (root / labels).parent.mkdir(parents=True)
    (root / labels).write_text(json.dumps(told))
    if pictures is not None:
        picture(root / pictures / "a.png")
    return root


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (100, 50)).save(path)


@pytest.mark.parametrize("labels", ["annotations/instances_val2017.json", "instances_val.json", "val.json"])
@pytest.mark.parametrize(
    "pictures", ["images/val2017", "images/val", "images/valid", "val2017", "images", "images/all"]
)
def test_the_pictures_of_one_label_file(tmp_path: Path, labels: str, pictures: str) -> None:
    root = coco(tmp_path / "set", pictures, labels=labels)
    for source in (root, root / labels):
        assert find_pictures(source, open_boxes(source).part(), ["a.png"]) == root / pictures


def test_the_part_that_the_file_names_decides_between_pictures_of_one_name(tmp_path: Path) -> None:
    root = coco(tmp_path, "images/val2017")
    picture(root / "images" / "train2017" / "a.png")
    assert find_pictures(root, None, ["a.png"]) == root / "images" / "val2017"
    picture(root / "images" / "val" / "a.png")
    assert find_pictures(root, None, ["a.png"]) == root / "images" / "val"


def test_pictures_of_another_part_are_not_taken(tmp_path: Path) -> None:
    assert find_pictures(coco(tmp_path, "images/train2017"), None, ["a.png"]) is None


def test_two_dated_parts_beside_one_another(tmp_path: Path) -> None:
    root = coco(tmp_path, "images/val2017")
    (root / "annotations" / "instances_train2017.json").write_text(
        (root / "annotations" / "instances_val2017.json").read_text()
    )
    picture(root / "images" / "train2017" / "a.png")
    for part in ("train", "val"):
        assert find_pictures(root, part, ["a.png"]) == root / "images" / f"{part}2017"


def test_one_file_answers_to_the_part_that_it_is_named_after(tmp_path: Path) -> None:
    root = coco(tmp_path / "set", "images/val2017")
    for split in (None, "all", "val", "valid"):
        assert read_boxes(root, split=split).keys == ("a.png",)
    assert convert(root, tmp_path / "out", to="voc", split="val", copy_images=True).n == 1
    with pytest.raises(DataError, match="no part test; it has no parts"):
        read_boxes(root, split="test")
    with pytest.raises(DataError, match="no part train; it has no parts"):
        convert(root, tmp_path / "no", split="train")


@pytest.mark.parametrize("to", BOX_FORMATS)
def test_a_part_that_was_converted_is_converted_on(tmp_path: Path, to: str) -> None:
    root = coco(tmp_path / "two", "images/train", labels="annotations/instances_train.json")
    (root / "annotations" / "instances_val.json").write_text((root / "annotations/instances_train.json").read_text())
    picture(root / "images" / "val" / "a.png")
    convert(root, tmp_path / to, to=to, split="val", copy_images=True)
    done = convert(tmp_path / to, tmp_path / "again", to="coco", copy_images=True)
    assert done.n == 1
    again = read_boxes(tmp_path / "again")
    assert again.xywh().tolist() == [[10, 20, 30, 10]]
    assert find_pictures(tmp_path / "again", open_boxes(tmp_path / "again").part(), again.keys) is not None


def test_one_part_alone_is_learned_from(tmp_path: Path) -> None:
    root = coco(tmp_path, "images/val2017")
    training = find_box_parts(root, recipe_for(None, task="detection")).training
    assert training.listing.root == root / "images" / "val2017"
    assert [sample.key for sample in training.listing] == ["a.png"]
