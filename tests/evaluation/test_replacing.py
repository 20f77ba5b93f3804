"""Results are replaced by those of the same model on the same data; by others only when asked."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from click.testing import Result

from cnnkit.data import convert
from cnnkit.errors import DataError
from cnnkit.evaluation import evaluate

Cnnkit = Callable[..., Result]


@pytest.fixture
def images(tmp_path: Path, write_colour: Callable[..., Path]) -> Path:
    for name, colour in (("red", "red"), ("green", "lime"), ("blue", "blue")):
        for at in range(2):
            write_colour(tmp_path / "images" / name / f"{at}.png", colour)
    return tmp_path / "images"


def changed(colours: Path, path: Path) -> Path:
    """The same network in another file: its graph has another name."""
    model = onnx.load(colours)
    model.graph.name = "changed"
    path.parent.mkdir(exist_ok=True)
    onnx.save(model, path)
    return path


@pytest.fixture
def other(tmp_path: Path, colours: Path) -> Path:
    return changed(colours, tmp_path / "other.onnx")


@pytest.fixture
def run(colours: Path, images: Path, tmp_path: Path, run_cnnkit: Cnnkit) -> Path:
    run_cnnkit("infer", colours, images, "-o", tmp_path / "run")
    return tmp_path / "run"


def test_a_run_of_another_model(run: Path, other: Path, images: Path, tmp_path: Path, run_cnnkit: Cnnkit) -> None:
    run_cnnkit("infer", other, images, "-o", tmp_path / "second")
    run_cnnkit("eval", run, images, "-o", tmp_path / "out")
    before = (tmp_path / "out" / "results.json").read_bytes()
    refused = run_cnnkit("eval", tmp_path / "second", images, "-o", tmp_path / "out", exit_code=3)
    said = " ".join(refused.stderr.split())
    assert f"out: holds the results of colours on {images}. Give another -o; --overwrite replaces" in said
    assert f"by those of other on {images}." in said
    assert (tmp_path / "out" / "results.json").read_bytes() == before
    run_cnnkit("eval", tmp_path / "second", images, "-o", tmp_path / "out", "--overwrite")
    assert b'"name": "other"' in (tmp_path / "out" / "results.json").read_bytes()


def test_a_model_is_refused_before_it_is_run(run: Path, other: Path, images: Path, tmp_path: Path) -> None:
    evaluate(run, images, tmp_path / "out", report=False)
    with pytest.raises(DataError, match="holds the results of colours"):
        evaluate(other, images, tmp_path / "out", report=False)
    assert not (tmp_path / "out" / "run").exists()


def test_weights_that_changed_under_one_name(run: Path, colours: Path, images: Path, tmp_path: Path) -> None:
    evaluate(run, images, tmp_path / "out", report=False)
    new = changed(colours, tmp_path / "new" / "colours.onnx")
    with pytest.raises(DataError, match="holds the results of another colours"):
        evaluate(new, images, tmp_path / "out", report=False)


def test_other_images(run: Path, colours: Path, images: Path, tmp_path: Path) -> None:
    evaluate(run, images, tmp_path / "out", report=False)
    shutil.copytree(images, tmp_path / "others")
    with pytest.raises(DataError, match=r"holds the results of colours on .*/images\. .* on .*/others"):
        evaluate(colours, tmp_path / "others", tmp_path / "out", report=False)


def test_the_same_again(run: Path, colours: Path, images: Path, tmp_path: Path) -> None:
    first = evaluate(run, images, tmp_path / "out", report=False)
    assert evaluate(run, images, tmp_path / "out", report=False, topk=[2]).figures.keys() > first.figures.keys()
    assert evaluate(colours, images, tmp_path / "out", report=False).figures == first.figures


def test_another_truth(run: Path, images: Path, tmp_path: Path) -> None:
    lines = [f"{name}/{at}.png,{name}" for name in ("red", "green", "blue") for at in range(2)]
    for name in ("old", "new"):
        (tmp_path / f"{name}.csv").write_text("\n".join(["key,label", *lines, ""]))
    for _ in range(2):
        evaluate(run, images, tmp_path / "out", truth=tmp_path / "old.csv", report=False)
    with pytest.raises(DataError, match=r"holds the results of colours on .*old\.csv\. .* on .*new\.csv"):
        evaluate(run, images, tmp_path / "out", truth=tmp_path / "new.csv", report=False)
    evaluate(run, images, tmp_path / "plain", report=False)
    with pytest.raises(DataError, match=r"holds the results of colours on .*images\. "):
        evaluate(run, images, tmp_path / "plain", truth=tmp_path / "new.csv", report=False)


def test_results_that_cannot_be_read_hold_nothing_up(run: Path, images: Path, tmp_path: Path) -> None:
    for text in ("{", "[]", '{"model": 3}', '{"model": {}, "data": {"root": 3}}'):
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "results.json").write_text(text)
        evaluate(run, images, tmp_path / "out", report=False)


def test_answers_of_another_tool(images: Path, tmp_path: Path, run_cnnkit: Cnnkit) -> None:
    lines = [f"{name}/{at}.png,{name}" for name in ("red", "green", "blue") for at in range(2)]
    for name in ("first", "second"):
        (tmp_path / f"{name}.csv").write_text("\n".join(["key,predicted", *lines, ""]))
    for _ in range(2):
        run_cnnkit("eval", tmp_path / "first.csv", images, "-o", tmp_path / "out")
    refused = run_cnnkit("eval", tmp_path / "second.csv", images, "-o", tmp_path / "out", exit_code=3)
    assert "holds the results of first on" in " ".join(refused.stderr.split())
    run_cnnkit("eval", tmp_path / "second.csv", images, "-o", tmp_path / "out", "--overwrite")


@pytest.fixture
def boxes(tmp_path: Path, write_colour: Callable[..., Path]) -> Path:
    """Two pictures with a cat each, labelled by a COCO file, and detections that another tool found in them."""
    folder, cat = tmp_path / "cats", {"category_id": 1, "bbox": [0, 0, 5, 5]}
    for at in (1, 2):
        write_colour(folder / "images" / f"{at}.png", "red", size=(12, 10))
    truth = {
        "images": [{"id": at, "file_name": f"{at}.png", "width": 12, "height": 10} for at in (1, 2)],
        "annotations": [{**cat, "id": at, "image_id": at, "area": 25, "iscrowd": 0} for at in (1, 2)],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (folder / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "found.json").write_text(json.dumps([{**cat, "image_id": at, "score": 0.5} for at in (1, 2)]))
    return folder


@pytest.mark.parametrize("form", ["coco", "voc", "yolo", "csv"])
def test_labelled_boxes_again(boxes: Path, tmp_path: Path, make_box_run: Callable[..., Path], form: str) -> None:
    """The pictures lie in another place than the labels, and both say what was scored."""
    there = convert(boxes, tmp_path / form, to=form, copy_images=True).folder
    keys = ("images/1.png", "images/2.png") if form == "voc" else ("1.png", "2.png")
    run = make_box_run({key: [("cat", 0.9, (0, 0, 5, 5))] for key in keys}, ["cat"])
    first, again = (evaluate(run, there, tmp_path / "out", report=False) for _ in range(2))
    assert first.figures == again.figures
    labels = next(path for path in (there / "data.yaml", there / "boxes.csv", there) if path.exists())
    assert evaluate(run, labels, tmp_path / "out", report=False).figures == first.figures


def test_a_file_of_detections_again(boxes: Path, tmp_path: Path) -> None:
    truth, out = boxes / "truth.json", tmp_path / "out"
    first = evaluate(tmp_path / "found.json", truth, out, report=False)
    assert evaluate(tmp_path / "found.json", truth, out, report=False).figures == first.figures
    shutil.copy(truth, boxes / "other.json")
    with pytest.raises(DataError, match=r"holds the results of found on .*truth\.json\. .* on .*other\.json"):
        evaluate(tmp_path / "found.json", boxes / "other.json", out, report=False)


@pytest.mark.parametrize("second", ["run", "colours.onnx", "answers.csv"])
def test_what_is_scored_comes_first(
    second: str, images: Path, colours: Path, run: Path, tmp_path: Path, run_cnnkit: Cnnkit
) -> None:
    (tmp_path / "answers.csv").write_text("key,predicted\n")
    given = {"run": run, "colours.onnx": colours}.get(second, tmp_path / "answers.csv")
    said = " ".join(run_cnnkit("eval", images, given, exit_code=2).stderr.split())
    assert f"they seem to be swapped. The order is RUN|MODEL, then DATA: cnnkit eval {given} {images}." in said


def test_part_and_whole_belong_together(
    colours: Path, tmp_path: Path, write_colour: Callable[..., Path], run_cnnkit: Cnnkit
) -> None:
    for part in ("train", "test"):
        write_colour(tmp_path / "paint" / part / "red" / "0.png", "red")
    run_cnnkit("infer", colours, tmp_path / "paint" / "test", "-o", tmp_path / "run")
    first = evaluate(tmp_path / "run", tmp_path / "paint", tmp_path / "out", report=False)
    again = evaluate(tmp_path / "run", tmp_path / "paint" / "test", tmp_path / "out", report=False)
    assert again.figures == first.figures


def test_a_results_folder_names_its_run(colours: Path, images: Path, tmp_path: Path, run_cnnkit: Cnnkit) -> None:
    evaluate(colours, images, tmp_path / "out", report=False)
    said = " ".join(run_cnnkit("eval", tmp_path / "out", images, exit_code=3).stderr.split())
    assert f"out: not a run folder: it has no plan.json. Its run is {tmp_path / 'out' / 'run'}." in said
