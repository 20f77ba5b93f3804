"""Several labels an image, from run and truth file to results."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import evaluate
from cnnkit.results import read_rows

MakeRun = Callable[..., Path]

SCENES = {
    "1.jpg": [0.9, 0.2, 0.6],
    "2.jpg": [0.4, 0.8, 0.5],
    "3.jpg": [0.7, 0.6, 0.4],
    "4.jpg": [0.3, 0.1, 0.9],
    "5.jpg": "corrupt",
}
NAMES = ["person", "car", "dog"]


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.csv"
    path.write_text("key,labels\n1.jpg,person|dog\n2.jpg,car\n3.jpg,person|car\n4.jpg,\n5.jpg,dog\n")
    return path


def test_case_by_hand(make_run: MakeRun, tmp_path: Path, truth: Path) -> None:
    run = make_run(SCENES, NAMES, activation="sigmoid")
    out = tmp_path / "out"
    results = evaluate(run, tmp_path / "images", out, truth=truth, multilabel=True, report=False)
    figures = results.figures
    assert results.multilabel
    assert figures["exact_match_accuracy"].value == 0.5  # 2 has a dog too many, 4 a dog
    assert figures["hamming_error"].value == pytest.approx(2 / 12)
    assert figures["micro_precision"].value == pytest.approx(5 / 7)
    assert figures["micro_recall"].value == 1
    assert figures["macro_f1"].value == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert figures["map"].value == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert (results.data.n, results.data.n_bad) == (4, 1)
    assert [entry.n for entry in results.per_class] == [2, 2, 1]
    assert results.curves.f1 is not None
    assert results.curves.f1.y[49] == pytest.approx(figures["macro_f1"].value)
    rows = read_rows(out).to_pydict()
    assert rows["labels"] == [[0, 2], [1], [0, 1], [], [2]]
    assert rows["predicted"] == [[0, 2], [1, 2], [0, 1], [2], None]
    for name, figure in figures.items():
        assert figure.low is not None, name


def test_threshold_moves_the_answers(make_run: MakeRun, tmp_path: Path, truth: Path) -> None:
    run = make_run(SCENES, NAMES, activation="sigmoid")
    results = evaluate(run, tmp_path / "images", truth=truth, multilabel=True, threshold=0.55)
    assert results.figures["exact_match_accuracy"].value == 0.75
    assert results.protocol == {"threshold": 0.55, "rule": "score >= threshold"}


def test_softmax_is_warned_of(make_run: MakeRun, tmp_path: Path, truth: Path) -> None:
    results = evaluate(make_run(SCENES, NAMES), tmp_path / "images", truth=truth, multilabel=True)
    assert any("several labels want a sigmoid" in warning for warning in results.warnings)


def test_truth_is_needed(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"several labels an image need a file that names them: --truth FILE"):
        evaluate(make_run(SCENES, NAMES), tmp_path / "images", multilabel=True)


def test_one_key_with_two_labels_needs_the_flag(make_run: MakeRun, tmp_path: Path) -> None:
    truth = tmp_path / "twice.csv"
    truth.write_text("key,label\n1.jpg,person\n1.jpg,dog\n")
    with pytest.raises(DataError, match="has the label 'person' on line 2 and 'dog' on line 3"):
        evaluate(make_run(SCENES, NAMES), tmp_path / "images", truth=truth)


def test_from_the_command_line(
    run_cnnkit: Callable[..., Result], make_run: MakeRun, tmp_path: Path, truth: Path
) -> None:
    run, out = make_run(SCENES, NAMES, activation="sigmoid"), tmp_path / "out"
    result = run_cnnkit("eval", run, tmp_path / "images", "--truth", truth, "--multilabel", "-o", out)
    assert "all labels of an image right" in result.stderr
    assert "50.00 %" in result.stderr
    assert (out / "report.html").exists()
