"""`cnnkit eval` in a build: gates against a baseline, the summary, suites."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

MakeRun = Callable[..., Path]
Cnnkit = Callable[..., Result]

GOOD = {f"{name}/{at:02d}.png": [0.9, 0.1] for name in ("cat",) for at in range(40)}
POOR = GOOD | {f"cat/{at:02d}.png": [0.1, 0.9] for at in range(10)}


@pytest.fixture
def baseline(run_cnnkit: Cnnkit, make_run: MakeRun, tmp_path: Path) -> Path:
    run = make_run(GOOD, ["cat", "dog"], name="runs/main")
    run_cnnkit("eval", run, tmp_path / "images", "-o", tmp_path / "main", "--no-report")
    return tmp_path / "main"


def scored(run_cnnkit: Cnnkit, make_run: MakeRun, tmp_path: Path, answers: dict, *options: object, exit_code: int = 0):
    run = make_run(answers, ["cat", "dog"], name="runs/branch")
    folder = tmp_path / "images"
    return run_cnnkit("eval", run, folder, "-o", tmp_path / "branch", "--no-report", *options, exit_code=exit_code)


def test_a_worse_model_exits_1_and_leaves_its_results(
    run_cnnkit: Cnnkit, make_run: MakeRun, baseline: Path, tmp_path: Path
) -> None:
    gate = ("--fail-if-worse-than", baseline)
    result = scored(run_cnnkit, make_run, tmp_path, POOR, *gate, exit_code=1)
    assert f"Error: worse than {baseline}: main is better than branch by 25.0 points of accuracy" in result.stderr
    assert (tmp_path / "branch" / "results.json").exists()


@pytest.mark.parametrize(("points", "exit_code"), [(30, 0), (20, 1)])
def test_points_are_accepted(
    run_cnnkit: Cnnkit, make_run: MakeRun, baseline: Path, tmp_path: Path, points: int, exit_code: int
) -> None:
    gate = ("--fail-if-worse-than", f"{baseline}:{points}")
    result = scored(run_cnnkit, make_run, tmp_path, POOR, *gate, exit_code=exit_code)
    assert "main is better than branch by 25.0 points of accuracy" in result.stderr
    passed = f"Passed: --fail-if-worse-than {baseline}:{points}."
    assert (passed in " ".join(result.stderr.split())) == (exit_code == 0)


def test_an_equal_model_passes_and_says_what_stays_possible(
    run_cnnkit: Cnnkit, make_run: MakeRun, baseline: Path, tmp_path: Path
) -> None:
    result = scored(run_cnnkit, make_run, tmp_path, GOOD, "--fail-if-worse-than", baseline)
    assert "main and branch get the same of the 40 images right" in result.stderr


def test_both_gates_are_told_together(run_cnnkit: Cnnkit, make_run: MakeRun, baseline: Path, tmp_path: Path) -> None:
    gates = ("--fail-if-worse-than", baseline, "--fail-under", "top1_accuracy=0.9")
    result = scored(run_cnnkit, make_run, tmp_path, POOR, *gates, exit_code=1)
    assert "Error: top1_accuracy is 0.7500" in result.stderr
    assert f"under 0.9; worse than {baseline}: main is better" in result.stderr


def test_what_cannot_be_meant_is_refused_before_anything_is_run(
    run_cnnkit: Cnnkit, make_run: MakeRun, baseline: Path, tmp_path: Path
) -> None:
    run = make_run(POOR, ["cat", "dog"], name="runs/branch")
    images = tmp_path / "images"
    result = run_cnnkit("eval", run, images, "--json", "--fail-if-worse-than", baseline, exit_code=2)
    assert "give this one a place with -o" in result.stderr
    for points in ("nan", "-1", ""):
        gate = ("--fail-if-worse-than", f"{baseline}:{points}")
        said = run_cnnkit("eval", run, images, "-o", tmp_path / "out", *gate, exit_code=2).stderr
        assert f"{points!r} is no number of points; expected 0 or more, as in {baseline}:0.5" in said
    before = (baseline / "results.json").read_bytes()
    result = run_cnnkit("eval", run, images, "-o", baseline, "--fail-if-worse-than", baseline, exit_code=2)
    assert "is the folder that these results would replace" in result.stderr
    assert (baseline / "results.json").read_bytes() == before
    run_cnnkit("eval", run, images, "-o", tmp_path / "x", "--fail-if-worse-than", tmp_path / "none", exit_code=3)
    assert not (tmp_path / "x").exists()


@pytest.fixture
def part(make_run: MakeRun, tmp_path: Path) -> tuple[Path, Path]:
    """Answers to 30 of 40 images, all right, and the images."""
    keys = [f"{name}/{at:02d}.png" for name in ("cat", "dog") for at in range(20)]
    make_run({key: [0.9, 0.1] for key in keys}, ["cat", "dog"], name="runs/main")
    path = tmp_path / "part.csv"
    path.write_text("key,predicted\n" + "".join(f"{key},{key[:3]}\n" for key in keys[:30]))
    return path, tmp_path / "images"


def test_a_gate_is_undecided_when_only_the_answered_images_reach_it(
    run_cnnkit: Cnnkit, part: tuple[Path, Path], tmp_path: Path
) -> None:
    options = ("-o", tmp_path / "part", "--no-report", "--fail-under", "top1_accuracy=0.97")
    said = " ".join(run_cnnkit("eval", *part, *options, exit_code=1).stderr.split())
    assert "10 labelled images have no answer and are not in the other figures: part.csv has none for them" in said
    assert (
        "Note on the gate: 10 of 40 labelled images have no answer and are not in top1_accuracy; top1_accuracy_of_all "
        "counts them as wrong." in said
    )
    assert (
        "Error: top1_accuracy is 1.0000 of 30 images, but 10 of 40 labelled images have no answer, and with these as "
        "wrong it is 0.7500, under 0.97: undecided. Have them answered, or "
        "take them out of the data, or gate on top1_accuracy_of_all." in said
    )


@pytest.mark.parametrize("floor", ["top1_accuracy=0.75", "macro_f1=0"])
def test_a_gate_that_holds_says_what_it_leaves_out(
    run_cnnkit: Cnnkit, part: tuple[Path, Path], tmp_path: Path, floor: str
) -> None:
    said = run_cnnkit("eval", *part, "-o", tmp_path / "part", "--no-report", "--fail-under", floor).stderr
    assert f"10 of 40 labelled images have no answer and are not in {floor.partition('=')[0]}" in " ".join(said.split())


def test_a_gate_on_all_images_needs_no_note(run_cnnkit: Cnnkit, part: tuple[Path, Path], tmp_path: Path) -> None:
    floor = ("--fail-under", "top1_accuracy_of_all=0.75")
    said = run_cnnkit("eval", *part, "-o", tmp_path / "part", "--no-report", *floor).stderr
    assert "Note on the gate" not in said


def test_summary_of_what_failed(run_cnnkit: Cnnkit, make_run: MakeRun, baseline: Path, tmp_path: Path) -> None:
    options = ("--fail-if-worse-than", baseline, "--summary", tmp_path / "summary.md")
    scored(run_cnnkit, make_run, tmp_path, POOR, *options, exit_code=1)
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("## tiny: 40 images of images")
    assert "**Failed**: `--fail-if-worse-than " in text
    assert "main is better than branch by 25.0 points" in text
    assert "| top1_accuracy | 0.7500 | 0.5981 to 0.8581 | 40 |" in text


def test_what_differs_besides_the_model_is_said_with_the_gate(
    run_cnnkit: Cnnkit, make_run: MakeRun, baseline: Path, tmp_path: Path
) -> None:
    options = ("--fail-if-worse-than", baseline, "--summary", tmp_path / "summary.md")
    result = scored(run_cnnkit, make_run, tmp_path, POOR, *options, exit_code=1)
    assert "Note on the gate: the same file as main, with the same spec." in " ".join(result.stderr.split())
    assert "- Note: the same file as main, with the same spec." in (tmp_path / "summary.md").read_text()


def test_summary_replaces_a_file_and_is_added_to_that_of_a_build(
    run_cnnkit: Cnnkit, make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    page = tmp_path / "summary.md"
    page.write_text("# Build\n")
    scored(run_cnnkit, make_run, tmp_path, GOOD, "--summary", page)
    assert "# Build" not in page.read_text()

    page.write_text("# Build\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    scored(run_cnnkit, make_run, tmp_path, GOOD, "--summary", page)
    assert page.read_text().startswith("# Build\n\n## tiny: 40 images")


SUITE = """schema = 1
[[case]]
name = "colours"
model = "colours.onnx"
data = "images"
measures = ["top1_accuracy"]
"""


@pytest.fixture
def suite(tmp_path: Path, colours: Path, write_colour: Callable[..., Path]) -> Path:
    for colour in ("red", "green", "blue"):
        write_colour(tmp_path / "images" / colour / "0.png", colour)
    (tmp_path / "colours.onnx").write_bytes(colours.read_bytes())
    (tmp_path / "tiny.toml").write_text(SUITE)
    return tmp_path / "tiny.toml"


def test_a_suite_from_the_command_line(run_cnnkit: Cnnkit, suite: Path, tmp_path: Path) -> None:
    arguments = ("eval", "--suite", suite, "-o", tmp_path / "out", "--no-report")
    first = run_cnnkit(*arguments, exit_code=1)
    assert (
        "Error: colours: top1_accuracy is 1, and no value is accepted for it yet: --update accepts it." in first.stderr
    )
    accepted = run_cnnkit(*arguments, "--update", "--summary", tmp_path / "accepted.md")
    assert "Accepted as the expected values." in (tmp_path / "accepted.md").read_text()
    assert f"Accepted: {tmp_path / 'expected' / 'tiny.json'}" in accepted.stderr
    again = run_cnnkit(*arguments, "--json", "--summary", tmp_path / "summary.md")
    assert "1 of them from an earlier run" in again.stderr
    facts = json.loads(again.stdout)
    assert facts["cases"][0]["measures"][0]["status"] == "as expected"
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("## Suite tiny: 1 cases\n\nAll as expected.")
    assert "| colours | top1\\_accuracy | 1 | 1 | 0 | as expected |" in text


def test_a_file_that_a_case_names_and_that_is_not_there(run_cnnkit: Cnnkit, suite: Path, tmp_path: Path) -> None:
    suite.write_text(f'{SUITE}class_map = "none.txt"\n')
    result = run_cnnkit("eval", "--suite", suite, "-o", tmp_path / "out", exit_code=1)
    assert "none.txt: no such file; class_map of colours." in " ".join(result.stderr.split())


def test_a_case_that_fails_exits_1_and_is_named(run_cnnkit: Cnnkit, suite: Path, tmp_path: Path) -> None:
    suite.write_text(SUITE.replace("colours.onnx", "none.onnx"))
    result = run_cnnkit("eval", "--suite", suite, "-o", tmp_path / "out", exit_code=1)
    assert "Error: colours failed: " in result.stderr
    assert "none.onnx: no such model or run" in result.stderr


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["model.onnx", "data"], "RUN|MODEL DATA"),
        (["--truth", "x.csv"], "--truth"),
        (["--fail-under", "top1_accuracy=0.5"], "--fail-under"),
        (["--preset", "imagenet"], "--preset"),
    ],
)
def test_what_a_case_says_cannot_stand_beside_the_suite(
    run_cnnkit: Cnnkit, suite: Path, options: list[str], named: str
) -> None:
    result = run_cnnkit("eval", "--suite", suite, *options, exit_code=2)
    assert f"{named} cannot stand beside --suite, whose file says what is run and expected." in result.stderr


def test_update_without_a_suite_is_wrong_usage(run_cnnkit: Cnnkit, suite: Path, tmp_path: Path) -> None:
    result = run_cnnkit("eval", tmp_path / "colours.onnx", tmp_path / "images", "--update", exit_code=2)
    assert "--update accepts the values of a suite: it needs --suite FILE." in result.stderr
