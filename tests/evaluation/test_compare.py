"""Results folders compared: what is read, what is written, whose run is gone."""

import html
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import cnnkit
from cnnkit.comparison import read_comparison
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import compare, evaluate

MakeRun = Callable[..., Path]


def answers(n: int, share: float, seed: int) -> dict[str, list[float]]:
    """So large a share of cats and dogs is told apart."""
    rng = np.random.default_rng(seed)
    found = {}
    for at in range(n):
        name = ("cat", "dog")[at % 2]
        sure = rng.uniform(0.5, 1) if rng.random() < share else rng.uniform(0, 0.5)
        found[f"{name}/{at:03d}.png"] = [sure, 1 - sure] if name == "cat" else [1 - sure, sure]
    return found


@pytest.fixture
def scored(make_run: MakeRun, tmp_path: Path) -> Callable[..., Path]:
    """`scored("a", share=0.9)`: a results folder of 120 images, with its run beside it."""

    def make(name: str, *, share: float, seed: int = 0, report: bool = False) -> Path:
        run = make_run(answers(120, share, seed), ["cat", "dog"], name=f"runs/{name}")
        folder = tmp_path / "results" / name
        evaluate(run, tmp_path / "images", folder, report=report)
        return folder

    return make


def test_files_are_written_and_say_the_same(scored: Callable[..., Path], tmp_path: Path) -> None:
    poor, good = scored("poor", share=0.6), scored("good", share=0.95, seed=1)
    found = compare([poor, good / "results.json"], tmp_path / "out", margin=2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["comparison.json", "report.html", "report.md"]
    assert read_comparison(tmp_path / "out") == found
    assert [each.name for each in found.models] == ["poor", "good"]
    assert found.sentences[0].startswith("good is better than poor by ")
    assert {"top1_accuracy", "macro_f1", "map", "roc_auc", "brier", "ece", "cross_entropy"} == {
        each.measure for each in found.differences
    }
    assert found.equivalence[0].margin == 0.02
    page = (tmp_path / "out" / "report.html").read_text().replace("\u00a0", " ")
    assert f"<h1>{html.escape(found.sentences[0])}</h1>" in page
    assert "good is right, poor is wrong" in page
    assert (tmp_path / "out" / "report.md").read_text().startswith("# good is better than poor")


def test_differences_are_those_of_the_figures(scored: Callable[..., Path]) -> None:
    found = compare([scored("poor", share=0.6), scored("good", share=0.95, seed=1)])
    for each in found.differences:
        one, other = (model.figures[each.measure].value for model in found.models)
        assert each.value == pytest.approx(other - one, abs=1e-6), each.measure


def test_baseline_turns_the_pair_round(scored: Callable[..., Path]) -> None:
    poor, good = scored("poor", share=0.6), scored("good", share=0.95, seed=1)
    there, back = compare([poor, good]), compare([poor, good], baseline=good)
    assert (there.baseline, back.baseline) == ("poor", "good")
    assert there.differences[0].value == -back.differences[0].value
    assert there.sentences[0] == back.sentences[0]


def test_a_run_that_is_gone_or_changed_is_said(scored: Callable[..., Path], tmp_path: Path) -> None:
    one, other = scored("a", share=0.9), scored("b", share=0.9, seed=1)
    shutil.rmtree(tmp_path / "runs" / "b")
    found = compare([one, other])
    assert "map" not in {each.measure for each in found.differences}
    note = next(note for note in found.notes if note.startswith("mAP"))
    assert note.startswith("mAP, ROC AUC and Brier score are not compared (b: its run ")
    assert note.endswith("runs/b is gone)")

    manifest = tmp_path / "runs" / "a" / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    assert "runs/a has changed since it was scored" in next(note for note in compare([one, other]).notes)


def test_equal_input_gives_equal_bytes(scored: Callable[..., Path], tmp_path: Path) -> None:
    folders = [scored("a", share=0.7), scored("b", share=0.9, seed=1)]
    for name in ("one", "two"):
        compare(folders, tmp_path / name, seed=3)
    for name in ("comparison.json", "report.html", "report.md"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_names_fall_back_to_the_path(scored: Callable[..., Path], tmp_path: Path) -> None:
    one, other = scored("x/same", share=0.7), scored("y/same", share=0.9, seed=1)
    assert [each.name for each in compare([one, other]).models] == [str(one), str(other)]


def test_wrong_calls(scored: Callable[..., Path], tmp_path: Path) -> None:
    one = scored("a", share=0.7)
    with pytest.raises(UsageError, match="comparing takes at least two results, got 1"):
        compare([one])
    with pytest.raises(UsageError, match="is given twice; a model compared with itself says nothing"):
        compare([one, one / "results.json"])
    with pytest.raises(DataError, match="`cnnkit eval` makes one"):
        compare([one, tmp_path])
    (tmp_path / "answers.csv").write_text("key,predicted\n")
    with pytest.raises(DataError, match=r"answers.csv: not a results folder. `cnnkit eval .*answers.csv DATA -o OUT`"):
        compare([one, tmp_path / "answers.csv"])
    other = scored("b", share=0.9, seed=1)
    with pytest.raises(UsageError, match="is not among the results"):
        compare([one, other], baseline=tmp_path)


def test_comparison_json_is_checked_when_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`cnnkit compare` makes one"):
        read_comparison(tmp_path)
    (tmp_path / "comparison.json").write_text(json.dumps({"schema": 1, "extra": 2}))
    with pytest.raises(DataError, match=r"not a comparison\.json that this cnnkit can read"):
        read_comparison(tmp_path)


def test_it_is_at_the_top() -> None:
    assert cnnkit.compare is compare
