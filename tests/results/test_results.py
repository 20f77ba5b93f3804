"""results.json and rows.parquet: what they hold, what they refuse, and that they are written whole."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from cnnkit.errors import DataError
from cnnkit.results import (
    ClassFigures,
    Confusion,
    DataFacts,
    Figure,
    ModelFacts,
    ProviderFacts,
    Results,
    RunFacts,
    place_in_words,
    read_results,
    read_rows,
    rows_schema,
    schema_text,
    write_results,
)
from cnnkit.spec import ClassName


def small_results(**changes: object) -> Results:
    facts = {
        "task": "classification",
        "model": ModelFacts(name="digits", sha256="ab", spec_hash="cd"),
        "run": RunFacts(path="run", sha256="ef"),
        "classes": (ClassName(name="0"), ClassName(name="1")),
        "data": DataFacts(root="test", fingerprint="01", n=3, n_classes=2, n_classes_scored=2),
        "provider": ProviderFacts(name="CPUExecutionProvider"),
        "versions": {"cnnkit": "0.1.0"},
        "figures": {"top1_accuracy": Figure(value=2 / 3, low=0.2, high=0.9, n=3, method="wilson")},
        "per_class": (ClassFigures(name="0", n=2, recall=0.5), ClassFigures(name="1", n=1)),
        "confusion": Confusion(n_classes=2, cells=((0, 0, 1), (0, 1, 1), (1, 1, 1))),
    }
    return Results.model_validate(facts | changes)


def small_rows() -> pa.Table:
    row = {"key": "0/a.png", "digest": bytes(32), "label": 0, "predicted": 1, "rank": 2, "p": 0.25, "confidence": 0.75}
    return pa.Table.from_pylist([row], schema=rows_schema("classification"))


def test_written_and_read_back(tmp_path: Path) -> None:
    results = small_results()
    write_results(tmp_path, results, small_rows())
    assert read_results(tmp_path) == results
    assert read_results(tmp_path / "results.json") == results
    assert read_rows(tmp_path).equals(small_rows())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "rows.parquet"]


def test_undefined_is_null_in_the_file(tmp_path: Path) -> None:
    write_results(tmp_path, small_results(), small_rows())
    facts = json.loads((tmp_path / "results.json").read_text())
    assert facts["schema"] == 1
    assert facts["per_class"][1]["recall"] is None
    assert facts["figures"]["top1_accuracy"]["note"] is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_that_is_none(value: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Figure(value=value, n=1)


def test_unknown_keys_are_refused(tmp_path: Path) -> None:
    write_results(tmp_path, small_results(), small_rows())
    facts = json.loads((tmp_path / "results.json").read_text())
    (tmp_path / "results.json").write_text(json.dumps({**facts, "surprise": 1}))
    with pytest.raises(DataError, match=r"results.json: not a results.json .* surprise: there is no such field"):
        read_results(tmp_path)


def test_a_class_without_figures_is_refused() -> None:
    with pytest.raises(ValidationError, match="per_class has 1 entries for 2 classes"):
        small_results(per_class=(ClassFigures(name="0", n=2),))


def test_folder_without_results(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not a results folder: it has no results.json. `cnnkit eval` makes one."):
        read_results(tmp_path)
    with pytest.raises(DataError, match=r"rows.parquet: cannot be read .* Run cnnkit eval again."):
        read_rows(tmp_path)


def test_rows_of_another_task_are_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    write_results(tmp_path, small_results(), small_rows())
    with pytest.raises(ValueError, match="rows have the columns"):
        write_results(tmp_path, small_results(), small_rows().drop_columns(["rank"]))
    assert read_results(tmp_path) == small_results()


def test_confusion_as_a_matrix() -> None:
    assert small_results().confusion is not None
    assert Confusion(n_classes=2, cells=((0, 1, 3),)).matrix().tolist() == [[0, 3], [0, 0]]
    assert Confusion(n_classes=2, cells=()).matrix().tolist() == [[0, 0], [0, 0]]


def test_columns_of_each_task() -> None:
    assert rows_schema("classification").names == ["key", "digest", "label", "predicted", "rank", "p", "confidence"]
    assert rows_schema("classification", multilabel=True).names == ["key", "digest", "labels", "predicted"]
    found = ["det_class", "det_score", "det_match", "det_ignore", "det_object", "det_box"]
    assert rows_schema("detection").names == ["key", "digest", *found, "truth_class", "truth_box"]


def test_rows_of_another_version_are_refused(tmp_path):
    pq.write_table(pa.table({"key": ["a.jpg"], "det_class": [[1]]}), tmp_path / "rows.parquet")
    with pytest.raises(
        DataError, match="has the columns key, det_class, which are none that this cnnkit writes"
    ) as told:
        read_rows(tmp_path)
    assert str(told.value).endswith("by another version? Run cnnkit eval again.")


def test_published_schema_is_that_of_the_model() -> None:
    path = Path(__file__).resolve().parents[2] / "docs" / "results.schema.json"
    assert path.read_text() == schema_text(), "run `make docs`"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("run", "run"),
        ("data/photos", "data/photos"),
        ("/data/birds/photos", "/data/birds/photos"),
        ("../photos", "photos"),
        ("../../photos/train", "photos/train"),
        ("../../../home/someone/photos/train", "…/photos/train"),
        ("..", ".."),
        ("../..", "../.."),
    ],
)
def test_a_place_in_words_has_no_way_to_it(path, words):
    assert place_in_words(path) == words
