"""Cases of others: a model that does not say how it is read, and predictions that another tool made."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit.errors import DataError
from cnnkit.evaluation import run_suite

COLOURS = """<ir_version: 8, opset_import: ["" : 17]>
colours (float[N,3,8,8] input) => (float[N,3] logits) {
    pooled = GlobalAveragePool(input)
    logits = Flatten<axis=1>(pooled)
}"""
CASE = """
schema = 1
[[case]]
name = "colours"
model = "colours.onnx"
data = "images"
measures = ["top1_accuracy"]
labels = "names.txt"
preset = "raw"
resize = "exact"
interpolation = "opencv:area"
channel_order = "{order}"
scale = 0.1
"""


@pytest.fixture
def folder(tmp_path: Path, write_model: Callable[..., Path], write_colour: Callable[..., Path]) -> Path:
    for colour in ("red", "green", "blue"):
        write_colour(tmp_path / "images" / colour / "0.png", colour)
    write_model(tmp_path / "colours.onnx", COLOURS, None)
    (tmp_path / "names.txt").write_text("red\ngreen\nblue\n")
    return tmp_path


@pytest.mark.parametrize(("order", "accuracy"), [("RGB", 1.0), ("BGR", pytest.approx(1 / 3))])
def test_a_case_says_how_its_model_is_read(folder: Path, order: str, accuracy: float) -> None:
    (folder / "one.toml").write_text(CASE.format(order=order))
    found = run_suite(folder / "one.toml", folder / "out", report=False, isolate=False, update=True)
    assert found.cases[0].error is None
    assert found.cases[0].measures[0].value == accuracy


def test_an_unknown_key_is_answered_with_those_there_are(folder: Path) -> None:
    (folder / "one.toml").write_text(CASE.format(order="RGB") + "decode = 1\n")
    with pytest.raises(
        DataError, match=r"case\.0\.decode: there is no such field.* A case may have: .*decoder, .*labels"
    ):
        run_suite(folder / "one.toml", folder / "out")


FILES = """
schema = 1
[[case]]
name = "answers"
model = "answers.csv"
data = "images"
measures = ["top1_accuracy"]
[[case]]
name = "boxes"
model = "found.json"
data = "truth.json"
measures = ["coco_AP"]
protocol = "coco"
"""


@pytest.fixture
def files(folder: Path) -> Path:
    """A suite of a CSV of answers and of COCO's results file."""
    named = "".join(f"{colour}/0.png,{colour}\n" for colour in ("red", "green", "blue"))
    (folder / "answers.csv").write_text("key,predicted\n" + named)
    box = {"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}
    image = {"id": 1, "file_name": "0.png", "width": 12, "height": 10}
    truth = {"images": [image], "categories": [{"id": 1, "name": "red"}]}
    truth["annotations"] = [{**box, "id": 1, "area": 25, "iscrowd": 0}]
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "found.json").write_text(json.dumps([{**box, "score": 0.9}]))
    (folder / "files.toml").write_text(FILES)
    return folder / "files.toml"


def test_a_suite_holds_files_of_other_tools(files: Path) -> None:
    run = {"report": False, "isolate": False, "update": True, "batch_size": 2}  # the batch is for cases with a model
    for overwrite in (False, True):
        found = run_suite(files, files.parent / "out", overwrite=overwrite, **run)
        assert [case.error for case in found.cases] == [None, None]
        assert [case.measures[0].value for case in found.cases] == [1.0, pytest.approx(1.0)]
        assert not any(case.resumed for case in found.cases)
    assert all(case.resumed for case in run_suite(files, files.parent / "out", **run).cases)


def test_a_changed_file_or_case_is_scored_again(files: Path) -> None:
    run = {"report": False, "isolate": False, "update": True}
    run_suite(files, files.parent / "out", **run)
    (files.parent / "answers.csv").write_text("key,predicted\nred/0.png,red\ngreen/0.png,red\nblue/0.png,red\n")
    files.write_text(FILES.replace('protocol = "coco"', 'protocol = "all"'))
    found = run_suite(files, files.parent / "out", **run)
    assert not any(case.resumed for case in found.cases)
    assert found.cases[0].measures[0].value == pytest.approx(1 / 3)


def test_what_the_case_says_of_reading_a_model_is_refused_for_a_file(files: Path) -> None:
    files.write_text(FILES.replace('data = "images"', 'data = "images"\npreset = "raw"'))
    found = run_suite(files, files.parent / "out", report=False, isolate=False)
    assert "is a file of answers: preset would change nothing." in str(found.cases[0].error)
    assert found.cases[1].error is None
