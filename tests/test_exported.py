"""The shipped models are what index.json and README.md say, in every line."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cnnkit import data, evaluation, files, inspection, pipeline
from cnnkit.boxes import iou_matrix
from cnnkit.data import _digit_scenes

FOLDER = Path(__file__).resolve().parents[1] / "exported"
INDEX = json.loads((FOLDER / "index.json").read_text())
MILLION = 1_000_000


@pytest.fixture(scope="module")
def make() -> ModuleType:
    """The script that made them."""
    found = importlib.util.spec_from_file_location("make_exported", FOLDER / "make.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[module.__name__] = module  # where its data class looks for itself
    found.loader.exec_module(module)
    return module


WRITERS = {"sklearn:digits": data.write_digits, "sklearn:digit-scenes": data.write_digit_scenes}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`sources("sklearn:digits")`: the folder of a built-in data set, written once."""

    def source(name: str) -> Path:
        folder = tmp_path_factory.getbasetemp() / name.partition(":")[2]
        WRITERS[name](folder)
        return folder

    return source


def _slow_detectors(entry: dict[str, Any]) -> Any:
    marks = [pytest.mark.slow] if entry["network"] == "detector" else []
    return pytest.param(entry, id=entry["file"], marks=marks)


def test_every_file_is_in_the_index() -> None:
    assert sorted(entry["file"] for entry in INDEX["models"]) == sorted(path.name for path in FOLDER.glob("*.onnx"))


def test_the_page_is_what_the_index_says(make: ModuleType) -> None:
    assert (FOLDER / "README.md").read_text() == make.readme(INDEX), "run `make models`"
    commands = {name: list(family.commands) for name, family in make.FAMILIES.items()}
    assert INDEX["commands"] == commands, "run `make models`"


@pytest.mark.parametrize("entry", [_slow_detectors(entry) for entry in INDEX["models"]])
def test_a_shipped_model(entry: dict[str, Any], make: ModuleType, sources: Callable[[str], Path]) -> None:
    results = evaluation.evaluate(FOLDER / entry["file"], sources(entry["data"]["source"]))
    facts = make.entry(FOLDER / entry["file"], results.to_dict())
    family = make.family_of(entry["file"])
    for name in family.figures:
        measured, said = facts.pop(name), dict(entry[name])
        # one image more or less is another machine's rounding
        assert measured["value"] == pytest.approx(said["value"], abs=1.5 / 599)
        assert measured["low"] < measured["value"] < measured["high"]
        assert (measured["n"], measured["method"]) == (said["n"], said["method"])
    assert facts == {key: value for key, value in entry.items() if key not in family.figures}


@pytest.mark.parametrize("entry", INDEX["models"], ids=lambda entry: entry["file"])
def test_a_shipped_file(entry: dict[str, Any]) -> None:
    path = FOLDER / entry["file"]
    assert path.stat().st_size == entry["size_bytes"] < MILLION
    assert files.sha256_of(path) == entry["sha256"]
    assert entry["verification"]["passed"] is True
    if "coco_AP50" in entry:
        assert entry["coco_AP50"]["value"] >= 0.9
        assert entry["data"]["n"] == 300


def test_the_shipped_detector_finds_digits_that_it_never_saw() -> None:
    digits = _digit_scenes.scene_digits()["test"]
    scenes = [_digit_scenes.draw_scene(digits, np.random.default_rng((99, at))) for at in range(12)]
    model = pipeline.open_model(FOLDER / "digit-scenes.onnx", device="cpu")
    found, n = 0, 0
    for scene, answer in zip(scenes, model.predict([scene.pixels for scene in scenes]), strict=True):
        for box, label in zip(scene.boxes, scene.labels, strict=True):
            place = np.array([[box[0], box[1], box[0] + box[2], box[1] + box[3]]], np.float64)
            named = [corners for name, _, corners in answer.boxes if name == str(label)]
            n += 1
            found += bool(named) and iou_matrix(place, np.array(named)).max() >= 0.5
    assert n > 25
    assert found / n > 0.75


@pytest.mark.parametrize("entry", INDEX["models"], ids=lambda entry: entry["file"])
def test_a_shipped_model_knows_what_it_is(entry: dict[str, Any]) -> None:
    model = pipeline.open_model(FOLDER / entry["file"], device="cpu")
    assert model.sha256 == entry["sha256"]
    assert model.spec.names == [str(digit) for digit in range(10)]
    takes = {"digits": ("GRAY", (8, 8)), "detector": ("RGB", (128, 128))}
    assert (model.spec.input.channels, model.spec.input.size) == takes[entry["network"]]
    text = model.spec.to_json()
    for trace in ("/home", "/tmp", "/root", "/work"):
        assert trace not in text, "a shipped file says nothing of the machine that made it"
    found = inspection.inspect(FOLDER / entry["file"])
    operators = {layer.op for layer in found.summary.layers}
    assert ("DequantizeLinear" in operators or "QLinearConv" in operators) == ("int8" in entry["file"])


@pytest.mark.parametrize("name", ["digits", pytest.param("digit-scenes", marks=pytest.mark.slow)])
def test_the_suite_finds_what_was_accepted(name: str, make: ModuleType, run_cnnkit: Any, tmp_path: Path) -> None:
    suite = FOLDER.parent / "eval" / "suites" / f"{name}.toml"
    outcome = json.loads(run_cnnkit("eval", "--suite", suite, "-o", tmp_path, "--no-report", "--json").stdout)
    assert [case["name"] for case in outcome["cases"]] == [Path(model).stem for model in make.FAMILIES[name].models]
    assert {each["status"] for case in outcome["cases"] for each in case["measures"]} == {"as expected"}
