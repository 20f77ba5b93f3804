"""Answers of other tools: every form gives the figures that the same answers give in a run; what is odd is refused."""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import compare, evaluate
from cnnkit.results import read_rows

MakeRun = Callable[..., Path]

SCORES = {
    "cat/1.png": [0.9, 0.1, 0.0],
    "cat/2.png": [0.3, 0.6, 0.1],
    "dog/3.png": [0.2, 0.8, 0.0],
    "owl/4.png": [0.1, 0.2, 0.7],
}
CLASSES = ["cat", "dog", "owl"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for key in SCORES:
        path = tmp_path / "images" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "images"


def best(scores: list[float]) -> str:
    return CLASSES[int(np.argmax(scores))]


def write_csv(path: Path, rows: list[Mapping[str, object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def scores_csv(folder: Path) -> Path:
    rows = [{"key": key, **dict(zip(CLASSES, scores, strict=True))} for key, scores in SCORES.items()]
    return write_csv(folder / "scores.csv", rows)


def scores_parquet(folder: Path) -> Path:
    columns = {name: [scores[at] for scores in SCORES.values()] for at, name in enumerate(CLASSES)}
    pq.write_table(pa.table({"key": list(SCORES), **columns}), folder / "scores.parquet")
    return folder / "scores.parquet"


def predicted_csv(folder: Path) -> Path:
    rows = [{"key": key, "predicted": best(scores), "p": max(scores)} for key, scores in SCORES.items()]
    return write_csv(folder / "predicted.csv", rows)


def own_csv(folder: Path) -> Path:
    rows = [
        {"key": key, "status": "ok", "error": "", "top1": best(scores), "p1": max(scores)}
        for key, scores in SCORES.items()
    ]
    return write_csv(folder / "predictions.csv", rows)


def timm_csv(folder: Path) -> Path:
    """As timm writes with --topk 2 --label-type name: lists as NumPy prints them, base names."""
    rows = []
    for key, scores in SCORES.items():
        order = np.argsort(scores)[::-1][:2]
        labels = np.array([CLASSES[at] for at in order], dtype=object)
        rows.append({"filename": Path(key).name, "label": str(labels), "prob": str(np.sort(scores)[::-1][:2])})
    return write_csv(folder / "timm.csv", rows)


def timm_json(folder: Path) -> Path:
    facts = {key: {"label": best(scores), "prob": max(scores)} for key, scores in SCORES.items()}
    (folder / "timm.json").write_text(json.dumps(facts, indent=4))
    return folder / "timm.json"


def timm_split(folder: Path) -> Path:
    data = [[key, best(scores), max(scores)] for key, scores in SCORES.items()]
    (folder / "split.json").write_text(json.dumps({"columns": ["filename", "label", "prob"], "data": data}))
    return folder / "split.json"


def timm_records(folder: Path) -> Path:
    lines = [
        json.dumps({"filename": key, "label": best(scores), "prob": max(scores)}) for key, scores in SCORES.items()
    ]
    (folder / "records.json").write_text("\n".join(lines))
    return folder / "records.json"


def texts(folder: Path) -> Path:
    """As Ultralytics writes with save_txt: one file an image, the best class first."""
    place = folder / "labels"
    place.mkdir()
    for key, scores in SCORES.items():
        (place / f"{Path(key).stem}.txt").write_text(f"{max(scores):.2f} {best(scores)}\n0.05 other\n")
    return place


BEST_CLASS = (predicted_csv, own_csv, timm_csv, timm_json, timm_split, timm_records, texts)


@pytest.mark.parametrize("write", [scores_csv, scores_parquet])
def test_scores_give_every_figure_of_a_run(
    write: Callable[[Path], Path], images: Path, make_run: MakeRun, tmp_path: Path
) -> None:
    wanted = evaluate(make_run(SCORES, CLASSES), images).figures
    found = evaluate(write(tmp_path), images)
    assert found.figures == wanted
    assert (found.task, found.provider, found.model.sha256) == ("classification", None, None)
    assert found.model.name == "scores"


@pytest.mark.parametrize("write", BEST_CLASS, ids=lambda write: write.__name__)
def test_the_best_class_gives_what_it_can(
    write: Callable[[Path], Path], images: Path, make_run: MakeRun, tmp_path: Path
) -> None:
    wanted = evaluate(make_run(SCORES, CLASSES), images)
    found = evaluate(write(tmp_path), images, tmp_path / "out", report=False)
    for name in ("top1_accuracy", "top1_error", "top1_accuracy_of_all", "macro_f1", "macro_recall", "weighted_f1"):
        assert found.figures[name].value == pytest.approx(wanted.figures[name].value), name
    assert not {"top5_error", "map", "cross_entropy"} & set(found.figures)
    assert found.confusion == wanted.confusion
    rows = read_rows(tmp_path / "out").to_pydict()
    assert rows["key"] == sorted(SCORES)
    assert [found.names[at] for at in rows["predicted"]] == [best(SCORES[key]) for key in rows["key"]]
    assert rows["rank"] == [1, None, 1, 1]
    assert rows["confidence"][0] == pytest.approx(0.9)


def test_a_report_is_written(images: Path, tmp_path: Path) -> None:
    evaluate(predicted_csv(tmp_path), images, tmp_path / "out")
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_an_image_without_an_answer_counts(images: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "few.csv", [{"key": "cat/1.png", "predicted": "cat"}])
    found = evaluate(path, images)
    assert (found.data.n, found.data.n_bad, found.data.bad) == (1, 3, {"no_prediction": 3})
    assert found.figures["top1_accuracy"].value == 1
    assert found.figures["top1_accuracy_of_all"].value == 0.25


def test_images_that_a_file_does_not_name_are_not_called_unreadable(images: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "few.csv", [{"key": "cat/1.png", "predicted": "cat"}])
    evaluate(path, images, tmp_path / "out")
    for name in ("report.html", "report.md"):
        page = (tmp_path / "out" / name).read_text().replace("\xa0", " ").replace("&nbsp;", " ").replace("\\", "")
        assert "3 labelled images have no answer in few.csv and are left out of the figures" in page
        assert "could not be read" not in page


def test_places_need_the_list_that_they_are_places_in(images: Path, tmp_path: Path) -> None:
    rows = [{"filename": key, "index": int(np.argmax(scores)), "prob": 0.5} for key, scores in SCORES.items()]
    path = write_csv(tmp_path / "timm.csv", rows)
    with pytest.raises(
        DataError, match=r"holds positions in a class list and not the list\. Give it with --labels FILE"
    ):
        evaluate(path, images)
    (tmp_path / "labels.txt").write_text("\n".join(CLASSES))
    assert evaluate(path, images, labels=tmp_path / "labels.txt").figures["top1_accuracy"].value == 0.75
    rows[0]["index"] = 7
    with pytest.raises(DataError, match="7 is no position among 3 classes"):
        evaluate(write_csv(tmp_path / "timm.csv", rows), images, labels=tmp_path / "labels.txt")


def test_whole_vectors_in_a_cell(images: Path, make_run: MakeRun, tmp_path: Path) -> None:
    rows = [{"filename": key, "prob": str(np.array(scores))} for key, scores in SCORES.items()]
    path = write_csv(tmp_path / "timm.csv", rows)
    (tmp_path / "labels.txt").write_text("\n".join(CLASSES))
    wanted = evaluate(make_run(SCORES, CLASSES), images).figures
    assert evaluate(path, images, labels=tmp_path / "labels.txt").figures == wanted


def test_long_vectors_are_broken_into_lines_inside_their_cell(images: Path, tmp_path: Path) -> None:
    """As timm writes with --topk 0: NumPy prints 75 characters a line, the next line begins with a space."""
    classes = [*CLASSES, *(f"class {at}" for at in range(997))]
    rows = []
    for key, scores in SCORES.items():
        with np.printoptions(threshold=10**6):
            rows.append({"filename": key, "prob": str(np.array([*scores, *[1e-5] * 997], np.float32))})
    path = write_csv(tmp_path / "timm.csv", rows)
    assert path.read_text().count("\n") > 100
    (tmp_path / "labels.txt").write_text("\n".join(classes))
    found = evaluate(path, images, labels=tmp_path / "labels.txt", report=False)
    assert found.data.n_classes == 1000
    assert found.figures["top1_accuracy"].value == 0.75


def test_only_the_part_is_scored(tmp_path: Path) -> None:
    for key in ("train/cat/1.png", "test/cat/2.png", "test/dog/3.png"):
        path = tmp_path / "images" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    rows = [{"key": key, "predicted": "cat"} for key in ("train/cat/1.png", "test/cat/2.png", "test/dog/3.png")]
    found = evaluate(write_csv(tmp_path / "all.csv", rows), tmp_path / "images")
    assert (found.data.n, found.data.n_outside_part, found.data.part) == (2, 1, "test")


REFUSED = {
    "an unknown image": ([{"key": "cat/9.png", "predicted": "cat"}], "'cat/9.png' is no image of "),
    "no key": ([{"x": "cat/1.png", "predicted": "cat"}], "no column names the images; expected key and a column for"),
    "nothing said": ([{"key": "cat/1.png", "note": "x"}], "nothing in it says what each image shows"),
    "twice": ([{"key": "cat/1.png", "predicted": "cat"}] * 2, "'cat/1.png' stands there more than once"),
    "text": ([{"key": "cat/1.png", "cat": "a", "dog": "b"}], "column 'cat' must hold numbers, got 'a' in row 1"),
    "blank": (
        [{"key": "cat/1.png", "cat": 0.4, "dog": 0.6}, {"key": "cat/2.png", "cat": "", "dog": 1}],
        "column 'cat' must hold numbers, got '' in row 2",
    ),
    "nan": ([{"key": "cat/1.png", "cat": "nan", "dog": 0.1}], "'cat' holds a number that is not finite, in row 1"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_refused(images: Path, tmp_path: Path, what: str) -> None:
    rows, message = REFUSED[what]
    with pytest.raises(DataError) as refused:
        evaluate(write_csv(tmp_path / "odd.csv", rows), images)
    assert message in str(refused.value)
    assert "odd.csv" in str(refused.value)


def test_a_bare_name_of_two_images_is_not_guessed(images: Path, tmp_path: Path) -> None:
    (images / "dog" / "1.png").touch()
    path = write_csv(tmp_path / "timm.csv", [{"filename": "1.png", "label": "cat"}])
    with pytest.raises(DataError, match=r"'1\.png' could be 2 images, such as 'cat/1\.png' and 'dog/1\.png'"):
        evaluate(path, images)


def test_one_image_by_two_names_is_refused(images: Path, tmp_path: Path) -> None:
    rows = [{"filename": name, "label": "cat"} for name in ("1.png", "cat/1.png")]
    with pytest.raises(DataError, match=r"are the same image, 'cat/1\.png'"):
        evaluate(write_csv(tmp_path / "timm.csv", rows), images)


def test_options_that_would_change_nothing(images: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a file of answers: batch_size would change nothing"):
        evaluate(predicted_csv(tmp_path), images, batch_size=3)


def test_a_text_file_without_a_class(images: Path, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "1.txt").write_text("0.97\n")
    with pytest.raises(DataError, match=r"the first line must be a probability and a class, such as `0\.97 cat`"):
        evaluate(tmp_path / "labels", images)


def test_another_tools_answers_are_compared_by_name(images: Path, make_run: MakeRun, tmp_path: Path) -> None:
    evaluate(make_run(SCORES, CLASSES), images, tmp_path / "ours", report=False)
    evaluate(predicted_csv(tmp_path), images, tmp_path / "theirs", report=False)
    found = compare([tmp_path / "ours", tmp_path / "theirs"], tmp_path / "out")
    assert found.pairs[0].same_answer == 4
    assert found.differences[0].better == "same"
    assert "predicted has no hashes of its images: they are paired by name alone" in found.notes
    assert any("its answers are another tool's file" in note for note in found.notes)


def test_classes_alone_are_shown_without_shares(images: Path, tmp_path: Path) -> None:
    """No confidence is known: nothing is called sure, and no share stands under a picture."""
    rows = [{"key": key, "predicted": "cat"} for key in SCORES]
    evaluate(write_csv(tmp_path / "plain.csv", rows), images, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "nan\u00a0%" not in page
    assert ">Mistakes</h3>" in page
    assert "Worst mistakes" not in page
    assert "the surest first" not in page
    assert "Least sure" not in page
    assert 'id="threshold"' not in page
