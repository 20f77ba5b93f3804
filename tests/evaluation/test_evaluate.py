"""A run and its truth to results, by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnnkit import metrics
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import evaluate
from cnnkit.results import read_results, read_rows

MakeRun = Callable[..., Path]

PETS = {
    "cat/1.png": [0.9, 0.1, 0.0],
    "cat/2.png": [0.4, 0.6, 0.0],
    "dog/1.png": [0.2, 0.8, 0.0],
    "dog/2.png": [0.1, 0.9, 0.0],
    "dog/3.png": "corrupt",
}
NAMES = ["cat", "dog", "owl"]


def test_figures_of_a_case_by_hand(make_run: MakeRun, tmp_path: Path) -> None:
    results = evaluate(make_run(PETS, NAMES), tmp_path / "images")

    figures = results.figures
    assert figures["top1_accuracy"].value == 0.75
    assert (figures["top1_accuracy"].low, figures["top1_accuracy"].high) == metrics.wilson(3, 4)
    assert figures["top1_error"].value == 0.25
    assert figures["top1_error"].low == pytest.approx(1 - metrics.wilson(3, 4).high)
    assert figures["top1_accuracy_of_all"].value == 0.6
    assert figures["top1_accuracy_of_all"].note == "1 without an answer count as wrong"
    assert figures["top5_error"].value == 0
    assert figures["top5_error"].note == "5 guesses among 3 classes are always right"
    assert figures["macro_recall"].value == 0.75  # (1/2 + 2/2) / 2: the owl has no image
    assert figures["macro_precision"].value == pytest.approx((1 + 2 / 3) / 2)
    assert figures["micro_f1"].value == 0.75
    assert figures["map"].value == 1.0
    assert figures["cross_entropy"].value == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.9]).mean(), rel=1e-6)


def test_data_and_classes_say_what_the_figures_rest_on(make_run: MakeRun, tmp_path: Path) -> None:
    results = evaluate(make_run(PETS, NAMES), tmp_path / "images")

    data = results.data
    assert (data.n, data.n_bad, data.bad) == (4, 1, {"corrupt": 1})
    assert (data.n_classes, data.n_classes_scored) == (3, 2)
    owl = results.per_class[2]
    assert (owl.name, owl.n, owl.precision, owl.recall, owl.f1, owl.ap) == ("owl", 0, None, None, None, None)
    assert results.confusion is not None
    assert results.confusion.cells == ((0, 0, 1), (0, 1, 1), (1, 1, 2))
    assert any("owl" in warning for warning in results.warnings)
    assert results.versions["onnxruntime"] == "1.0"
    assert results.cost.size_bytes == 123


def test_results_and_rows_are_written_and_read_back(make_run: MakeRun, tmp_path: Path) -> None:
    run, out = make_run(PETS, NAMES), tmp_path / "results"
    results = evaluate(run, tmp_path / "images", out, report=False)

    assert read_results(out) == results
    facts = json.loads((out / "results.json").read_text())
    assert facts["schema"] == 1
    assert facts["run"]["path"] == "../run"
    assert facts["data"]["root"] == "../images"
    rows = read_rows(out).to_pydict()
    assert rows["key"] == sorted(PETS)
    assert rows["label"] == [0, 0, 1, 1, 1]
    assert rows["predicted"] == [0, 1, 1, 1, None]
    assert rows["rank"] == [1, 2, 1, 1, None]
    assert rows["p"][:2] == [pytest.approx(0.9), pytest.approx(0.4)]
    assert rows["confidence"] == [*(pytest.approx(value) for value in (0.9, 0.6, 0.8, 0.9)), None]


def test_shards_change_nothing(make_run: MakeRun, tmp_path: Path) -> None:
    one = evaluate(make_run(PETS, NAMES, shard_size=100), tmp_path / "images")
    many = evaluate(make_run(PETS, NAMES, shard_size=1, name="many"), tmp_path / "images")
    assert one.figures == many.figures
    assert one.data.fingerprint == many.data.fingerprint


def test_an_answer_that_is_not_a_number_counts_as_bad(make_run: MakeRun, tmp_path: Path) -> None:
    results = evaluate(make_run({**PETS, "cat/1.png": [float("nan"), 0, 0]}, NAMES), tmp_path / "images")
    assert results.data.bad == {"corrupt": 1, "not_finite": 1}
    assert results.figures["top1_accuracy"].n == 3


def test_truth_from_a_file(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"1.png": [0.9, 0.1], "2.png": [0.9, 0.1], "3.png": [0.5, 0.5]}, ["cat", "dog"])
    truth = tmp_path / "truth.csv"
    truth.write_text("key,label\n1.png,cat\n2.png,dog\n")
    results = evaluate(run, tmp_path / "images", truth=truth)
    assert results.figures["top1_accuracy"].value == 0.5
    assert results.data.n_unlabelled == 1


def test_only_the_part_is_scored(make_run: MakeRun, tmp_path: Path) -> None:
    answers = {"train/cat/1.png": [0.1, 0.9], "test/cat/1.png": [0.9, 0.1], "test/dog/1.png": [0.2, 0.8]}
    run = make_run(answers, ["cat", "dog"])
    results = evaluate(run, tmp_path / "images")
    assert results.data.part == "test"
    assert (results.data.n, results.data.n_outside_part) == (2, 1)
    assert results.figures["top1_accuracy"].value == 1
    whole = evaluate(run, tmp_path / "images", split="all")
    assert whole.data.n == 3


def test_further_k(make_run: MakeRun, tmp_path: Path) -> None:
    results = evaluate(make_run(PETS, NAMES), tmp_path / "images", topk=[2])
    assert results.figures["top2_accuracy"].value == 1
    with pytest.raises(UsageError, match="top-k needs a k of at least 1, got 0"):
        evaluate(tmp_path / "run", tmp_path / "images", topk=[0])


def test_scores_that_are_no_probabilities_have_no_cross_entropy(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"cat/1.png": [3.0, -1.0], "dog/1.png": [0.0, 2.0]}, ["cat", "dog"], activation="none")
    figure = evaluate(run, tmp_path / "images").figures["cross_entropy"]
    assert (figure.value, figure.note) == (None, "the scores are no probabilities")


def test_flat_folder_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"1.png": [0.9, 0.1]}, ["cat", "dog"])
    with pytest.raises(DataError, match=r"1 images and no class folder .* --truth FILE.csv"):
        evaluate(run, tmp_path / "images")


def test_unknown_class_folder_is_named(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"fox/1.png": [0.9, 0.1]}, ["cat", "dog"])
    with pytest.raises(DataError, match="no class of the model answers to 'fox'"):
        evaluate(run, tmp_path / "images")


def test_run_of_other_images_shows_a_key_of_each_side(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(PETS, NAMES)
    other = tmp_path / "other" / "cat"
    other.mkdir(parents=True)
    (other / "tom.png").touch()
    with pytest.raises(DataError, match=r"the run has 'cat/1.png', .*other has 'cat/tom.png'"):
        evaluate(run, tmp_path / "other")


def test_images_that_changed_since_the_run_are_told_of(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(PETS, NAMES)
    (tmp_path / "images" / "dog" / "1.png").write_bytes(b"another picture")
    warnings = evaluate(run, tmp_path / "images").warnings
    assert any("1 of 5 images that were looked at have changed since the run" in each for each in warnings)
    assert any("'dog/1.png'" in each for each in warnings)


def test_incomplete_run_says_how_to_go_on(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(PETS, NAMES)
    (run / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"not complete. Give the same infer command again"):
        evaluate(run, tmp_path / "images")


def test_run_without_any_answer(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"cat/1.png": "corrupt", "dog/1.png": "empty"}, ["cat", "dog"])
    with pytest.raises(DataError, match=r"none of its 2 labelled images has an answer \(1 corrupt, 1 empty\)"):
        evaluate(run, tmp_path / "images")


def test_inference_options_beside_a_run_are_refused(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(PETS, NAMES)
    with pytest.raises(UsageError, match="is a run: batch_size would change nothing"):
        evaluate(run, tmp_path / "images", batch_size=4)


def test_neither_run_nor_model(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing: no such run folder or model"):
        evaluate(tmp_path / "nothing", tmp_path)


def test_ties_stand_beside_the_figure_that_they_touch(make_run: MakeRun, tmp_path: Path) -> None:
    answers = {"cat/1.png": [0.5, 0.5], "dog/1.png": [0.5, 0.5], "dog/2.png": [0.1, 0.9]}
    figures = evaluate(make_run(answers, ["cat", "dog"]), tmp_path / "images").figures
    assert figures["top1_accuracy"].value == pytest.approx(2 / 3)
    assert figures["top1_accuracy"].note == "2 images hang on a tie: of equal scores the lowest index counts"
    assert figures["top1_accuracy_ties_best"].value == 1
    assert figures["top1_accuracy_ties_worst"].value == pytest.approx(1 / 3)
    assert "top5_accuracy_ties_best" not in figures


def test_without_ties_nothing_is_said_of_them(make_run: MakeRun, tmp_path: Path) -> None:
    figures = evaluate(make_run(PETS, NAMES), tmp_path / "images").figures
    assert not [name for name in figures if "ties" in name]
    assert figures["top1_accuracy"].note is None


def test_calibration_and_operating_points(make_run: MakeRun, tmp_path: Path) -> None:
    results = evaluate(make_run(PETS, NAMES), tmp_path / "images")
    assert results.calibration is not None
    assert sum(each.n for each in results.calibration.equal_width) == 4
    assert results.figures["ece"].value == pytest.approx((0.1 + 0.1 + 0.2 + 0.6) / 4)
    point = results.operating_points[0]
    assert (point.wanted_precision, point.precision, point.coverage) == (0.9, 1.0, 0.75)
    assert point.threshold == pytest.approx(0.8)
    assert results.curves.risk_coverage is not None
    assert results.curves.risk_coverage.x[-1] == 1
    assert results.curves.risk_coverage.y[-1] == 0.75


def test_every_interval_holds_its_figure(make_run: MakeRun, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"c{at}" for at in range(6)]
    answers = {f"c{at % 6}/{at}.png": rng.dirichlet(np.ones(6) + 3 * np.eye(6)[at % 6]) for at in range(90)}
    results = evaluate(make_run(answers, names, shard_size=50), tmp_path / "images")
    for name, figure in results.figures.items():
        assert figure.value is not None, name
        assert figure.low is not None, name
        assert figure.high is not None, name
        assert figure.low <= figure.value <= figure.high, name
        assert figure.method in ("wilson", "bootstrap"), name
    for entry in results.per_class:
        assert entry.note == "rests on fewer than 30 images"
        assert set(entry.intervals) == {"precision", "recall", "f1", "ap", "roc_auc"}
        for name, (low, high) in entry.intervals.items():
            assert low <= getattr(entry, name) <= high


def test_the_seed_decides_the_intervals(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(PETS, NAMES)
    one, same, other = (evaluate(run, tmp_path / "images", seed=seed, resamples=200) for seed in (0, 0, 1))
    assert one == same
    assert one.figures["brier"] != other.figures["brier"]
    assert one.intervals is not None
    assert (one.intervals.level, one.intervals.resamples, one.intervals.seed) == (0.95, 200, 0)
