"""docs/detection.md says what the code does."""

import json
import re
from pathlib import Path

import pytest

from cnnkit.evaluation._detection_protocols import CHOICES, PROTOCOLS
from cnnkit.metrics.detection_errors import ERROR_KINDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "detection.md").read_text()


@pytest.fixture
def files(tmp_path):
    texts = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    for name, text in zip(("truth.json", "found.json"), texts, strict=True):
        (tmp_path / name).write_text(text)
    return tmp_path / "found.json", tmp_path / "truth.json"


def test_the_example_prints_what_the_page_says(files, run_cnnkit):
    said = run_cnnkit("eval", *files, "--table").stderr
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown in said


def test_every_rule_and_kind_of_error_is_explained():
    assert f"`--protocol {'|'.join(CHOICES)}` chooses" in PAGE
    for name, protocol in PROTOCOLS.items():
        assert f"| `{name}` |" in PAGE or f"| {protocol.title} |" in PAGE
    for kind in (*ERROR_KINDS, "missed"):
        assert f"`{kind}` (" in PAGE


def test_the_rule_names_the_limit_that_was_asked_for(files, run_cnnkit):
    for limit in (10, 300):
        facts = json.loads(run_cnnkit("eval", *files, "--json", "--max-detections", limit).stdout)
        assert f"at most {limit} detections an image and class" in facts["protocol"]["rule_coco"]


def test_nothing_varies_where_only_rounding_does(files, run_cnnkit):
    """Two images that move the figure by the same amount: no interval rather than one without width."""
    said = run_cnnkit("eval", *files).stderr
    (row,) = [line for line in said.splitlines() if "coco_AP50" in line]
    assert "0.5545" in row
    assert "none: nothing varies" in row


def test_the_classes_of_a_file_are_the_labels_own(files, tmp_path, run_cnnkit):
    (tmp_path / "names.csv").write_text("cat,kitten\n")
    told = ("--class-map", tmp_path / "names.csv")
    said = run_cnnkit("eval", *files, *told, exit_code=2).stderr
    assert "not a category_name each: --class-map would change nothing. Leave it out." in said
