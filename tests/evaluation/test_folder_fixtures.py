"""Label files and class folders with answers worked out beforehand: `metrics/cls` of the real data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnkit import data
from cnnkit.errors import DataError
from cnnkit.evaluation import evaluate
from cnnkit.results import Results

MakeRun = Callable[..., Path]


@pytest.fixture
def score(shared: Path, make_run: MakeRun, tmp_path: Path) -> Callable[[str], tuple[dict[str, Any], Results]]:
    """Lay out a case's folders, run the answers that it gives, and evaluate."""

    def scored(name: str) -> tuple[dict[str, Any], Results]:
        case: dict[str, Any] = json.loads((shared / "metrics" / "cls" / f"{name}.json").read_text())
        labels, root = tmp_path / "labels.txt", tmp_path / "images"
        labels.write_text("\n".join(case["label_file_lines"]) + "\n")
        classes = data.read_labels(labels).classes
        for folder, files in case["folders"].items():
            (root / folder).mkdir(parents=True, exist_ok=True)
            for file in files:
                (root / folder / file).touch()
        answers = case.get("scores_by_file") or {
            key: np.eye(len(classes))[at] for key, at in case.get("argmax_by_file", {}).items()
        }
        keys = list(data.find_images(root).keys)
        assert sorted(answers or keys) == keys
        run = make_run(answers or {key: np.eye(len(classes))[0] for key in keys}, classes)
        return case, evaluate(run, root)

    return scored


@pytest.mark.parametrize("name", ["040_folder_order_vs_label_file", "042_synset_label_file", "046_junk_in_folders"])
def test_classes_are_matched_by_name(score: Callable[..., Any], name: str) -> None:
    case, results = score(name)
    expected = case["expected"]
    assert results.data.n == expected["n"]
    assert results.figures["top1_error"].value == pytest.approx(expected["top1_error"])
    for name, support in expected.get("support", {}).items():
        assert results.per_class[results.names.index(name)].n == support


@pytest.mark.parametrize("name", ["044_error_folder_without_label", "048_error_flat_folder"])
def test_what_cannot_be_matched_is_named(score: Callable[..., Any], shared: Path, name: str) -> None:
    words = json.loads((shared / "metrics" / "cls" / f"{name}.json").read_text())["error_should_name"]
    with pytest.raises(DataError) as caught:
        score(name)
    for word in words:
        assert word in str(caught.value)
