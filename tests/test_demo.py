"""The main job from nothing, on real digits: what `make demo` runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnkit import predictions, results
from cnnkit.cli import cnnkit


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


@pytest.mark.slow
def test_the_detection_demo_finds_digits_in_scenes(tmp_path: Path) -> None:
    result = CliRunner().invoke(cnnkit, ["demo", "--task", "detection", "-o", str(tmp_path)])
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'results' / 'scenes' / 'report.html'}\n"
    for verb in ("data convert", "train", "export", "infer", "eval"):
        assert f"$ cnnkit {verb} " in result.stderr
    scored = results.read_results(tmp_path / "results" / "scenes")
    assert scored.data.n == 300
    assert (scored.figures["coco_AP50"].value or 0) > 0.6
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 24


def test_the_detection_demo_says_steps_that_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its steps are taken away; what it shows is parsed as the command line would."""
    import shlex
    from types import SimpleNamespace

    import click

    from cnnkit import data, demo, evaluation, exporting, inference, training

    def nothing(*args: object, **options: object) -> None:
        return None

    for module, name in (
        (data, "write_digit_scenes"),
        (training, "train"),
        (exporting, "export"),
        (inference, "infer"),
        (inference, "annotate"),
    ):
        monkeypatch.setattr(module, name, nothing)
    scored = SimpleNamespace(figures={"coco_AP50": SimpleNamespace(value=0.5)})
    monkeypatch.setattr(evaluation, "evaluate", lambda *args, **options: scored)
    steps: list[str] = []
    done = demo.run_demo(tmp_path, task="detection", seed=3, say=steps.append)
    assert (done.figure, done.value) == ("coco_AP50", 0.5)
    assert [step.split()[1] for step in steps] == ["data", "train", "export", "infer", "eval"]
    for step in steps:
        _, verb, *arguments = shlex.split(step)
        context = click.Context(cnnkit, info_name="cnnkit")
        command = cnnkit.get_command(context, verb)
        if isinstance(command, click.Group):
            command = command.get_command(context, arguments.pop(0))
        assert command is not None
        command.make_context(verb, arguments, parent=context)
