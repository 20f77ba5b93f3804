"""docs/statistics.md speaks of every figure that is written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit.evaluation import evaluate
from cnnkit.results import Results

MakeRun = Callable[..., Path]
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "statistics.md").read_text()


@pytest.fixture
def several(make_run: MakeRun, tmp_path: Path) -> list[Results]:
    run = make_run({"cat/1.png": [0.5, 0.5], "dog/1.png": [0.5, 0.5], "dog/2.png": "empty"}, ["cat", "dog"])
    truth = tmp_path / "truth.csv"
    truth.write_text("key,labels\ncat/1.png,cat\ndog/1.png,cat|dog\n")
    return [
        evaluate(run, tmp_path / "images"),
        evaluate(run, tmp_path / "images", truth=truth, multilabel=True),
    ]


def test_every_figure_and_method_is_explained(several: list[Results]) -> None:
    for results in several:
        for name, figure in results.figures.items():
            assert f"`{name}`" in TEXT, name
            assert figure.method is None or f"`{figure.method}`" in TEXT, figure.method
