"""Detectors compared from other tools' results files, by the commands alone."""

import json
import shutil

import cv2
import numpy as np
import pytest

CAT, DOG, BIRD = [10, 10, 20, 20], [40, 5, 30, 30], [60, 20, 15, 15]
NOWHERE = [1, 40, 10, 10]
NAMES = ("a.png", "b.png", "c.png")
OBJECTS = [(1, 1, CAT), (1, 2, DOG), (2, 3, BIRD), (3, 2, DOG)]
ANSWERS = {
    "good": [(1, 1, CAT, 0.9), (1, 2, DOG, 0.8), (3, 2, DOG, 0.7)],
    "other": [(1, 1, CAT, 0.6), (2, 3, BIRD, 0.9), (3, 1, NOWHERE, 0.7)],
}


@pytest.fixture
def scored(run_cnnkit, tmp_path):
    """Three pictures, labels beside them, and the results folders of two files of detections."""
    data = tmp_path / "data"
    (data / "images").mkdir(parents=True)
    for name in NAMES:
        cv2.imwrite(str(data / "images" / name), np.full((60, 80, 3), 128, np.uint8))
    labels = {
        "images": [{"id": at, "file_name": name} for at, name in enumerate(NAMES, 1)],
        "categories": [{"id": at, "name": name} for at, name in enumerate(("cat", "dog", "bird"), 1)],
        "annotations": [{"image_id": image, "category_id": label, "bbox": box} for image, label, box in OBJECTS],
    }
    (data / "labels.json").write_text(json.dumps(labels))
    folders = []
    for name, answers in ANSWERS.items():
        entries = [dict(zip(("image_id", "category_id", "bbox", "score"), each, strict=True)) for each in answers]
        (tmp_path / f"{name}.json").write_text(json.dumps(entries))
        folders.append(tmp_path / "results" / name)
        run_cnnkit("eval", tmp_path / f"{name}.json", data / "labels.json", "-o", folders[-1], "--no-report")
    return folders


def test_the_images_on_which_two_files_of_detections_differ(run_cnnkit, scored, tmp_path):
    done = run_cnnkit("compare", *scored, "-o", tmp_path / "out", "--json")
    (pair,) = json.loads((tmp_path / "out" / "comparison.json").read_text())["object_pairs"]
    assert json.loads(done.stdout)["object_pairs"] == [pair]
    assert {name: pair[name] for name in ("n", "both", "only_first", "only_second", "neither")} == {
        "n": 4,
        "both": 1,
        "only_first": 2,
        "only_second": 1,
        "neither": 0,
    }
    assert [(each["key"], each["first_false"], each["second_false"]) for each in pair["images"]] == [
        ("c.png", 0, 1),
        ("a.png", 0, 0),
        ("b.png", 0, 0),
    ]
    assert "Of 4 objects good and other both find 1, good alone 2, other alone 1, neither 0, with 0" in done.stderr
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count('<img src="data:image/') == 4
    assert "good finds, other misses" in page
    assert "| c.png | 1 | 1 | 0 | 1 | 0 | 0 | 1 |" in (tmp_path / "out" / "report.md").read_text()


def test_names_alone_where_the_pictures_are_gone(run_cnnkit, scored, tmp_path):
    shutil.rmtree(tmp_path / "data" / "images")
    run_cnnkit("compare", *scored, "-o", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "No pictures: cannot be read now: No such file or directory. The table names the images." in page
    assert '<th scope="row">c.png</th>' in page
    assert "<img " not in page
