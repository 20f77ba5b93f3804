"""How far a job is, told on stderr: a second pass begins anew, and nothing is told beside JSON."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cnnkit.cli import _output


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures of noise, six in each of two class folders."""
    random = np.random.default_rng(0)
    for at in range(12):
        path = tmp_path / "photos" / ("red" if at % 2 else "blue") / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(path)
    return tmp_path / "photos"


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_output, "PLAIN_EVERY_S", 0.0)


def _told(label: str, said: str) -> list[str]:
    return [line.partition(" images,")[0] for line in said.splitlines() if line.startswith(f"{label}: ")]


@pytest.mark.usefixtures("every_step")
def test_a_folder_that_is_checked(photos: Path, run_cnnkit) -> None:
    said = run_cnnkit("data", "check", photos).stderr
    assert _told("check", said) == [f"check: {done} of 12" for done in range(1, 13)]
    assert _told("check", run_cnnkit("data", "check", photos, "--json").stderr) == []
    assert _told("check", run_cnnkit("data", "check", photos, "--progress", "none").stderr) == []


@pytest.mark.usefixtures("every_step")
def test_images_that_an_evaluation_reads_again(photos: Path, colours: Path, run_cnnkit, tmp_path: Path) -> None:
    asked = ("-o", tmp_path / "out", "--label-health", "--slice-by", "brightness")
    said = run_cnnkit("eval", colours, photos, *asked).stderr
    _, sliced, compared = said.split("Reading the images again, ")
    assert sliced.startswith("for the slices.")
    assert compared.startswith("to compare them by their pixels.")
    assert _told("eval", sliced) == _told("eval", compared) == [f"eval: {done} of 12" for done in range(1, 13)]


def test_a_pass_that_begins_anew_has_its_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 100.0, 101.0])
    monkeypatch.setattr(_output, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    rate = _output._Rate()
    assert [rate.at(done) for done in (0, 50, 1, 3)] == [0.0, 5.0, 0.0, 2.0]


def test_a_bar_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with _output.progress("bar", "eval") as report:
        for done in (5, 10, 1, 4):
            report(done, 10)
    assert "4/10" in sys.stderr.getvalue()
