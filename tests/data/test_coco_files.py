"""COCO's files: what is read, and that every error names file, record and field."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.data import COCO_NAMES, DetectionTruth, read_coco, read_coco_results, write_coco
from cnnkit.errors import DataError, MachineError


def ground_truth(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "images": [
            {"id": 7, "file_name": "a.jpg", "height": 100, "width": 200},
            {"id": 5, "file_name": "b.jpg", "height": 50, "width": 60},
        ],
        "categories": [{"id": 3, "name": "cat"}, {"id": 9, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 9, "bbox": [1, 2, 3.5, 4], "area": 10.25, "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 10, 20], "iscrowd": 1, "segmentation": []},
        ],
    }
    return told | changes


def put(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def changed(table: str, at: int, **fields: Any) -> dict[str, Any]:
    told = ground_truth()
    told[table][at] = told[table][at] | fields
    return told


def test_everything_is_kept_as_it_is_written(tmp_path: Path) -> None:
    truth = read_coco(put(tmp_path / "gt.json", ground_truth()))
    assert truth.keys == ("a.jpg", "b.jpg")
    assert truth.sizes.tolist() == [[100, 200], [50, 60]]
    assert truth.classes == ("cat", "dog")
    assert (truth.image.tolist(), truth.category.tolist()) == ([1, 0], [1, 0])
    assert truth.boxes.tolist() == [[1, 2, 3.5, 4], [0, 0, 10, 20]]
    assert truth.boxes.dtype == np.float64
    assert truth.area.tolist() == [10.25, 200]
    assert truth.iscrowd.tolist() == [False, True]
    assert (truth.image_ids, truth.category_ids) == ((7, 5), (3, 9))
    assert truth.counts["n_without_area"] == 1
    assert truth.notes == ("Objects without an area, taken as width x height: 1.",)


def test_inclusive_corners_of_a_box(tmp_path: Path) -> None:
    truth = read_coco(put(tmp_path / "gt.json", ground_truth()))
    assert truth.corners().tolist() == [[2, 3, 4.5, 6], [1, 1, 10, 20]]
    assert truth.xywh() is truth.boxes


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("{", r"gt.json: not JSON: "),
        ([], r"Expected `object`, got `array`"),
        ({"images": [], "annotations": []}, r"Object missing required field `categories`"),
        (ground_truth(categories=[]), r"categories is empty"),
        (changed("images", 1, id=7), r"images\[1\].id: duplicate id 7, images\[0\] has it too"),
        (changed("images", 0, id=None), r"images\[0\].id: Expected `int \| str`, got `null`"),
        (changed("images", 0, height=-1), r"images\[0\].\[height, width\] is \[-1.0, 200.0\]"),
        (changed("categories", 1, id=3), r"categories\[1\].id: duplicate id 3"),
        (changed("categories", 1, name="cat"), r"categories\[1\].name: duplicate name 'cat', categories\[0\] has it"),
        (changed("annotations", 1, id=1), r"annotations\[1\].id: duplicate id 1"),
        (changed("annotations", 1, image_id=8), r"annotations\[1\].image_id is 8, which images does not list"),
        (changed("annotations", 0, category_id=4), r"annotations\[0\].category_id is 4, which categories does not"),
        (changed("annotations", 1, bbox=[1, 2, 3]), r"annotations\[1\].bbox: Expected `array` of length 4"),
        (changed("annotations", 1, bbox=[1, 2, 3, "4"]), r"annotations\[1\].bbox\[3\]: Expected `float`, got `str`"),
        (changed("annotations", 1, bbox=None), r"annotations\[1\].bbox: Expected `array`, got `null`"),
        (changed("annotations", 1, bbox=[1, 2, float("nan"), 4]), r"annotations\[1\].bbox is \[1.0, 2.0, nan, 4.0\]: "),
        (
            changed("annotations", 1, bbox=[9, 9, -3, 4]),
            r"annotations\[1\].bbox is .*negative; .* these may be corners",
        ),
        (changed("annotations", 0, area=-1), r"annotations\[0\].area is -1.0: an area is finite and not negative"),
        (changed("annotations", 0, area=float("inf")), r"annotations\[0\].area is inf"),
        (changed("annotations", 0, iscrowd=2), r"annotations\[0\].iscrowd is 2: it is 0 or 1"),
    ],
)
def test_what_is_wrong_with_a_ground_truth_is_said(tmp_path: Path, told: Any, message: str) -> None:
    path = put(tmp_path / "gt.json", told)
    with pytest.raises(DataError, match=message) as caught:
        read_coco(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file or directory"):
        read_coco(tmp_path / "gt.json")


def test_boxes_and_images_that_are_odd_are_counted(tmp_path: Path) -> None:
    told = ground_truth()
    told["images"] += [{"id": 1, "file_name": "../up/c.jpg"}, {"id": 2}]
    told["annotations"] += [
        {"image_id": 7, "category_id": 3, "bbox": [10, 10, 0, 5]},
        {"image_id": 5, "category_id": 3, "bbox": [-1, 0, 5, 5]},
        {"image_id": 5, "category_id": 3, "bbox": [50, 40, 10, 10.5]},
        {"image_id": 1, "category_id": 3, "bbox": [-9, -9, 99999, 5]},  # no size, so no outside
    ]
    truth = read_coco(put(tmp_path / "gt.json", told))
    assert truth.keys == ("a.jpg", "b.jpg", "up/c.jpg", "2")
    met = {name: n for name, n in truth.counts.items() if n}
    assert met == {"n_degenerate": 1, "n_outside": 2, "n_without_area": 5, "n_unsafe_names": 1, "n_empty_images": 1}
    assert "Boxes without width or height, kept as they are: 1 (a.jpg)." in truth.notes
    assert "Image names that lead out of their folder, cut to the part below it: 1 (../up/c.jpg)." in truth.notes


@pytest.fixture
def truth(tmp_path: Path) -> DetectionTruth:
    return read_coco(put(tmp_path / "gt.json", ground_truth()))


def detection(**changes: Any) -> dict[str, Any]:
    return {"image_id": 5, "category_id": 9, "bbox": [1, 2, 3, 4], "score": 0.5} | changes


def test_results_are_positions_in_the_truth_in_their_own_order(tmp_path: Path, truth: DetectionTruth) -> None:
    path = put(tmp_path / "dt.json", [detection(), detection(image_id=7, score=2), detection(category_id=3)])
    found = read_coco_results(path, truth)
    assert (found.image.tolist(), found.category.tolist()) == ([1, 0, 1], [1, 1, 0])
    assert (found.scores.tolist(), found.boxes[0].tolist()) == ([0.5, 2, 0.5], [1, 2, 3, 4])
    assert len(read_coco_results(put(tmp_path / "none.json", []), truth).scores) == 0


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"annotations": []}, r"Expected `array`, got `object`"),
        ([detection(), detection(image_id=8)], r"\[1\].image_id is 8, which .*gt.json does not list. --ignore-unknown"),
        ([detection(category_id=1)], r"\[0\].category_id is 1, which .*gt.json does not list"),
        ([detection(score=float("nan"))], r"\[0\].score is nan: a score is a finite number"),
        ([detection(score=float("-inf"))], r"\[0\].score is -inf"),
        ([detection(score="0.5")], r"\[0\].score: Expected `float`, got `str`"),
        ([detection(score=None)], r"\[0\].score: Expected `float`, got `null`"),
        ([{"image_id": 5, "category_id": 9, "bbox": [1, 2, 3, 4]}], r"\[0\]: Object missing required field `score`"),
        ([detection(bbox=[1, 2, -3, 4])], r"\[0\].bbox is \[1.0, 2.0, -3.0, 4.0\]: width and height"),
        ([detection(bbox=[1, 2, 3])], r"\[0\].bbox: Expected `array` of length 4"),
    ],
)
def test_what_is_wrong_with_results_is_said(tmp_path: Path, truth: DetectionTruth, told: Any, message: str) -> None:
    path = put(tmp_path / "dt.json", told)
    with pytest.raises(DataError, match=message) as caught:
        read_coco_results(path, truth)
    assert str(caught.value).startswith(f"{path}: ")


def test_unknown_images_can_be_left_out(tmp_path: Path, truth: DetectionTruth) -> None:
    path = put(tmp_path / "dt.json", [detection(image_id=8), detection(), detection(image_id="9")])
    found = read_coco_results(path, truth, ignore_unknown_images=True)
    assert (found.n_ignored, found.image.tolist()) == (2, [1])
    assert found.notes == ("Detections in images that the ground truth does not list, left out: 2.",)


GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
NUMBERED = {
    "91": [at for at in range(1, 91) if at not in GAPS],
    "80 from 0": list(range(80)),
    "80 from 1": list(range(1, 81)),
}


def coco_truth(tmp_path: Path, numbering: str) -> DetectionTruth:
    categories = [{"id": at, "name": name} for at, name in zip(NUMBERED[numbering], COCO_NAMES, strict=True)]
    return read_coco(put(tmp_path / f"{numbering}.json", ground_truth(categories=categories, annotations=[])))


@pytest.mark.parametrize("written", NUMBERED)
@pytest.mark.parametrize("listed", NUMBERED)
def test_cocos_numberings_are_told_apart(tmp_path: Path, written: str, listed: str) -> None:
    truth = coco_truth(tmp_path, listed)
    path = put(tmp_path / "dt.json", [detection(category_id=at) for at in NUMBERED[written]])
    found = read_coco_results(path, truth)
    assert [truth.classes[at] for at in found.category] == list(COCO_NAMES)
    assert len(found.notes) == (written != listed)


def test_ids_that_fit_two_numberings_are_asked_about(tmp_path: Path) -> None:
    truth = coco_truth(tmp_path, "91")
    path = put(tmp_path / "dt.json", [detection(category_id=12)])
    with pytest.raises(DataError, match=r"category_id 12 is none .* also numbered 80 from 0 and 80 from 1"):
        read_coco_results(path, truth)
    with pytest.raises(DataError, match=r"category_id is 500, which"):
        read_coco_results(put(path, [detection(category_id=500)]), truth)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    told = ground_truth()
    told["annotations"][0]["difficult"] = 1
    first = read_coco(put(tmp_path / "gt.json", told))
    write_coco(first, tmp_path / "again.json")
    second = read_coco(tmp_path / "again.json")
    for name in ("keys", "classes", "image_ids", "category_ids"):
        assert getattr(first, name) == getattr(second, name)
    for name in ("sizes", "image", "category", "boxes", "area", "iscrowd", "difficult"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


FLOATS = st.floats(0, 1e4, allow_subnormal=False)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(FLOATS, FLOATS, FLOATS, FLOATS), max_size=5))
def test_boxes_come_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[float, float, float, float]]
) -> None:
    folder = tmp_path_factory.mktemp("coco")
    annotations = [{"image_id": 7, "category_id": 3, "bbox": box} for box in boxes]
    truth = read_coco(put(folder / "gt.json", ground_truth(annotations=annotations)))
    write_coco(truth, folder / "again.json")
    assert read_coco(folder / "again.json").boxes.tolist() == [list(box) for box in boxes] == truth.boxes.tolist()


def coco_cases(shared: Path, *expect: str) -> list[Path]:
    folders = sorted((shared / "metrics" / "coco").iterdir())
    return [folder for folder in folders if json.loads((folder / "expected.json").read_text())["expect"] in expect]


def test_published_cases_with_figures_are_read_as_pycocotools_reads_them(shared: Path) -> None:
    folders = coco_cases(shared, "figures", "figures_and_warning", "figures_or_error", "figures_if_option_offered")
    assert len(folders) > 25
    for folder in folders:
        told = json.loads((folder / "gt.json").read_text())
        truth = read_coco(folder / "gt.json")
        ids = [truth.image_ids[at] for at in truth.image]
        assert ids == [entry["image_id"] for entry in told["annotations"]], folder.name
        assert truth.boxes.tolist() == [entry["bbox"] for entry in told["annotations"]], folder.name
        found = read_coco_results(folder / "dt.json", truth)
        detections = json.loads((folder / "dt.json").read_text())
        assert found.boxes.tolist() == [entry["bbox"] for entry in detections], folder.name
        numbers = [truth.category_ids[at] for at in found.category]
        assert numbers == [entry["category_id"] for entry in detections], folder.name


def test_a_box_without_width_is_warned_of(shared: Path) -> None:
    truth = read_coco(shared / "metrics" / "coco" / "026_zero_area_ground_truth" / "gt.json")
    assert truth.notes == ("Boxes without width or height, kept as they are: 1 (1.jpg).",)


def test_published_cases_that_are_errors_name_what_they_should(shared: Path) -> None:
    folders = coco_cases(shared, "error")
    assert len(folders) == 8
    for folder in folders:
        with pytest.raises(DataError) as caught:
            read_coco_results(folder / "dt.json", read_coco(folder / "gt.json"))
        for word in json.loads((folder / "expected.json").read_text())["error_should_name"]:
            assert word in str(caught.value), folder.name


def test_cocos_own_annotations(shared: Path) -> None:
    truth = read_coco(shared / "coco128" / "instances_train2017.json")
    assert (len(truth.keys), len(truth.boxes), int(truth.iscrowd.sum())) == (128, 939, 10)
    assert truth.classes == COCO_NAMES
    assert truth.category_ids == tuple(NUMBERED["91"])


def test_the_arrays_are_those_of_pycocotools(shared: Path) -> None:
    from pycocotools.coco import COCO

    path = shared / "coco128" / "instances_train2017.json"
    truth = read_coco(path)
    oracle = COCO(str(path))
    for at, image_id in enumerate(truth.image_ids):
        theirs = oracle.loadAnns(oracle.getAnnIds(imgIds=[image_id]))
        mine = truth.image == at
        assert truth.boxes[mine].tolist() == [entry["bbox"] for entry in theirs]
        assert truth.area[mine].tolist() == [entry["area"] for entry in theirs]
        assert truth.iscrowd[mine].tolist() == [bool(entry["iscrowd"]) for entry in theirs]


def test_without_msgspec_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    monkeypatch.delitem(sys.modules, "cnnkit.data._coco_structs", raising=False)
    monkeypatch.delattr("cnnkit.data._coco_structs", raising=False)
    with pytest.raises(MachineError, match=r'reading COCO files needs msgspec .* pip install "cnnkit\[detection\]"'):
        read_coco(put(tmp_path / "gt.json", ground_truth()))
