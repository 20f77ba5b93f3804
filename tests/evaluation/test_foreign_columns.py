"""Which columns of another tool's file are its answers, and what of it is refused or said to be left out."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import compare, evaluate
from cnnkit.predictions import open_run, write_export
from cnnkit.results import Results, read_rows

MakeRun = Callable[..., Path]

CLASSES = ["cat", "dog", "owl"]
SCORES = {
    "cat/1.png": [0.9, 0.1, 0.0],
    "cat/2.png": [0.3, 0.6, 0.1],
    "dog/3.png": [0.2, 0.8, 0.0],
    "owl/4.png": [0.1, 0.2, 0.7],
}
TRUTH = [key.partition("/")[0] for key in SCORES]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for key in SCORES:
        path = tmp_path / "images" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "images"


def write(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def scored(**beside: Sequence[object]) -> dict[str, Sequence[object]]:
    """A file of scores, with other columns between the key and them."""
    return {"key": list(SCORES), **beside, **dict(zip(CLASSES, zip(*SCORES.values(), strict=True), strict=True))}


def answered(names: Sequence[str], **beside: Sequence[object]) -> dict[str, Sequence[object]]:
    return {"key": list(SCORES), "predicted": names, **beside}


def top1(results: Results) -> float | None:
    return results.figures["top1_accuracy"].value


@pytest.mark.parametrize("name", ["label", "target", "true", "y_true", "class", "ground_truth", "predicted", "id", ""])
def test_what_stands_beside_scores_is_never_the_answer(images: Path, tmp_path: Path, name: str) -> None:
    values: Sequence[object] = range(4) if name in ("id", "") else TRUTH
    found = evaluate(write(tmp_path / "their.csv", scored(**{name: values})), images)
    assert top1(found) == 0.75
    assert found.names == CLASSES
    assert f"Columns of their.csv that are not read as answers: {name!r}." in found.warnings


def test_a_truth_beside_scores_that_no_class_is_called_like_is_not_guessed_at(images: Path, tmp_path: Path) -> None:
    columns = {"key": list(SCORES), "label": TRUTH, "a": [0.9, 0.3, 0.2, 0.1], "b": [0.1, 0.7, 0.8, 0.9]}
    with pytest.raises(
        DataError, match=r"the column 'label' may be the truth or the answer, and none of the columns of"
    ):
        evaluate(write(tmp_path / "their.csv", columns), images)


def test_a_label_alone_is_said_to_be_read_as_the_answer(images: Path, tmp_path: Path) -> None:
    found = evaluate(write(tmp_path / "their.csv", {"key": list(SCORES), "label": TRUTH}), images)
    assert "The column 'label' of their.csv is read as the answer, as timm calls it." in found.warnings


def test_a_class_that_no_image_shows_keeps_its_scores(images: Path, tmp_path: Path) -> None:
    """The scores sum up to 1 with the fox, and would not without it."""
    rows = [[*(0.8 * score for score in scores), 0.2] for scores in SCORES.values()]
    columns = {"key": list(SCORES), **dict(zip([*CLASSES, "fox"], zip(*rows, strict=True), strict=True))}
    assert evaluate(write(tmp_path / "their.csv", columns), images).names == [*CLASSES, "fox"]


def test_numbers_that_the_scores_do_without_are_no_class(images: Path, tmp_path: Path) -> None:
    found = evaluate(write(tmp_path / "their.csv", scored(sharpness=[0.2, 0.4, 0.1, 0.9])), images)
    assert found.names == CLASSES
    assert any("not read as answers: 'sharpness'" in note for note in found.warnings)


def test_numbers_that_are_unlike_the_scores_are_refused(images: Path, tmp_path: Path) -> None:
    columns = {name: [0.9 * at for at in values] if name in CLASSES else values for name, values in scored().items()}
    columns["area"] = [100, 200, 300, 400]
    with pytest.raises(DataError, match=r"'area' is no class of the truth, and its numbers \(such as 100\) are unlike"):
        evaluate(write(tmp_path / "their.csv", columns), images)


def test_two_columns_of_one_name(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "their.csv"
    path.write_text("key,cat,cat,owl\ncat/1.png,0.1,0.2,0.7\n")
    with pytest.raises(DataError, match="two of its columns are called 'cat'"):
        evaluate(path, images)


def test_columns_are_put_in_the_order_of_a_label_file_by_name(images: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("owl\ncat\ndog\n")
    found = evaluate(write(tmp_path / "their.csv", scored()), images, labels=tmp_path / "labels.txt")
    assert (found.names, top1(found)) == (["owl", "cat", "dog"], 0.75)
    (tmp_path / "labels.txt").write_text("owl\ncat\ndog\nfox\n")
    with pytest.raises(DataError, match="has no column of scores for 'fox' of the 4 classes"):
        evaluate(write(tmp_path / "their.csv", scored()), images, labels=tmp_path / "labels.txt")


def test_columns_called_by_position_are_those_of_the_label_file(images: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\nowl\n")
    columns = scored()
    renamed = {str(CLASSES.index(name)) if name in CLASSES else name: column for name, column in columns.items()}
    assert top1(evaluate(write(tmp_path / "their.csv", renamed), images, labels=tmp_path / "labels.txt")) == 0.75


def test_names_that_are_no_class_at_all_are_refused(images: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "their.csv", answered(["c0", "c1", "c1", "c2"]))
    with pytest.raises(
        DataError, match=r"\('c0', 'c1', 'c2'\) is a class of the truth \('cat', 'dog', 'owl'\)\. --class-map FILE"
    ):
        evaluate(path, images)
    (tmp_path / "map.csv").write_text("cat,c0\ndog,c1\nowl,c2\n")
    assert top1(evaluate(path, images, class_map=tmp_path / "map.csv")) == 0.75


def test_a_name_that_is_no_class_is_said_to_be_wrong(images: Path, tmp_path: Path) -> None:
    found = evaluate(write(tmp_path / "their.csv", answered(["cat", "cat", "dog", "bird"])), images)
    assert top1(found) == 0.75
    assert any(
        "1 of the classes that their.csv names are none of the truth ('bird')" in note for note in found.warnings
    )


def test_an_empty_cell_is_no_answer(images: Path, tmp_path: Path) -> None:
    found = evaluate(write(tmp_path / "their.csv", answered(["cat", "", "dog", "owl"], p=[0.9, "", 0.8, 0.7])), images)
    assert (top1(found), found.data.n, found.data.bad) == (1.0, 3, {"no_prediction": 1})
    assert found.names == CLASSES


def test_a_truth_file_may_name_classes_that_no_answer_does(images: Path, tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.csv", {"key": list(SCORES), "label": TRUTH})
    path = write(tmp_path / "their.csv", answered(["cat", "dog", "dog", "dog"]))
    found = evaluate(path, images, truth=truth)
    assert (found.names, top1(found)) == (CLASSES, 0.5)


@pytest.mark.parametrize("value", [1.7, -0.1])
def test_a_probability_outside_0_to_1_is_refused(images: Path, tmp_path: Path, value: float) -> None:
    path = write(tmp_path / "their.csv", answered(TRUTH, p=[0.5, value, 0.5, 0.5]))
    with pytest.raises(DataError, match=f"column 'p' holds {value} in row 2, which is no probability: expected 0 to 1"):
        evaluate(path, images)


ELSEWHERE = {
    "protocol": ({"protocol": "coco"}, "--protocol is for detectors"),
    "table": ({"tables": True}, "--table is for detectors"),
    "max_detections": ({"max_detections": 3}, "--max-detections is for detectors"),
    "ignore": ({"ignore_unknown_images": True}, "--ignore-unknown-images is for detectors"),
    "bench": ({"bench": Path("nosuch")}, "--bench tells the speed of a model"),
    "topk": ({"topk": [3]}, "holds the best class of each image, and --topk needs scores of all"),
    "threshold": ({"threshold": 0.5}, "--threshold is for --multilabel"),
    "truth_index": ({"truth_index": True}, "--truth-index means positions in a class list, and the file has none"),
    "multilabel": ({"multilabel": True}, "several labels an image need a file that names them: --truth FILE"),
    "nan": ({"multilabel": True, "threshold": float("nan")}, "--threshold nan: a score that counts as given lies from"),
    "beyond": (
        {"multilabel": True, "threshold": 1.5},
        "--threshold 1.5: a score that counts as given lies from 0 to 1",
    ),
    "both": ({"multilabel": True, "topk": [3]}, "--topk is for one label an image"),
}


@pytest.mark.parametrize("option", ELSEWHERE)
def test_what_would_change_nothing_is_refused(images: Path, tmp_path: Path, option: str) -> None:
    asked, message = ELSEWHERE[option]
    with pytest.raises(UsageError) as refused:
        evaluate(write(tmp_path / "their.csv", answered(TRUTH)), images, **asked)  # type: ignore[arg-type]
    assert message in str(refused.value)


def test_further_k_act_on_scores(images: Path, tmp_path: Path) -> None:
    found = evaluate(write(tmp_path / "their.csv", scored()), images, topk=[2])
    assert found.figures["top2_accuracy"].value == 1


def test_several_labels_an_image_give_what_a_run_gives(make_run: MakeRun, tmp_path: Path) -> None:
    scenes = {"1.jpg": [0.9, 0.2, 0.6], "2.jpg": [0.4, 0.8, 0.5], "3.jpg": [0.7, 0.6, 0.4], "4.jpg": [0.3, 0.1, 0.9]}
    truth = tmp_path / "truth.csv"
    truth.write_text("key,labels\n1.jpg,cat|owl\n2.jpg,dog\n3.jpg,cat|dog\n4.jpg,\n")
    run = make_run(scenes, CLASSES, activation="sigmoid")
    columns = {"key": list(scenes), **dict(zip(CLASSES, zip(*scenes.values(), strict=True), strict=True))}
    path = write(tmp_path / "their.csv", columns)
    wanted, found = (
        evaluate(
            each,
            tmp_path / "images",
            tmp_path / name,
            truth=truth,
            multilabel=True,
            threshold=0.45,
            report=False,
            resamples=100,
        )
        for each, name in ((run, "ours"), (path, "theirs"))
    )
    assert found.figures == wanted.figures
    assert found.multilabel
    assert found.protocol == {"threshold": 0.45, "rule": "score >= threshold"}
    ours, theirs = (read_rows(tmp_path / name).drop_columns(["digest"]) for name in ("ours", "theirs"))
    assert theirs == ours


def test_several_labels_need_scores_from_0_to_1(images: Path, tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.csv", {"key": list(SCORES), "labels": TRUTH})
    logits = {name: [20 * at for at in values] if name in CLASSES else values for name, values in scored().items()}
    with pytest.raises(DataError, match=r"holds the score 18, and --multilabel takes scores from 0 to 1"):
        evaluate(write(tmp_path / "their.csv", logits), images, truth=truth, multilabel=True)
    with pytest.raises(UsageError, match="holds the best class of each image, and --multilabel needs scores of all"):
        evaluate(write(tmp_path / "best.csv", answered(TRUTH)), images, truth=truth, multilabel=True)


def test_our_own_csv_gives_the_figures_of_its_run(make_run: MakeRun, tmp_path: Path) -> None:
    names = [f"c{at}" for at in range(7)]
    draw = np.random.default_rng(3)
    answers: dict[str, list[float] | str] = {
        f"c{at % 7}/{at:02}.png": draw.dirichlet(np.ones(7)).astype(np.float32).tolist() for at in range(40)
    }
    answers["c1/bad.png"] = "corrupt"
    run = make_run(answers, names)
    path = with_five_guesses(write_export(open_run(run), "csv"), answers, names)
    how: dict[str, Any] = {"resamples": 100, "report": False}
    wanted = evaluate(run, tmp_path / "images", **how)
    found = evaluate(path, tmp_path / "images", tmp_path / "out", **how)
    same = ("top1_accuracy", "top1_error", "top1_accuracy_of_all", "top5_accuracy", "top5_error", "macro_f1")
    for name in same:
        assert found.figures[name] == wanted.figures[name], name
    assert (found.data.n, found.data.bad) == (40, {"corrupt": 1})
    assert found.confusion == wanted.confusion
    assert not [note for note in found.warnings if "not read" in note]
    rows = read_rows(tmp_path / "out").to_pydict()
    assert max(rank for rank in rows["rank"] if rank is not None) == 5


def with_five_guesses(path: Path, answers: Mapping[str, list[float] | str], names: Sequence[str]) -> Path:
    """The fixture's runs keep two guesses an image, those of models five."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        scores = answers[row["key"]]
        if not isinstance(scores, str):
            for rank, at in enumerate(np.argsort(scores)[::-1][:5], 1):
                row |= {f"top{rank}": names[at], f"p{rank}": str(scores[at])}
    return write(path, {name: [row[name] for row in rows] for name in rows[0]})


