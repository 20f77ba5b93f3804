"""Results files that carry names: images and classes are found by them, and ids that contradict them are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from cnnkit.data import COCO_NAMES, DetectionTruth, coco_categories, read_coco, read_coco_results, read_labels
from cnnkit.errors import DataError
from cnnkit.spec import ClassName

Record = dict[str, Any]


@pytest.fixture
def truth(tmp_path: Path) -> DetectionTruth:
    facts = {
        "images": [{"id": 5, "file_name": "val/a.jpg"}, {"id": 9, "file_name": "val/b.jpg"}],
        "categories": [{"id": 2, "name": "dog"}, {"id": 1, "name": "cat"}],
        "annotations": [],
    }
    (tmp_path / "truth.json").write_text(json.dumps(facts))
    return read_coco(tmp_path / "truth.json")


def read(tmp_path: Path, truth: DetectionTruth, *records: Record, **how: bool) -> list[tuple[str, str]]:
    """(image, class) of each detection."""
    path = tmp_path / "found.json"
    path.write_text(json.dumps([{"bbox": [1, 2, 3, 4], "score": 0.5, **record} for record in records]))
    found = read_coco_results(path, truth, **how)
    return [(truth.keys[image], truth.classes[at]) for image, at in zip(found.image, found.category, strict=True)]


def test_names_find_what_other_ids_do_not(tmp_path: Path, truth: DetectionTruth) -> None:
    records = [
        {"image_id": "b.jpg", "file_name": "b.jpg", "category_id": 1, "category_name": "dog"},
        {"image_id": "a.jpg", "file_name": "a.jpg", "category_id": 2, "category_name": "cat"},
    ]
    assert read(tmp_path, truth, *records) == [("val/b.jpg", "dog"), ("val/a.jpg", "cat")]


def test_ids_that_names_agree_with_stay(tmp_path: Path, truth: DetectionTruth) -> None:
    record = {"image_id": 9, "file_name": "somewhere/else/b.jpg", "category_id": 2}
    assert read(tmp_path, truth, record) == [("val/b.jpg", "dog")]


def test_names_of_some_records_alone_decide_nothing(tmp_path: Path, truth: DetectionTruth) -> None:
    records = [{"image_id": 9, "category_id": 2, "category_name": "cat"}, {"image_id": 9, "category_id": 2}]
    assert read(tmp_path, truth, *records) == [("val/b.jpg", "dog")] * 2


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            {"image_id": 5, "file_name": "b.jpg", "category_id": 1},
            r"\[0\]\.image_id is 5, which .* calls 'val/a.jpg', and file_name is 'b.jpg'\. The ids are of another",
        ),
        (
            {"image_id": 5, "category_id": 1, "category_name": "person"},
            r"\[0\]\.category_name is 'person', which .* does not list",
        ),
        (
            {"image_id": "c.jpg", "file_name": "c.jpg", "category_id": 1},
            "none of its 2 images is one of the run's 1: it has 'val/a.jpg', the run 'c.jpg'",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, truth: DetectionTruth, record: Record, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, truth, record)


def test_images_that_the_truth_does_not_list_by_name(tmp_path: Path, truth: DetectionTruth) -> None:
    known = {"image_id": "a", "file_name": "a.jpg", "category_id": 1}
    records = [known, {"image_id": "z", "file_name": "z.jpg", "category_id": 1}]
    with pytest.raises(DataError, match=r"\[1\]\.file_name is 'z.jpg', .* --ignore-unknown-images"):
        read(tmp_path, truth, *records)
    assert read(tmp_path, truth, *records, ignore_unknown_images=True) == [("val/a.jpg", "cat")]


class TestDarknetsNames:
    def names(self) -> list[str]:
        own = {"couch": "sofa", "tv": "tvmonitor", "airplane": "aeroplane", "potted plant": "pottedplant"}
        return [own.get(name, name) for name in COCO_NAMES]

    def test_a_label_file_answers_to_cocos_names(self, tmp_path: Path) -> None:
        (tmp_path / "coco.names").write_text("\n".join(self.names()))
        classes = read_labels(tmp_path / "coco.names").classes
        assert [entry.name for entry in classes] == self.names()
        assert classes[57] == ClassName(name="sofa", aliases=("couch",))
        assert classes[0] == ClassName(name="person")
        numbers = coco_categories(classes)
        assert numbers is not None
        assert (numbers[0], numbers[57], numbers[79]) == ((1, "person"), (63, "couch"), (90, "toothbrush"))

    def test_another_list_stays_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "voc.names").write_text("sofa\ntvmonitor\n")
        classes = read_labels(tmp_path / "voc.names").classes
        assert [entry.aliases for entry in classes] == [(), ()]
        assert coco_categories(classes) is None
        assert coco_categories([ClassName(name="person")]) is None
