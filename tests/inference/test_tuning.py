"""--tune on measurements that the test makes up."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cnnkit.inference import _tuning
from cnnkit.inference._pace import Pace, choose_pace
from cnnkit.pipeline import RowOptions
from cnnkit.runtime import Cores, Provider

Speed = Callable[[Pace], float]


class FakeModel:
    """Says what the tuner asks a model for."""

    def __init__(
        self, *, sha256: str = "a", spec: str = "s", own: tuple[int, str] | None = None, gpu: bool = False
    ) -> None:
        self.sha256 = sha256
        self.spec = SimpleNamespace(spec_hash=spec)
        self.own = own
        self.session = SimpleNamespace(provider=Provider("CPUExecutionProvider"), wants_full_batches=gpu)

    def batch_size(self, asked: int | None = None) -> tuple[int, str | None]:
        return self.own or (asked or 32, None)


@pytest.fixture
def tune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def run(speed: Speed, *, cores: int = 4, batch_size: int | None = None, fast: bool = False, **facts: Any) -> Any:
        tried: list[str] = []

        def measure(model: Any, images: Any, pace: Pace, *rest: Any) -> float:
            tried.append(str(pace))
            return speed(pace)

        monkeypatch.setattr(_tuning, "_images_per_s", measure)
        said: list[str] = []
        pace = _tuning.tuned(
            lambda tried: FakeModel(**facts),  # type: ignore[arg-type,return-value]
            [],
            cores=cores,
            batch_size=batch_size,
            options=RowOptions(fast_decode=fast),
            say=said.append,
            memory=tmp_path / "tuned.json",
        )
        return pace, tried, said

    return run


def test_the_fastest_is_taken(tune: Callable[..., Any]) -> None:
    speeds = {1: 100.0, 4: 140.0, 8: 180.0, 16: 170.0, 32: 160.0}
    pace, tried, said = tune(lambda pace: speeds[pace.batch_size] / pace.threads)
    assert pace == Pace(4, 1, 8)
    assert tried == [
        *(f"-j 4 --threads 1 -b {size}" for size in speeds),
        *("-j 2 --threads 2 -b 8", "-j 1 --threads 4 -b 8"),  # the best batch size with fewer workers
    ]
    assert said[-1] == "Tuned: -j 4 --threads 1 -b 8."


def test_threads_win_where_they_are_faster(tune: Callable[..., Any]) -> None:
    pace, _, _ = tune(lambda pace: 100.0 * pace.threads)
    assert pace == Pace(1, 4, 1)


def test_noise_is_no_gain(tune: Callable[..., Any]) -> None:
    pace, _, _ = tune(lambda pace: 100.0 + pace.batch_size / 32)
    assert pace.batch_size == 1


def test_it_is_remembered_for_this_model_only(tune: Callable[..., Any], tmp_path: Path) -> None:
    first, _, _ = tune(lambda pace: float(pace.batch_size))
    again, tried, said = tune(lambda pace: 1.0)
    assert (again, tried) == (first, [])
    assert said == [f"Tuned before: {first} ({tmp_path}/tuned.json; delete it to measure again)."]
    _, tried, _ = tune(lambda pace: 1.0, sha256="b")
    assert tried
    assert len(json.loads((tmp_path / "tuned.json").read_text())) == 2


def test_another_way_of_reading_images_is_measured_anew(tune: Callable[..., Any]) -> None:
    tune(lambda pace: 1.0)
    assert tune(lambda pace: 1.0)[1] == []
    assert tune(lambda pace: 1.0, fast=True)[1], "decoding fast, fewer workers may do"
    assert tune(lambda pace: 1.0, spec="t")[1], "so may a smaller picture"


def test_a_damaged_memory_is_written_anew(tune: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "tuned.json").write_text("{")
    tune(lambda pace: 1.0)
    assert len(json.loads((tmp_path / "tuned.json").read_text())) == 1


@pytest.mark.parametrize(
    ("facts", "sizes"),
    [
        ({"batch_size": 5}, {5}),
        ({"own": (1, "it quantises dynamically")}, {1}),
        ({"gpu": True}, {1, 4, 8, 16, 32, 64, 128}),
    ],
)
def test_which_batch_sizes_are_tried(tune: Callable[..., Any], facts: dict[str, Any], sizes: set[int]) -> None:
    _, tried, _ = tune(lambda pace: 1.0, **facts)
    assert {int(text.rpartition(" ")[2]) for text in tried} == sizes


def test_one_core_leaves_only_the_batch_size_to_try(tune: Callable[..., Any]) -> None:
    _, tried, _ = tune(lambda pace: 1.0, cores=1)
    assert all(text.startswith("-j 1 --threads 1") for text in tried)


@pytest.mark.parametrize(
    ("hint", "typed", "pace"),
    [
        ("throughput", {}, Pace(6, 1)),
        ("throughput", {"workers": 2, "threads": 3}, Pace(2, 3)),
        ("latency", {}, Pace(1, 6, 1)),
        ("latency", {"threads": 2}, Pace(1, 2, 1)),
    ],
)
def test_choosing_a_pace(hint: Any, typed: dict[str, int], pace: Pace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnkit.inference._pace.available_cores", lambda: Cores(6, "as if"))
    assert choose_pace(hint, workers=typed.get("workers"), threads=typed.get("threads")) == pace
