"""Where numbers come from: the speed of a benchmark, and of which model it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnkit.errors import DataError
from cnnkit.evaluation import evaluate

MakeRun = Callable[..., Path]
BENCH = {
    "latency_ms_p50": 1.5,
    "latency_ms_p95": 2.5,
    "images_per_s": 1000.0,
    "images_per_s_of": "model",
    "peak_memory_bytes": 5,
    "noisy": True,
    "candidates": [{"model": "tiny", "sha256": "ab" * 32}],
}


@pytest.fixture
def run(make_run: MakeRun) -> Path:
    return make_run({"cat/1.png": [0.9, 0.1], "dog/1.png": [0.2, 0.8]}, ["cat", "dog"])


def bench_file(tmp_path: Path, facts: Any) -> Path:
    path = tmp_path / "bench.json"
    path.write_text(facts if isinstance(facts, str) else json.dumps(facts))
    return path


def test_speed_of_a_benchmark(run: Path, tmp_path: Path) -> None:
    speed = evaluate(run, tmp_path / "images", bench=bench_file(tmp_path, BENCH)).speed
    assert (speed.latency_ms_p50, speed.images_per_s, speed.peak_memory_bytes) == (1.5, 1000.0, 5)
    assert (speed.rate("model"), speed.rate("run"), speed.noisy) == (1000.0, None, True)


def test_speed_of_another_provider_is_said(run: Path, tmp_path: Path) -> None:
    made = {"provider": "CPUExecutionProvider", "precision": "fp32"}
    for measured, said in ((made, False), ({**made, "precision": "bf16"}, True), ({**made, "provider": "X"}, True)):
        facts = {**BENCH, "candidates": [{**BENCH["candidates"][0], **measured}]}
        warnings = evaluate(run, tmp_path / "images", bench=bench_file(tmp_path, facts)).warnings
        sentence = (
            f"The speed is that of {measured['provider']} in {measured['precision']}, as bench.json has it; the "
            f"predictions were made by CPUExecutionProvider in fp32."
        )
        assert (sentence in warnings) == said


def test_without_a_benchmark_there_is_none(run: Path, tmp_path: Path) -> None:
    assert evaluate(run, tmp_path / "images").speed.latency_ms_p50 is None


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({**BENCH, "candidates": [{"model": "big", "sha256": "cd" * 32}]}, "of big (cdcdcdcdcdcd), what is scored is"),
        ({"images_per_s": 3}, "not what `cnnkit bench --json` prints: it names no model"),
        ({**BENCH, "images_per_s": "fast"}, "its speed cannot be read"),
        ([1], "expected a JSON object, got list"),
        ("{", "cannot be read as JSON"),
    ],
)
def test_benchmark_that_is_none(run: Path, tmp_path: Path, facts: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        evaluate(run, tmp_path / "images", bench=bench_file(tmp_path, facts))
    assert message in str(caught.value)
