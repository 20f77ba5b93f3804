"""The shipped models are what index.json and README.md say, in every line."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cnnkit import data, evaluation, inspection, pipeline

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
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    data.write_digits(folder)
    return folder


def test_every_file_is_in_the_index() -> None:
    assert sorted(entry["file"] for entry in INDEX["models"]) == sorted(path.name for path in FOLDER.glob("*.onnx"))


def test_the_page_is_what_the_index_says(make: ModuleType) -> None:
    assert (FOLDER / "README.md").read_text() == make.readme(INDEX), "run `make models`"
    assert tuple(INDEX["commands"]) == make.COMMANDS, "run `make models`"


@pytest.mark.parametrize("entry", INDEX["models"], ids=lambda entry: entry["file"])
def test_a_shipped_model(entry: dict[str, Any], make: ModuleType, digits: Path) -> None:
    path = FOLDER / entry["file"]
    assert path.stat().st_size < MILLION
    results = evaluation.evaluate(path, digits)
    facts = make.entry(path, results.to_dict())
    measured, said = facts.pop("top1_accuracy"), dict(entry["top1_accuracy"])
    assert facts == {key: value for key, value in entry.items() if key != "top1_accuracy"}
    # one image more or less is another machine's rounding
    assert measured.pop("value") == pytest.approx(said.pop("value"), abs=1.5 / 599)
    assert (measured["n"], measured["method"]) == (599, "wilson")
    assert entry["verification"]["passed"] is True


@pytest.mark.parametrize("entry", INDEX["models"], ids=lambda entry: entry["file"])
def test_a_shipped_model_knows_what_it_is(entry: dict[str, Any]) -> None:
    model = pipeline.open_model(FOLDER / entry["file"], device="cpu")
    assert model.sha256 == entry["sha256"]
    assert model.spec.names == [str(digit) for digit in range(10)]
    assert (model.spec.input.channels, model.spec.input.size) == ("GRAY", (8, 8))
    text = model.spec.to_json()
    for trace in ("/home", "/tmp", "/root", "/work"):
        assert trace not in text, "a shipped file says nothing of the machine that made it"
    found = inspection.inspect(FOLDER / entry["file"])
    operators = {layer.op for layer in found.summary.layers}
    assert ("DequantizeLinear" in operators or "QLinearConv" in operators) == ("int8" in entry["file"])


def test_the_suite_finds_what_was_accepted(run_cnnkit: Any, tmp_path: Path) -> None:
    suite = FOLDER.parent / "eval" / "suites" / "digits.toml"
    outcome = json.loads(run_cnnkit("eval", "--suite", suite, "-o", tmp_path, "--no-report", "--json").stdout)
    assert [case["name"] for case in outcome["cases"]] == [Path(entry["file"]).stem for entry in INDEX["models"]]
    assert {each["status"] for case in outcome["cases"] for each in case["measures"]} == {"as expected"}
