"""A detector that finds nothing, and boxes that are not in the form they are read in: said, and said first."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

Cnnkit = Callable[..., Result]
N, WIDTH, HEIGHT = 30, 200, 100


@pytest.fixture
def scored(run_cnnkit: Cnnkit, tmp_path: Path) -> Callable[..., str]:
    """What is said of boxes [(image, category, bbox)] against an object at (120, 40) of 60 x 50 in each image."""

    def make(found: list[tuple[int, int, Any]], *options: object) -> str:
        images = [{"id": at, "file_name": f"{at}.jpg", "width": WIDTH, "height": HEIGHT} for at in range(N)]
        facts = {"iscrowd": 0, "area": 3000, "bbox": [120, 40, 60, 50]}
        objects = [{"id": at + 1, "image_id": at, "category_id": 1, **facts} for at in range(N)]
        classes = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
        truth, results = tmp_path / "gt.json", tmp_path / "dt.json"
        truth.write_text(json.dumps({"images": images, "annotations": objects, "categories": classes}))
        boxes = [
            {"image_id": image, "category_id": category, "bbox": list(bbox), "score": 0.9 - 0.01 * at}
            for at, (image, category, bbox) in enumerate(found)
        ]
        results.write_text(json.dumps(boxes))
        return " ".join(run_cnnkit("eval", results, truth, *options).stderr.split())

    return make


def test_no_detection_at_all_is_said_first(scored: Callable[..., str], tmp_path: Path) -> None:
    sentence = "Nothing was found: 0 detections of 30 objects; are decoder, preset and class order right?"
    said = scored([], "-o", tmp_path / "out")
    assert sentence in said
    assert f"Results: {tmp_path / 'out'} Report: {tmp_path / 'out' / 'report.html'}" in said
    report = (tmp_path / "out" / "report.md").read_text()
    assert sentence in report.replace("\\", "").replace("\xa0", " ")


def test_detections_of_which_none_is_right(scored: Callable[..., str]) -> None:
    said = scored([(at, 2, (120, 40, 60, 50)) for at in range(N)])
    assert "Next to nothing was found: coco_AP50 is 0.0000, 30 detections of 30 objects; are decoder, preset" in said


def test_a_detector_that_finds_things_is_not_doubted(scored: Callable[..., str]) -> None:
    said = scored([(at, 1, (121, 41, 59, 49)) for at in range(N)])
    assert "othing was found" not in said
    assert "detected boxes" not in said
    assert "Report:" not in said


def test_shares_of_the_picture_are_noticed(scored: Callable[..., str]) -> None:
    said = scored([(at, 1, (0.6, 0.4, 0.3, 0.5)) for at in range(N)])
    assert "All 30 detected boxes lie within 0 .. 0.6: shares of the picture, where pixels are expected?" in said


def test_corners_are_noticed(scored: Callable[..., str]) -> None:
    said = scored([(at, 1, (120, 40, 180, 90)) for at in range(N)])
    assert "30 of 30 detected boxes end outside their picture when read as x, y, width, height, and fit" in said


def test_boxes_that_merely_reach_outside_are_not_called_corners(scored: Callable[..., str]) -> None:
    rng = np.random.default_rng(0)
    found = [(at, 1, (120, 40, *rng.uniform(40, 100, 2))) for at in range(N)]
    assert "detected boxes" not in scored(found)


def test_a_file_that_leaves_most_images_out_is_doubted(scored: Callable[..., str]) -> None:
    box = (120, 40, 60, 50)
    assert f"Of {N} images 20 have no detection at all: is the file whole?" in scored(
        [(at, 1, box) for at in range(10)]
    )
    assert "no detection at all" not in scored([(at, 1, box) for at in range(N)])


def test_scores_that_are_no_shares_are_told(run_cnnkit: Cnnkit, scored: Callable[..., str], tmp_path: Path) -> None:
    assert "only their order counts" not in scored([(at, 1, (120, 40, 60, 50)) for at in range(N)])
    boxes = json.loads((tmp_path / "dt.json").read_text())
    (tmp_path / "dt.json").write_text(json.dumps([{**boxes[0], "score": 97.5}, *boxes[1:]]))
    said = " ".join(run_cnnkit("eval", tmp_path / "dt.json", tmp_path / "gt.json").stderr.split())
    assert "Scores run from 0.61 to 97.5, not within 0 to 1: only their order counts. Are all on one scale?" in said


def test_an_id_with_two_names_is_refused(run_cnnkit: Cnnkit, scored: Callable[..., str], tmp_path: Path) -> None:
    scored([(at, 1, (120, 40, 60, 50)) for at in range(N)])
    boxes = [{**box, "category_name": "cat"} for box in json.loads((tmp_path / "dt.json").read_text())]
    boxes[3]["category_name"] = "dog"
    (tmp_path / "dt.json").write_text(json.dumps(boxes))
    said = " ".join(run_cnnkit("eval", tmp_path / "dt.json", tmp_path / "gt.json", exit_code=3).stderr.split())
    assert "[3].category_id is 1 and its category_name 'dog', but [0] calls the same id 'cat'." in said


def test_a_run_that_finds_little_is_no_file_that_is_not_whole(
    run_cnnkit: Cnnkit, make_box_run: Callable[..., Path], scored: Callable[..., str], tmp_path: Path
) -> None:
    scored([(0, 1, (120, 40, 60, 50))])
    found = {f"{at}.jpg": [("cat", 0.9, (120, 40, 180, 90))] if at < 3 else [] for at in range(N)}
    run = make_box_run(found, ["cat", "dog"], size=(HEIGHT, WIDTH))
    assert "no detection at all" not in run_cnnkit("eval", run, tmp_path / "gt.json").stderr
