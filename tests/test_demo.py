"""The main job from nothing, on real digits: what `make demo` runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnkit import predictions, results
from cnnkit.cli import cnnkit

pytestmark = pytest.mark.xdist_group("demo")  # one worker runs it, once


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def shown(folder: Path) -> Result:
    result = CliRunner().invoke(cnnkit, ["demo", "-o", str(folder)])
    assert result.exit_code == 0, result.stderr
    return result


def test_the_demo_trains_exports_runs_and_scores_real_digits(folder: Path, shown: Result) -> None:
    report = folder / "results" / "digits" / "report.html"
    assert shown.stdout == f"{report}\n", "the report's path is the last thing printed, alone on stdout"
    assert report.stat().st_size > 50_000
    for verb in ("data convert", "train", "export", "infer", "eval"):
        assert f"$ cnnkit {verb} " in shown.stderr

    scored = results.read_results(folder / "results" / "digits")
    assert scored.data.n == 599
    accuracy = scored.figures["top1_accuracy"]
    assert accuracy.value is not None
    assert accuracy.value >= 0.97
    assert accuracy.low is not None
    assert accuracy.low < accuracy.value

    run = predictions.open_run(folder / "runs" / "digits")
    assert run.manifest is not None
    assert run.manifest.counts == {"ok": 599}
    assert scored.model.sha256 == run.plan.model.sha256


def test_the_steps_it_shows_can_be_typed(folder: Path, shown: Result, run_cnnkit: Callable) -> None:
    assert "$ cnnkit eval " in shown.stderr
    again = run_cnnkit("eval", folder / "runs" / "digits", folder / "digits", "--json")
    assert '"top1_accuracy"' in again.stdout
