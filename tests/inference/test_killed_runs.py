"""Runs in processes of their own that are killed, stopped, or die on an image, and are then given again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnkit.inference import infer
from cnnkit.predictions import open_run, rows_from_table

Written = Callable[[Path], dict[str, bytes]]

SETTINGS: dict[str, Any] = {"shard_size": 25, "batch_size": 4, "workers": 1}
DIE_ON_DECODE = """
import os, signal
from cnnkit.images import Preprocess
real = Preprocess.decode
def decode(self, data, **named):
    if data.endswith(b"KILL"):
        os.kill(os.getpid(), signal.SIGSEGV)
    return real(self, data, **named)
Preprocess.decode = decode
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four hundred pictures, large enough for a run to be met in its midst."""
    return _written_pictures(tmp_path_factory.mktemp("many"), 400)


def _written_pictures(root: Path, n: int) -> Path:
    rows = np.random.default_rng(0).integers(0, 256, (n, 3), dtype=np.uint8)
    for at, colour in enumerate(rows):
        Image.new("RGB", (300, 200), tuple(colour.tolist())).save(root / f"{at:03d}.jpg")
    return root


def _command(model: Path, images: Path, run: Path, *more: object) -> list[str]:
    settings = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    words = ["infer", model, images, "-o", run, "--progress", "none", *settings, *more]
    return [sys.executable, "-m", "cnnkit", *map(str, words)]


def _wait_for_parts(run: Path, n: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None and len(list((run / "parts").glob("part-*"))) < n:
        time.sleep(0.001)


def _killed_and_resumed(model: Path, images: Path, run: Path, *, times: int, further: list[int], seed: int) -> int:
    """Kill a run that often, each time a little further on; give it again until it is done. How many hit it alive."""
    draw = random.Random(seed)
    hit = 0
    for _ in range(times):
        with subprocess.Popen(_command(model, images, run), stderr=subprocess.PIPE) as process:
            _wait_for_parts(run, len(list((run / "parts").glob("part-*"))) + draw.choice(further), process)
            time.sleep(draw.random() * 0.05)
            hit += process.poll() is None
            process.kill()
    subprocess.run(_command(model, images, run), check=True, stderr=subprocess.PIPE)
    return hit


def test_killed_at_random_moments(colours: Path, many: Path, tmp_path: Path, written: Written) -> None:
    infer(colours, many, tmp_path / "whole", **SETTINGS)
    assert _killed_and_resumed(colours, many, tmp_path / "run", times=2, further=[0, 1, 2], seed=2) >= 1
    assert written(tmp_path / "run") == written(tmp_path / "whole")


@pytest.mark.slow
def test_killed_twenty_times_on_two_thousand_pictures(colours: Path, tmp_path: Path, written: Written) -> None:
    images = tmp_path / "images"
    images.mkdir()
    _written_pictures(images, 2000)
    infer(colours, images, tmp_path / "whole", **SETTINGS)
    further = [0, 1, 2, 3, 5, 7]  # of 80 parts: the kills reach from the first to the last of them
    assert _killed_and_resumed(colours, images, tmp_path / "run", times=20, further=further, seed=20) >= 15
    assert written(tmp_path / "run") == written(tmp_path / "whole")
    manifests = [(tmp_path / name / "manifest.json").read_bytes() for name in ("run", "whole")]
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize("stop", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_stopped_politely(colours: Path, many: Path, tmp_path: Path, stop: signal.Signals) -> None:
    run = tmp_path / "run"
    with subprocess.Popen(_command(colours, many, run), stderr=subprocess.PIPE) as process:
        _wait_for_parts(run, 2, process)
        process.send_signal(stop)
        assert process.stderr is not None
        talk = process.stderr.read().decode()
        code = process.wait(timeout=60)
    if code == 0:
        pytest.skip("the run was over before it was stopped")
    assert code == 130
    assert talk.splitlines()[-2:] == ["The same command goes on where this one stopped.", "Interrupted."]
    assert not list(run.glob("attempts/*"))
    assert not list(run.rglob(".*.tmp"))
    assert infer(colours, many, run).manifest.counts == {"ok": 400}


def test_an_image_that_kills_the_process_gets_its_row(
    colours: Path, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for at in range(60):
        (images / f"{at:03d}.jpg").write_bytes((many / f"{at:03d}.jpg").read_bytes())
    infer(colours, images, tmp_path / "whole", **SETTINGS)
    guilty = images / "031.jpg"
    times = guilty.stat()
    guilty.write_bytes(guilty.read_bytes() + b"KILL")
    os.utime(guilty, ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(DIE_ON_DECODE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    run = tmp_path / "run"
    first = subprocess.run(_command(colours, images, run), check=False, stderr=subprocess.PIPE)
    assert first.returncode == -signal.SIGSEGV
    second = subprocess.run(_command(colours, images, run), check=True, stderr=subprocess.PIPE).stderr.decode()
    assert "Shard 1 was begun by a process that died: it runs again in a child process." in second
    assert "031.jpg: the process that read or ran it died (SIGSEGV)." in second
    assert "59 of 60 images were answered; 1 crashed." in second
    parts, whole = written(run), written(tmp_path / "whole")
    assert [name for name in whole if parts[name] != whole[name]] == ["part-00001.parquet"]
    assert _answers(run) == {key: value for key, value in _answers(tmp_path / "whole").items() if key != "031.jpg"}


def _answers(run: Path) -> dict[str, bytes]:
    rows = [row for batch in open_run(run).batches() for row in rows_from_table(batch)]
    return {row.key: row.prediction.scores.tobytes() for row in rows if row.prediction is not None}
