"""Suites: every case run or found, values accepted on purpose, a failing model kept to itself."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit.errors import DataError
from cnnkit.evaluation import run_suite
from cnnkit.evaluation._suite import expected_path
from cnnkit.suites import read_expected, read_suite

WriteColour = Callable[..., Path]

CASES = """schema = 1
[[case]]
name = "colours"
model = "../colours.onnx"
data = "../images"
measures = ["top1_accuracy", "macro_f1"]
tolerance = {top1_accuracy = 0.05}
"""
BROKEN = """
[[case]]
name = "broken"
model = "../broken.onnx"
data = "../images"
measures = ["top1_accuracy"]
"""


@pytest.fixture
def home(tmp_path: Path, colours: Path, write_colour: WriteColour) -> Path:
    """A folder with eval/suites/tiny.toml, a model and six pictures, one of them in the wrong folder."""
    for colour in ("red", "green", "blue"):
        for at in range(2):
            write_colour(tmp_path / "eval" / "images" / colour / f"{at}.png", colour if at else "red")
    (tmp_path / "eval" / "colours.onnx").write_bytes(colours.read_bytes())
    (tmp_path / "eval" / "suites").mkdir()
    (tmp_path / "eval" / "suites" / "tiny.toml").write_text(CASES)
    return tmp_path / "eval"


def run(home: Path, **options: object):
    return run_suite(home / "suites" / "tiny.toml", home.parent / "out", isolate=False, report=False, **options)


def test_values_are_new_until_they_are_accepted(home: Path) -> None:
    first = run(home)
    assert [each.status for each in first.cases[0].measures] == ["new", "new"]
    assert (
        "colours: top1_accuracy is 0.666667, and no value is accepted for it yet: --update accepts it" in first.problems
    )
    assert not (home / "expected").exists()

    accepted = run(home, update=True)
    assert accepted.problems == []
    values = read_expected(home / "expected" / "tiny.json").values
    assert values["colours"]["top1_accuracy"] == pytest.approx(4 / 6)
    assert run(home).problems == []


def test_a_value_within_its_tolerance_is_as_expected(home: Path) -> None:
    run(home, update=True)
    path = home / "expected" / "tiny.json"
    facts = json.loads(path.read_text())
    facts["values"]["colours"]["top1_accuracy"] += 0.04
    facts["values"]["colours"]["macro_f1"] += 0.04
    path.write_text(json.dumps(facts))
    found = run(home)
    assert [each.status for each in found.cases[0].measures] == ["as expected", "differs"]
    assert len(found.problems) == 1
    assert found.problems[0].startswith("colours: macro_f1 is ")
    assert found.problems[0].endswith("within 0")


def test_what_was_run_is_not_run_again(home: Path) -> None:
    assert not run(home).cases[0].resumed
    results = home.parent / "out" / "colours" / "results.json"
    written = results.stat().st_mtime_ns
    assert run(home).cases[0].resumed
    assert results.stat().st_mtime_ns == written
    assert not run(home, overwrite=True).cases[0].resumed
    assert not run(home, seed=3).cases[0].resumed


def test_another_tolerance_runs_nothing_again(home: Path) -> None:
    run(home)
    suite = home / "suites" / "tiny.toml"
    suite.write_text(suite.read_text().replace("0.05", "0.1"))
    assert run(home).cases[0].resumed


def test_other_images_are_scored_again(home: Path, write_colour: WriteColour) -> None:
    before = run(home).cases[0].measures[0].value
    write_colour(home / "images" / "green" / "0.png", "green")
    after = run(home).cases[0]
    assert not after.resumed
    assert before == pytest.approx(4 / 6)
    assert after.measures[0].value == pytest.approx(5 / 6)


def test_another_model_is_run_again(home: Path, write_model: Callable[..., Path]) -> None:
    run(home)
    turned = """<ir_version: 8, opset_import: ["" : 17]>
    turned (float[N,3,8,8] input) => (float[N,3] logits) {
        pooled = GlobalAveragePool(input)
        flat = Flatten<axis=1>(pooled)
        logits = Neg(flat)
    }"""
    write_model(home / "colours.onnx", turned)
    found = run(home).cases[0]
    assert not found.resumed
    assert found.error is None
    assert found.measures[0].value < 0.5


def test_a_case_that_was_stopped_is_run_to_its_end(home: Path) -> None:
    run(home)
    folder = home.parent / "out" / "colours"
    record = json.loads((folder / "case.json").read_text())
    (folder / "case.json").write_text(json.dumps(record | {"done": False}))
    (folder / "results.json").unlink()
    found = run(home).cases[0]
    assert (found.resumed, found.error) == (False, None)
    assert json.loads((folder / "case.json").read_text())["done"]


def test_a_model_that_fails_is_told_and_the_others_go_on(home: Path) -> None:
    (home / "broken.onnx").write_bytes(b"no model")
    suite = home / "suites" / "tiny.toml"
    suite.write_text(CASES.replace("schema = 1", "schema = 1" + BROKEN))
    found = run(home, update=True)
    assert [case.name for case in found.cases] == ["broken", "colours"]
    assert found.cases[0].error
    assert found.cases[1].measures[0].value == pytest.approx(4 / 6)
    assert len(found.problems) == 1
    assert found.problems[0].startswith("broken failed: ")
    assert list(read_expected(home / "expected" / "tiny.json").values) == ["colours"]


def test_accepted_values_of_a_failed_case_stay_and_of_a_dropped_one_go(home: Path) -> None:
    run(home, update=True)
    path = home / "expected" / "tiny.json"
    facts = json.loads(path.read_text())
    facts["values"] |= {"broken": {"top1_accuracy": 0.5}, "gone": {"top1_accuracy": 0.5}}
    path.write_text(json.dumps(facts))
    suite = home / "suites" / "tiny.toml"
    suite.write_text(CASES + BROKEN)
    run(home, update=True)
    assert sorted(read_expected(path).values) == ["broken", "colours"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("../colours.onnx", "../none.onnx"), "none.onnx: no such model or run. Paths in a suite are relative"),
        (('"../images"', '"../none"'), "none: no such data. Paths in a suite are relative to its file."),
        (('"macro_f1"', '"accuracy"'), "no figure 'accuracy' is measured of a classifier; there are top1_accuracy, "),
    ],
)
def test_what_a_case_cannot_have(home: Path, change: tuple[str, str], message: str) -> None:
    suite = home / "suites" / "tiny.toml"
    suite.write_text(CASES.replace(*change))
    error = run(home).cases[0].error
    assert error is not None
    assert message in error


def test_built_in_digits_are_written_on_the_spot(home: Path) -> None:
    suite = home / "suites" / "tiny.toml"
    suite.write_text(CASES.replace('"../images"', '"sklearn:digits"'))
    found = run(home).cases[0]
    assert found.error is not None  # the model knows colours, not digits
    assert "0" in found.error
    assert len(list((home.parent / "out" / "_data" / "digits" / "test").rglob("*.png"))) == 599


def test_a_measure_that_no_classifier_has_is_refused_before_the_model_is_run(home: Path) -> None:
    (home / "suites" / "tiny.toml").write_text(CASES.replace('"macro_f1"', '"macro_fl"'))
    error = run(home).cases[0].error
    assert error is not None
    assert "no figure 'macro_fl' is measured of a classifier; there are top1_accuracy" in error
    assert not (home.parent / "out" / "colours" / "run").exists()
    (home / "suites" / "tiny.toml").write_text(CASES.replace('"macro_f1"', '"cross_entropy"'))
    assert run(home).cases[0].error is None


def test_where_expected_values_lie(tmp_path: Path) -> None:
    assert expected_path(tmp_path / "suites" / "a.toml") == tmp_path / "expected" / "a.json"
    assert expected_path(tmp_path / "own" / "a.toml") == tmp_path / "own" / "expected" / "a.json"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema = 1\ncase = []", "not a suite"),
        (CASES.replace('"colours"', '".."'), "should match pattern"),
        (CASES + CASES.removeprefix("schema = 1\n"), "two cases are named colours"),
        (CASES.replace("{top1_accuracy", "{top5_error"), "tolerance names top5_error, which measures does not list"),
        (CASES + "sped = 1\n", "sped"),
        ("schema = ", "not TOML"),
    ],
)
def test_suites_that_cannot_be_meant(home: Path, text: str, message: str) -> None:
    suite = home / "suites" / "tiny.toml"
    suite.write_text(text)
    with pytest.raises(DataError, match=message):
        read_suite(suite)
