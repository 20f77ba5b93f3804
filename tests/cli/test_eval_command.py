"""The command: what it prints where, what it writes, how it exits."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

MakeRun = Callable[..., Path]
Cnnkit = Callable[..., Result]

ANSWERS = {
    "cat/1.png": [0.9, 0.1],
    "cat/2.png": [0.4, 0.6],
    "cat/3.png": [0.3, 0.7],
    "dog/1.png": [0.2, 0.8],
    "dog/2.png": "corrupt",
}


@pytest.fixture
def run(make_run: MakeRun) -> Path:
    return make_run(ANSWERS, ["cat", "dog"])


def test_summary_on_stderr_files_in_the_folder(run_cnnkit: Cnnkit, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    result = run_cnnkit("eval", run, tmp_path / "images", "-o", out)

    assert result.stdout == ""
    assert "tiny on images: 4 images, 2 of 2 classes" in result.stderr
    assert "50.00 %" in result.stderr
    assert "Weakest classes (recall): cat 33.3 % of 3" in result.stderr
    assert "Largest confusions: cat taken for dog 2 x" in result.stderr
    assert "1 labelled images have no answer and are not in the other figures: 1 corrupt" in result.stderr
    assert f"Report: {out / 'report.html'}" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "report.md", "results.json", "rows.parquet"]


def test_json_alone_on_stdout_and_nothing_written(
    run_cnnkit: Cnnkit, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_cnnkit("eval", run, tmp_path / "images", "--json")
    facts = json.loads(result.stdout)
    assert facts["figures"]["top1_accuracy"]["value"] == 0.5
    assert not (tmp_path / "results").exists()


def test_default_folder_is_named_and_printed(
    run_cnnkit: Cnnkit, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_cnnkit("eval", run, "images", "--no-report")
    assert "Results: results/tiny-images" in result.stderr
    assert (tmp_path / "results" / "tiny-images" / "results.json").exists()
    assert not (tmp_path / "results" / "tiny-images" / "report.html").exists()


def test_json_equals_the_file(run_cnnkit: Cnnkit, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    result = run_cnnkit("eval", run, tmp_path / "images", "-o", out, "--json", "--no-report")
    assert json.loads(result.stdout) == json.loads((out / "results.json").read_text())


@pytest.mark.parametrize(("floor", "exit_code"), [("top1_accuracy=0.4", 0), ("top1_accuracy=0.7", 1)])
def test_floor_decides_the_exit_code(run_cnnkit: Cnnkit, run: Path, tmp_path: Path, floor: str, exit_code: int) -> None:
    data, out = tmp_path / "images", tmp_path / "out"
    result = run_cnnkit("eval", run, data, "-o", out, "--fail-under", floor, exit_code=exit_code)
    assert (out / "results.json").exists()
    if exit_code:
        assert "Error: top1_accuracy is 0.5000 (95 % interval 0.1500 to 0.8500), under 0.7." in result.stderr


@pytest.mark.parametrize(
    ("floor", "message"),
    [
        ("top1_accuracy", "expected FIGURE=NUMBER, for instance top1_accuracy=0.75"),
        ("top1_error=0.1", "top1_error is better when smaller"),
        ("accuracy=0.1", "no figure is called 'accuracy'. Did you mean"),
    ],
)
def test_floor_that_cannot_be_meant(run_cnnkit: Cnnkit, run: Path, tmp_path: Path, floor: str, message: str) -> None:
    data = tmp_path / "images"
    result = run_cnnkit("eval", run, data, "--json", "--fail-under", floor, exit_code=2)
    assert message in result.stderr


def test_run_with_inference_options_is_wrong_usage(run_cnnkit: Cnnkit, run: Path, tmp_path: Path) -> None:
    result = run_cnnkit("eval", run, tmp_path / "images", "--json", "-b", 4, exit_code=2)
    assert "is a run: batch_size would change nothing" in result.stderr


def test_flat_folder_exits_3(run_cnnkit: Cnnkit, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"1.png": [0.9, 0.1]}, ["cat", "dog"])
    result = run_cnnkit("eval", run, tmp_path / "images", "--json", exit_code=3)
    assert "no class folder around them" in result.stderr


def test_missing_data_is_wrong_usage(run_cnnkit: Cnnkit, run: Path) -> None:
    assert "Missing DATA." in run_cnnkit("eval", run, exit_code=2).stderr


def test_ties_and_further_k_are_told_in_words(run_cnnkit: Cnnkit, make_run: MakeRun, tmp_path: Path) -> None:
    names = [f"c{at}" for at in range(6)]
    run = make_run({f"c{at}/1.png": [0.3, 0.3, 0.1, 0.1, 0.1, 0.1] for at in range(6)}, names)
    result = run_cnnkit("eval", run, tmp_path / "images", "--json", "--topk", 3)
    for label in ("top-3 accuracy", "top-1 accuracy, if ties fall well", "top-3 error"):
        assert label in result.stderr
