"""No gate of `cnnkit eval` passes because labelled images have no answer; no old report outlives its results."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

MakeRun = Callable[..., Path]
Cnnkit = Callable[..., Result]

BOX = [10, 10, 40, 40]  # xyxy
EXAMPLE = [("cat", 0.9, BOX)]


def flat(result: Result) -> str:
    return " ".join(result.stderr.split())


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Truth of 20 images with a cat each."""
    images = [{"id": at, "file_name": f"{at:02d}.png", "width": 100, "height": 100} for at in range(1, 21)]
    cats = [
        {"id": at, "image_id": at, "category_id": 1, "bbox": [10, 10, 30, 30], "area": 900, "iscrowd": 0}
        for at in range(1, 21)
    ]
    truth = {"images": images, "annotations": cats, "categories": [{"id": 1, "name": "cat"}]}
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(truth))
    return path


def detector(make_box_run: MakeRun, name: str, *, missed: int = 0, corrupt: int = 0) -> Path:
    """Of the 20 images the last ones cannot be read, and in those before them nothing is found."""
    keys = [f"{at:02d}.png" for at in range(1, 21)]
    answers: dict[str, object] = dict.fromkeys(keys, EXAMPLE)
    answers |= dict.fromkeys(keys[20 - corrupt - missed :], ()) | dict.fromkeys(keys[20 - corrupt :], "corrupt")
    return make_box_run(answers, ["cat"], name=name)


@pytest.mark.parametrize(("corrupt", "exit_code"), [(0, 0), (8, 1)])
def test_average_precision_without_hard_images_passes_no_floor(
    run_cnnkit: Cnnkit, make_box_run: MakeRun, boxes: Path, tmp_path: Path, corrupt: int, exit_code: int
) -> None:
    run = detector(make_box_run, "run", corrupt=corrupt)
    options = ("-o", tmp_path / "out", "--no-report", "--fail-under", "coco_AP=0.7")
    said = flat(run_cnnkit("eval", run, boxes, *options, exit_code=exit_code))
    assert ("undecided" in said) == bool(corrupt)
    if corrupt:
        assert (
            "Error: coco_AP is 1.0000 of 12 images, but 8 of 20 labelled images have no answer, and with these it "
            "might be under 0.7: undecided. Mend these files, or take them out of the data with their labels." in said
        )


@pytest.mark.parametrize("gate", ["{}", "{}:50"])
def test_average_precision_without_hard_images_is_not_held_against_a_baseline(
    run_cnnkit: Cnnkit, make_box_run: MakeRun, boxes: Path, tmp_path: Path, gate: str
) -> None:
    main, branch = detector(make_box_run, "main", missed=10), detector(make_box_run, "branch", corrupt=8)
    run_cnnkit("eval", main, boxes, "-o", tmp_path / "main", "--no-report")
    options = ("-o", tmp_path / "branch", "--no-report", "--fail-if-worse-than", gate.format(tmp_path / "main"))
    said = flat(run_cnnkit("eval", branch, boxes, *options, exit_code=1))
    assert "but labelled images have no answer (branch for 8), and with these it might be" in said
    assert "undecided. Mend these files, or take them out of the data with their labels, and score both again." in said


@pytest.fixture
def files(make_run: MakeRun, tmp_path: Path) -> Callable[..., Path]:
    """`files("part", named=30)`: answers to the first so many of 40 images, all right."""
    keys = [f"{name}/{at:02d}.png" for name in ("cat", "dog") for at in range(20)]
    make_run({key: [0.9, 0.1] for key in keys}, ["cat", "dog"], name="runs/main")

    def make(name: str, *, named: int) -> Path:
        path = tmp_path / f"{name}.csv"
        path.write_text("key,predicted\n" + "".join(f"{key},{key[:3]}\n" for key in keys[:named]))
        return path

    return make


