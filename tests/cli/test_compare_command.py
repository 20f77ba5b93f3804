"""The command: what it prints where, what it writes, how it exits."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from cnnkit.evaluation import evaluate
from cnnkit.metrics import paired_difference

MakeRun = Callable[..., Path]
Cnnkit = Callable[..., Result]

POOR = {f"{name}/{at}.png": [0.4, 0.6] for name in ("cat", "dog") for at in range(20)}
GOOD = {key: [0.9, 0.1] if key.startswith("cat") else [0.2, 0.8] for key in POOR}


@pytest.fixture
def scored(make_run: MakeRun, tmp_path: Path) -> list[Path]:
    folders = []
    for name, answers in (("poor", POOR), ("good", GOOD)):
        folders.append(tmp_path / "results" / name)
        run = make_run(answers, ["cat", "dog"], name=f"runs/{name}")
        evaluate(run, tmp_path / "images", folders[-1], report=False)
    return folders


def test_words_on_stderr_files_in_the_folder(run_cnnkit: Cnnkit, scored: list[Path], tmp_path: Path) -> None:
    result = run_cnnkit("compare", *scored, "-o", tmp_path / "out", "--margin", 1)
    assert result.stdout == ""
    assert "2 models on the same 40 images" in result.stderr
    low, high = (f"{100 * end:.1f}" for end in paired_difference(20, 0, 40))
    told = f"good is better than poor by 50.0 points of accuracy, 95 % interval {low} to {high} (p < 0.001)."
    assert told in result.stderr
    assert "good is at most 1 point worse than poor: the drop in accuracy is −50.0 points" in result.stderr
    assert "100.00 % (91.24 to 100.00)" in result.stderr
    assert f"Comparison: {tmp_path / 'out'}" in result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["comparison.json", "report.html", "report.md"]


def test_json_alone_on_stdout_and_nothing_written(
    run_cnnkit: Cnnkit, scored: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    facts = json.loads(run_cnnkit("compare", *scored, "--json").stdout)
    assert facts["differences"][0]["better"] == "second"
    assert sorted(tmp_path.rglob("*")) == before


def test_json_equals_the_file(run_cnnkit: Cnnkit, scored: list[Path], tmp_path: Path) -> None:
    result = run_cnnkit("compare", *scored, "-o", tmp_path / "out", "--json", "--no-report")
    assert json.loads(result.stdout) == json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["comparison.json"]


def test_baseline(run_cnnkit: Cnnkit, scored: list[Path]) -> None:
    facts = json.loads(run_cnnkit("compare", *scored, "--baseline", scored[1], "--json").stdout)
    assert facts["baseline"] == "good"


def test_one_result_is_wrong_usage(run_cnnkit: Cnnkit, scored: list[Path]) -> None:
    assert "comparing takes at least two results, got 1" in run_cnnkit("compare", scored[0], exit_code=2).stderr
    assert "comparing takes at least two results, got 0" in run_cnnkit("compare", exit_code=2).stderr
    run_cnnkit("compare", *scored, "--margin", 0, exit_code=2)
    for margin in ("nan", "inf"):
        said = run_cnnkit("compare", *scored, "--margin", margin, exit_code=2).stderr
        assert margin in said
        assert "finite" in said or "range" in said


def test_other_images_exit_3(run_cnnkit: Cnnkit, scored: list[Path], make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"cat/0.png": [0.9, 0.1], "dog/0.png": [0.9, 0.1]}, ["cat", "dog"], name="runs/few")
    evaluate(run, tmp_path / "images", tmp_path / "results" / "few", report=False)
    result = run_cnnkit("compare", scored[0], tmp_path / "results" / "few", exit_code=3)
    assert "38 of 40 images are in" in result.stderr


def test_a_comparison_takes_no_models_place(run_cnnkit: Cnnkit, scored: list[Path]) -> None:
    said = run_cnnkit("compare", *scored, "-o", scored[1], exit_code=2).stderr
    assert f"{scored[1]}: holds the results of a model, and the comparison would replace its report" in said
    said = run_cnnkit("compare", *scored, "-o", scored[1] / "results.json", exit_code=2).stderr
    assert "is a file, and -o names the folder of the comparison" in said
    assert "-1 is not in the range" in run_cnnkit("compare", *scored, "--seed", -1, exit_code=2).stderr
