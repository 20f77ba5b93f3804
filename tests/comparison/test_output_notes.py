"""One file read in two ways is said to be one file, and what differs is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cnnkit.comparison import Contender, compare_results
from cnnkit.results import ModelFacts
from cnnkit.spec import ClassName, DetectionOutput, ModelInput, ModelSpec

MakeContender = Callable[..., Contender]


def spec(**output: Any) -> ModelSpec:
    return ModelSpec(
        task="detection",
        input=ModelInput(name="images", size=(64, 64), channels="RGB"),
        preprocess=(),
        output=DetectionOutput(name="output", decoder="yolox", **output),
        classes=(ClassName(name="cat"), ClassName(name="dog"), ClassName(name="owl")),
    )


@pytest.fixture
def told(make_contender: MakeContender) -> Callable[..., tuple[str, ...]]:
    """The notes on a second model: specs that differ, the sha256 of the first file and of the second."""

    def make(*specs: ModelSpec | None, files: tuple[str | None, str | None] = ("ab", "ab")) -> tuple[str, ...]:
        contenders = []
        for name, each, sha256 in zip(("main", "branch"), specs, files, strict=True):
            model = ModelFacts(name=name, sha256=sha256, spec_hash=each.spec_hash if each else name)
            contenders.append(replace(make_contender(name, [0, 1], [0, 1], model=model), spec=each))
        found = compare_results(contenders)
        assert found.models[0].notes == ()
        return found.models[1].notes

    return make


def test_every_setting_of_the_output_that_differs_is_named(told: Callable[..., tuple[str, ...]]) -> None:
    notes = told(spec(conf=0.001), spec(conf=0.25, iou=0.3, max_detections=10, agnostic=True))
    assert notes == (
        "the same file as main, with other settings: a difference is theirs, not the model's",
        "other reading of the output than main: iou 0.3, conf 0.25, max_detections 10, agnostic yes; "
        "main: iou 0.65, conf 0.001, max_detections 100, agnostic no",
    )


def test_one_file_with_one_spec_is_said_to_be_the_same(told: Callable[..., tuple[str, ...]]) -> None:
    assert told(spec(), spec()) == ("the same file as main, with the same spec",)


def test_other_files_and_unknown_files_are_not_called_the_same(told: Callable[..., tuple[str, ...]]) -> None:
    assert told(spec(), spec(), files=("ab", "ba")) == ()
    assert told(spec(), spec(), files=(None, None)) == ()


def test_a_run_that_is_gone_leaves_what_is_known(told: Callable[..., tuple[str, ...]]) -> None:
    first, second = told(spec(), None)
    assert first.startswith("the same file as main, with other settings")
    assert second.endswith("the run of branch is gone")


def test_the_limit_of_the_scoring_is_told(make_contender: MakeContender) -> None:
    contenders = [
        make_contender(name, [0, 1], [0, 1], protocol={"max_detections": [1, 10, last]})
        for name, last in (("main", 100), ("branch", 300))
    ]
    assert compare_results(contenders).models[1].notes[1] == (
        "other reading of the output than main: at most 300 detections of an image and class scored; "
        "main: at most 100 detections of an image and class scored"
    )


def test_a_limit_that_one_rule_does_not_know_is_no_difference(make_contender: MakeContender) -> None:
    limited = {"max_detections": [1, 10, 100]}
    contenders = [
        make_contender(name, [0, 1], [0, 1], protocol=protocol)
        for name, protocol in (("main", limited), ("branch", {"name": "voc12"}))
    ]
    assert not any("at most" in note for note in compare_results(contenders).models[1].notes)
