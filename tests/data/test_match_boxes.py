"""Labelled boxes joined with a run's keys and a model's classes."""

import json
from pathlib import Path

import pytest

from cnnkit.data import DetectionTruth, match_boxes, open_boxes, read_boxes, read_coco
from cnnkit.errors import DataError
from cnnkit.spec import ClassName

CLASSES = tuple(ClassName(name=name) for name in ("dog", "bird", "cat"))


def coco(tmp_path: Path, *names: str) -> DetectionTruth:
    told = {
        "images": [{"id": at, "file_name": name, "height": 10, "width": 20} for at, name in enumerate(names, 1)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "unicorn"}],
        "annotations": [
            {"image_id": at, "category_id": 1 + at % 2, "bbox": [at, 0, 1, 1]} for at in range(len(names), 0, -1)
        ],
    }
    path = tmp_path / "gt.json"
    path.write_text(json.dumps(told))
    return read_coco(path)


def test_images_take_the_runs_order_and_classes_the_models(tmp_path: Path) -> None:
    truth = coco(tmp_path, "b.jpg", "a.jpg", "c.jpg")
    found = match_boxes(truth, ["a.jpg", "b.jpg", "x.jpg"], classes=CLASSES)
    assert (found.keys, found.classes, found.image_ids) == (("a.jpg", "b.jpg"), ("dog", "bird", "cat"), (2, 1))
    assert found.image.tolist() == [0, 1]  # annotations keep the order of the file: c, a, b
    assert found.boxes[:, 0].tolist() == [2, 1]
    assert found.category.tolist() == [2, 0]
    assert (found.counts["n_unlabelled"], found.counts["n_without_image"]) == (1, 1)
    assert found.notes[-2:] == (
        "Images that the labels do not list, not scored: 1.",
        "Labelled images that are not among those found or run, not scored: 1.",
    )


def test_sizes_that_disagree_are_counted(tmp_path: Path) -> None:
    found = match_boxes(
        coco(tmp_path, "a.jpg", "b.jpg"),
        ["a.jpg", "b.jpg"],
        classes=CLASSES,
        sizes={"a.jpg": (20, 10), "b.jpg": (10, 20)},
    )
    assert found.notes[-1] == "Images of another size than their labels say, boxes taken as they are: 1 (a.jpg)."


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["a.jpg", "b.jpg"], ["images/val/a.jpg", "images/val/b.jpg"]),
        (["val2017/a.jpg", "val2017/b.jpg"], ["a.jpg", "b.jpg"]),
        (["s/a.jpg", "t/b.jpg"], ["x/s/a.jpg", "x/t/b.jpg"]),
    ],
)
def test_one_folder_may_stand_before_all_keys(tmp_path: Path, names: list[str], keys: list[str]) -> None:
    assert match_boxes(coco(tmp_path, *names), keys, classes=CLASSES).keys == tuple(keys)


def test_the_base_name_alone_is_never_enough(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"its image names are found in (s|t)/ and as often in (s|t)/"):
        match_boxes(coco(tmp_path, "a.jpg", "b.jpg"), ["s/a.jpg", "t/b.jpg"], classes=CLASSES)
    with pytest.raises(DataError, match=r"none of its 1 images is one of the run's 1: it has 'a.jpg', the run 'b.jpg'"):
        match_boxes(coco(tmp_path, "a.jpg"), ["b.jpg"], classes=CLASSES)


def test_two_images_of_one_name_cannot_be_matched(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"two images have the name 'a.jpg' \(duplicate\)"):
        match_boxes(coco(tmp_path, "a.jpg", "./a.jpg"), ["a.jpg"], classes=CLASSES)


def test_only_classes_with_objects_need_an_answer(tmp_path: Path) -> None:
    truth = coco(tmp_path, "a.jpg", "b.jpg")
    few = [ClassName(name="cat")]
    with pytest.raises(DataError, match="no class of the model answers to 'dog'"):
        match_boxes(truth, ["a.jpg", "b.jpg"], classes=few)
    assert match_boxes(truth, ["b.jpg"], classes=few).category.tolist() == [0]
    mapped = match_boxes(truth, ["a.jpg", "b.jpg"], classes=few, class_map={"dog": "cat"})
    assert mapped.category.tolist() == [0, 0]


def test_labels_of_two_formats_are_asked_about(tmp_path: Path) -> None:
    coco(tmp_path, "a.jpg")
    (tmp_path / "boxes.csv").write_text("key,class,x,y,w,h\n")
    with pytest.raises(DataError, match="holds labels as coco and as csv"):
        open_boxes(tmp_path)
    assert open_boxes(tmp_path, format="csv").format == "csv"
    assert open_boxes(tmp_path / "gt.json").format == "coco"
    with pytest.raises(DataError, match="no voc labels here"):
        open_boxes(tmp_path, format="voc")


def test_a_folder_of_cocos_files_has_parts(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    for part in ("train2017", "val2017"):
        coco(tmp_path, f"{part}.jpg")
        (tmp_path / "gt.json").rename(tmp_path / "annotations" / f"instances_{part}.json")
    (tmp_path / "package.json").write_text("{}")
    assert read_boxes(tmp_path).keys == ("val2017.jpg",)
    assert read_boxes(tmp_path, split="train").keys == ("train2017.jpg",)
    (tmp_path / "annotations" / "instances_val2017.json").rename(tmp_path / "annotations" / "other.json")
    with pytest.raises(DataError, match=r"holds 2 label files, instances_train2017.json, other.json"):
        read_boxes(tmp_path)


def test_the_real_ones(shared: Path) -> None:
    names = (shared / "models" / "coco_names.txt").read_text().split("\n")
    classes = [ClassName(name=name.strip()) for name in names if name.strip()]
    truth = read_boxes(shared / "coco128")
    keys = sorted(f"images/{path.name}" for path in (shared / "coco128" / "images").iterdir())
    with pytest.raises(DataError, match="no class of the model answers to 'motorcycle', 'airplane', 'couch'"):
        match_boxes(truth, keys, classes=classes)
    darknet = {
        "motorcycle": "motorbike",
        "airplane": "aeroplane",
        "couch": "sofa",
        "potted plant": "pottedplant",
        "dining table": "diningtable",
        "tv": "tvmonitor",
    }
    found = match_boxes(truth, keys, classes=classes, class_map=darknet)
    assert (len(found.keys), len(found.boxes)) == (128, 939)
    assert found.counts["n_unlabelled"] == found.counts["n_without_image"] == 0
    assert found.category.tolist() == truth.category.tolist()  # the same 80 in the same order
