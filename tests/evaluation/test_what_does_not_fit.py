"""What is asked of the wrong kind of model, run or file is refused before anything is scored."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnkit.data import read_boxes
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import evaluate
from cnnkit.evaluation._gates import LOWER_IS_BETTER, parse_floors, refuse_other_figures

MakeRun = Callable[..., Path]
Command = Callable[..., Any]

OF_CLASSIFIERS: dict[str, dict[str, Any]] = {
    "--multilabel": {"multilabel": True},
    "--threshold": {"threshold": 0.0},
    "--topk": {"topk": [3]},
    "--label-health": {"label_health": True},
}


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    path = tmp_path / "truth.json"
    truth = {
        "images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 9}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    path.write_text(json.dumps(truth))
    return path


@pytest.fixture
def detections(tmp_path: Path) -> Path:
    path = tmp_path / "found.json"
    path.write_text(json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]))
    return path


@pytest.mark.parametrize("option", OF_CLASSIFIERS)
def test_detectors_refuse_what_is_for_classifiers(
    make_box_run: MakeRun, boxes: Path, detections: Path, option: str
) -> None:
    run = make_box_run({"a.png": [("cat", 0.9, (1, 2, 4, 6))]}, ["cat"])
    for source in (run, detections):
        with pytest.raises(UsageError, match=f"{option} is for classifiers; this is a detector"):
            evaluate(source, boxes, **OF_CLASSIFIERS[option])


def test_a_run_has_no_unknown_images(make_box_run: MakeRun, boxes: Path) -> None:
    run = make_box_run({"a.png": [("cat", 0.9, (1, 2, 4, 6))]}, ["cat"])
    with pytest.raises(UsageError, match="--ignore-unknown-images is for a file of detections"):
        evaluate(run, boxes, ignore_unknown_images=True)


def test_a_file_has_no_speed(boxes: Path, detections: Path) -> None:
    with pytest.raises(UsageError, match="--bench tells the speed of a model"):
        evaluate(detections, boxes, bench=Path("nosuch"))


def test_one_label_an_image_has_no_threshold(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"cat/1.png": [0.9, 0.1], "dog/2.png": [0.2, 0.8]}, ["cat", "dog"])
    with pytest.raises(UsageError, match="--threshold is for --multilabel"):
        evaluate(run, tmp_path / "images", threshold=0.0)
    with pytest.raises(UsageError, match="--topk is for one label an image"):
        evaluate(run, tmp_path / "images", multilabel=True, topk=[3])


def test_a_benchmark_is_looked_at_before_a_model_is_run(colours: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nosuch: cannot be read as JSON"):
        evaluate(colours, tmp_path, bench=tmp_path / "nosuch")
    (tmp_path / "bench.json").write_text(json.dumps({"candidates": [{"model": "other", "sha256": "f" * 64}]}))
    with pytest.raises(DataError, match=r"the speed in it is that of other \(ffffffffffff\), what is scored is"):
        evaluate(colours, tmp_path, bench=tmp_path / "bench.json")


@pytest.fixture
def colours(write_model: Callable[..., Path], tmp_path: Path) -> Path:
    return write_model(tmp_path / "colours.onnx")


def test_detections_and_truth_the_wrong_way_round(boxes: Path, detections: Path) -> None:
    with pytest.raises(
        UsageError, match=r"seem to be swapped\. The order is DETECTIONS, then DATA: cnnkit eval .*found"
    ):
        evaluate(boxes, detections)


def test_a_yaml_without_parts_says_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [cat]\n")
    with pytest.raises(DataError, match=r"names no train, val or test: add a line .*, such as `val: images/val`"):
        read_boxes(tmp_path / "data.yaml")


@pytest.mark.parametrize("value", ["nan", "1.5"])
def test_a_threshold_is_a_share(run_cnnkit: Command, tmp_path: Path, value: str) -> None:
    result = run_cnnkit("eval", tmp_path, tmp_path, "--multilabel", "--threshold", value, exit_code=2)
    assert "Invalid value for '--threshold'" in result.stderr


def test_a_suite_refuses_a_threshold_of_0(run_cnnkit: Command, tmp_path: Path) -> None:
    result = run_cnnkit("eval", "--suite", tmp_path / "any.toml", "--threshold", 0, exit_code=2)
    assert "--threshold cannot stand beside --suite" in result.stderr


def test_results_lie_neither_on_a_file_nor_among_the_images(
    colours: Path, write_colour: Command, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    write_colour(photos / "red" / "a.png", "red")
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match="taken: is a file, and -o names the folder of the results"):
        evaluate(colours, photos, tmp_path / "taken")
    with pytest.raises(UsageError, match="holds the data; the results would lie among the images"):
        evaluate(colours, photos, photos)


def test_a_file_of_answers_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file\. A file of answers has a key"):
        evaluate(tmp_path / "nowhere.csv", tmp_path)


def test_every_figure_that_is_better_when_larger_can_have_a_floor(
    make_run: MakeRun, make_box_run: MakeRun, boxes: Path, tmp_path: Path
) -> None:
    run = make_run({f"{name}/{at}.png": [0.9, 0.1] for name in ("cat", "dog") for at in range(2)}, ["cat", "dog"])
    truth = tmp_path / "sets.csv"
    truth.write_text("key,labels\ncat/0.png,cat|dog\ncat/1.png,cat\ndog/0.png,dog\ndog/1.png,\n")
    detector = make_box_run({"a.png": [("cat", 0.9, (1, 2, 4, 6))]}, ["cat"], name="boxes")
    images = tmp_path / "images"
    for results in (
        evaluate(run, images),
        evaluate(run, images, multilabel=True, truth=truth),
        evaluate(detector, boxes, protocol="all"),
    ):
        names = [name for name in results.figures if not name.endswith(LOWER_IS_BETTER)]
        assert set(parse_floors([f"{name}=0.5" for name in names])) == set(names)
        refuse_other_figures(names, results.task)
