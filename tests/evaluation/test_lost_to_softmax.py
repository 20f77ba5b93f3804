"""Outputs that lie too far apart for a softmax: what it has lost is said, and what rests on it is not made up."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cnnkit.evaluation import evaluate

MakeRun = Callable[..., Path]
CLASSES = ["cat", "dog", "owl", "emu"]


def scores(logits: list[float]) -> list[float]:
    powers = np.exp(np.float64(logits) - max(logits)).astype(np.float32)
    return (powers / powers.sum()).tolist()


def run_of(make_run: MakeRun, factor: float, **options: str) -> Path:
    rng = np.random.default_rng(0)
    answers = {}
    for at in range(40):
        truth = at % len(CLASSES)
        logits = rng.normal(size=len(CLASSES)) + 1.5 * np.eye(len(CLASSES))[truth]
        answers[f"{CLASSES[truth]}/{at}.png"] = scores((factor * logits).tolist())
    return make_run(answers, CLASSES, **options)


def test_it_is_said_and_no_temperature_is_fitted(make_run: MakeRun, tmp_path: Path) -> None:
    found = evaluate(run_of(make_run, 1000.0), tmp_path / "images")
    (told,) = [each for each in found.warnings if "exactly 0" in each]
    assert told.startswith("73 % of the probabilities are exactly 0: the model's outputs lie too far apart")
    assert "--activation none ranks by the outputs themselves" in told
    assert found.calibration is not None
    assert found.calibration.temperature is None


def test_what_a_softmax_can_tell_is_not_doubted(make_run: MakeRun, tmp_path: Path) -> None:
    found = evaluate(run_of(make_run, 1.0), tmp_path / "images")
    assert not any("exactly 0" in each for each in found.warnings)
    assert found.calibration is not None
    assert found.calibration.temperature is not None


def test_scores_that_no_softmax_made_may_be_0(make_run: MakeRun, tmp_path: Path) -> None:
    found = evaluate(run_of(make_run, 1000.0, activation="sigmoid"), tmp_path / "images")
    assert not any("exactly 0" in each for each in found.warnings)