@pytest.mark.parametrize(
    ("main", "branch", "points", "exit_code"),
    [
        (40, 40, "", 0),
        (40, 39, "", 0),  # one image lost: chance could do that
        (40, 30, "", 1),
        (30, 30, "", 1),  # the same ten for both: who would be right on them is not known
        (40, 30, ":25", 0),  # ten of forty lost are 25 points
        (40, 30, ":24", 1),
    ],
)
def test_a_baseline_is_held_only_where_lost_images_could_not_turn_it(
    run_cnnkit: Cnnkit,
    files: Callable[..., Path],
    tmp_path: Path,
    main: int,
    branch: int,
    points: str,
    exit_code: int,
) -> None:
    images = tmp_path / "images"
    run_cnnkit("eval", files("main", named=main), images, "-o", tmp_path / "main", "--no-report")
    gate = ("--fail-if-worse-than", f"{tmp_path / 'main'}{points}")
    summary = ("--summary", tmp_path / "summary.md")
    answers = files("branch", named=branch)
    said = flat(
        run_cnnkit(
            "eval", answers, images, "-o", tmp_path / "branch", "--no-report", *gate, *summary, exit_code=exit_code
        )
    )
    assert ("undecided" in said) == bool(exit_code)
    assert ("**Failed**" in (tmp_path / "summary.md").read_text()) == bool(exit_code)
    if exit_code:
        worse = "more than 24 points worse" if points else "significantly worse"
        assert (
            f"with these as wrong for branch and right for main it would be {worse} than {tmp_path / 'main'}: "
            "undecided. Have them answered, or take them out of the data, and score both again." in said
        )
        assert (tmp_path / "summary.md").read_text().count("get the same of the") == 1


def test_a_floor_on_what_has_no_bound_is_undecided(
    run_cnnkit: Cnnkit, files: Callable[..., Path], tmp_path: Path
) -> None:
    floor = ("--fail-under", "macro_f1=0.4")
    arguments = (files("part", named=30), tmp_path / "images", "-o", tmp_path / "part", "--no-report")
    said = flat(run_cnnkit("eval", *arguments, *floor, exit_code=1))
    assert (
        "macro_f1 is 1.0000 of 30 images, but 10 of 40 labelled images have no answer, and with these it might be "
        "under 0.4: undecided" in said
    )


def test_a_figure_that_is_better_when_smaller_is_answered_with_what_can_be_named(
    run_cnnkit: Cnnkit, files: Callable[..., Path], tmp_path: Path
) -> None:
    def said(floor: str) -> str:
        arguments = (files("part", named=30), tmp_path / "images", "-o", tmp_path / "x", "--fail-under", floor)
        return flat(run_cnnkit("eval", *arguments, exit_code=2))

    assert (
        "ece is better when smaller, so a floor says nothing. A gate can be on one that is better when larger, such as "
        "top1_accuracy or macro_f1." in said("ece=0.1")
    )
    assert "A gate can be on top5_accuracy." in said("top5_error=0.1")
    assert "A gate can be on exact_match_accuracy." in said("hamming_error=0.1")
    assert "no figure is called 'top1_acuracy'. Did you mean top1_accuracy?" in said("top1_acuracy=0.5")
    assert "'top1_accuracy=75': figures are shares, from 0 to 1, such as 0.75 for 75 %." in said("top1_accuracy=75")
    assert "no figure 'coco_AP' is measured of a classifier; there are top1_accuracy, " in said("coco_AP=0.5")
    assert not (tmp_path / "x").exists()


def test_a_figure_of_another_task_is_refused_before_the_model_is_run(
    run_cnnkit: Cnnkit, colours: Path, write_colour: Callable[..., Path], tmp_path: Path
) -> None:
    write_colour(tmp_path / "images" / "red" / "0.png", "red")
    arguments = (colours, tmp_path / "images", "-o", tmp_path / "x", "--fail-under", "voc12_AP=0.5")
    said = flat(run_cnnkit("eval", *arguments, exit_code=2))
    assert "no figure 'voc12_AP' is measured of a classifier" in said
    assert not (tmp_path / "x").exists()


def test_new_results_take_the_old_report_with_them(
    run_cnnkit: Cnnkit, files: Callable[..., Path], tmp_path: Path
) -> None:
    place = tmp_path / "results"
    said = run_cnnkit("eval", files("first", named=40), tmp_path / "images", "-o", place).stderr
    assert f"Report: {place / 'report.html'}" in said
    assert (place / "report.md").exists()
    said = run_cnnkit(
        "eval", files("second", named=40), tmp_path / "images", "-o", place, "--no-report", "--overwrite"
    ).stderr
    assert f"Results: {place}" in said
    assert "Report:" not in said
    assert sorted(path.name for path in place.iterdir()) == ["results.json", "rows.parquet"]


def test_images_that_a_run_does_not_have_are_said(run_cnnkit: Cnnkit, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({f"cat/{at}.png": [0.9, 0.1] for at in range(4)}, ["cat", "dog"])
    assert "does not have" not in run_cnnkit("eval", run, tmp_path / "images", "--json").stderr
    for name in ("cat/9.png", "dog/0.png", "loose.png"):
        (tmp_path / "images" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "images" / name).touch()
    said = flat(run_cnnkit("eval", run, tmp_path / "images", "--json"))
    assert "Note: Images of the class folders that the run does not have, not scored: 2." in said
