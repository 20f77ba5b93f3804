"""The gate against a baseline."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit.errors import DataError
from cnnkit.evaluation import evaluate, parse_baseline, worse_than_baseline

MakeRun = Callable[..., Path]


@pytest.fixture
def scored(make_run: MakeRun, tmp_path: Path) -> Callable[..., Path]:
    """`scored("a", wrong=3)`: results of 100 images of which the first so many are wrong."""

    def make(name: str, *, wrong: int) -> Path:
        answers = {}
        for at in range(100):
            own, other = (0.2, 0.8) if at < wrong else (0.8, 0.2)
            answers[f"{('cat', 'dog')[at % 2]}/{at:03d}.png"] = [own, other] if at % 2 == 0 else [other, own]
        run = make_run(answers, ["cat", "dog"], name=f"runs/{name}", shard_size=50)
        evaluate(run, tmp_path / "images", tmp_path / "results" / name, report=False)
        return tmp_path / "results" / name

    return make


@pytest.mark.parametrize(
    ("wrong", "points", "fails"),
    [
        (5, None, False),  # as good
        (8, None, False),  # 3 images worse: that may be chance
        (15, None, True),  # 10 images worse: it is not
        (2, None, False),  # better
        (8, 3.0, False),  # exactly the margin
        (8, 2.9, True),
        (15, 10.0, False),  # significantly worse, and by no more than was accepted
        (2, 0.0, False),
    ],
)
def test_worse_significantly_or_by_the_points(scored: Callable[..., Path], wrong: int, points, fails: bool) -> None:
    baseline, output = scored("main", wrong=5), scored("branch", wrong=wrong)
    difference, failure, _ = worse_than_baseline(output, baseline / "results.json", points=points)
    assert difference.value == pytest.approx((5 - wrong) / 100)
    assert (failure is not None) == fails
    if failure:
        assert difference.sentence in failure
        assert str(baseline) in failure


def test_the_sentence_names_the_folder_that_failed(scored: Callable[..., Path]) -> None:
    baseline, output = scored("main", wrong=5), scored("branch", wrong=15)
    _, failure, _ = worse_than_baseline(output, baseline)
    assert failure is not None
    assert "main is better than branch by 10.0 points of accuracy, 95 % interval " in failure
    _, failure, _ = worse_than_baseline(output, baseline, points=1)
    assert failure is not None
    assert failure.startswith("more than 1 point worse than ")


def test_a_baseline_that_is_no_results_folder(scored: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`cnnkit eval` makes one"):
        worse_than_baseline(scored("branch", wrong=5), tmp_path)


def test_points_are_taken_from_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_baseline("results/main") == (Path("results/main"), None)
    assert parse_baseline("results/main:0.5") == (Path("results/main"), 0.5)
    assert parse_baseline("results/main:2") == (Path("results/main"), 2.0)
    assert parse_baseline("results/main:.5") == (Path("results/main"), 0.5)
    assert parse_baseline("results/main:half") == (Path("results/main:half"), None)
    assert parse_baseline(r"C:\results") == (Path(r"C:\results"), None)
    monkeypatch.chdir(tmp_path)
    Path("main:2").mkdir()
    assert parse_baseline("main:2") == (Path("main:2"), None)