def test_boxes_in_a_csv_are_told_what_to_give_instead(make_box_run: MakeRun, images: Path) -> None:
    run = make_box_run({"a.png": [("cat", 0.9, (1, 2, 3, 4))], "b.png": []}, ["cat"])
    for form, message in (
        ("csv", "scored from its run folder, or from COCO's results"),
        ("jsonl", "Give the run folder"),
    ):
        with pytest.raises(DataError, match=message):
            evaluate(write_export(open_run(run), form), images)


def test_score_files_are_compared_in_every_figure(images: Path, make_run: MakeRun, tmp_path: Path) -> None:
    other = {key: [0.2, 0.3, 0.5] if key == "dog/3.png" else scores for key, scores in SCORES.items()}
    columns = dict(zip(CLASSES, zip(*other.values(), strict=True), strict=True))
    evaluate(make_run(SCORES, CLASSES), images, tmp_path / "one", report=False)
    evaluate(make_run(other, CLASSES, name="second"), images, tmp_path / "two", report=False)
    evaluate(write(tmp_path / "mine.csv", scored()), images, tmp_path / "three", report=False)
    shuffled = {"key": list(other), **{name: columns[name] for name in reversed(CLASSES)}}
    path = write(tmp_path / "their.csv", shuffled)
    evaluate(path, images, tmp_path / "four", report=False)
    wanted, found = (
        {each.measure: (each.value, each.low, each.high) for each in compare(pair, resamples=200).differences}
        for pair in ([tmp_path / "one", tmp_path / "two"], [tmp_path / "three", tmp_path / "four"])
    )
    assert {"map", "roc_auc", "brier"} <= set(found)
    assert found == wanted
    path.write_text(path.read_text().replace("0.3", "0.4"))
    notes = compare([tmp_path / "three", tmp_path / "four"], resamples=200).notes
    assert any("their.csv is gone or has changed since it was scored" in note for note in notes)
