"""How a run is paced: batches, workers, devices, large pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnkit.errors import DataError, UsageError
from cnnkit.inference import infer
from cnnkit.inference._pace import Pace
from cnnkit.pipeline import RowOptions
from cnnkit.records import Row
from cnnkit.runtime import Cores

WriteModel = Callable[..., Path]
WriteColour = Callable[..., Path]
Written = Callable[[Path], dict[str, bytes]]
RowsOf = Callable[[Path], list[Row]]
StopAfter = Callable[[int], Callable[[int, int], None]]


class TestPace:
    def test_latency_runs_one_image_at_a_time_with_all_cores(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cnnkit.inference._pace.available_cores", lambda: Cores(3, "as if"))
        done = infer(colours, photos, tmp_path / "run", hint="latency", limit=5)
        assert done.manifest.plan.batch_size == 1
        assert done.record is not None
        assert (done.record.attempts[0].workers, done.record.attempts[0].threads) == (1, 3)

    def test_what_is_typed_holds_before_the_hint(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        done = infer(colours, photos, tmp_path / "run", hint="latency", batch_size=4, workers=2, threads=1)
        assert done.manifest.plan.batch_size == 4
        assert done.record is not None
        assert (done.record.attempts[0].workers, done.record.attempts[0].threads) == (2, 1)

    @pytest.mark.parametrize("settings", [{"workers": 2}, {"threads": 2}, {"hint": "latency"}])
    def test_tune_chooses_for_itself(
        self, colours: Path, photos: Path, tmp_path: Path, settings: dict[str, Any]
    ) -> None:
        with pytest.raises(UsageError, match="--tune chooses workers and threads itself"):
            infer(colours, photos, tmp_path / "run", tune=True, **settings)

    def test_tuned_once_and_planned(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Written
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr("cnnkit.inference._tuning.SECONDS", 0.02)
        said: list[str] = []
        first = infer(colours, photos, tmp_path / "one", tune=True, say=said.append)
        second = infer(colours, photos, tmp_path / "two", tune=True, say=said.append)
        assert first.manifest.plan.batch_size == second.manifest.plan.batch_size
        assert any(text.startswith("Tuned: -j ") for text in said)
        assert any(text.startswith("Tuned before: -j ") for text in said)
        assert written(tmp_path / "one") == written(tmp_path / "two")

    def test_it_is_measured_as_it_will_be_decoded(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: StopAfter
    ) -> None:
        measured: list[bool] = []

        def spy(*args: Any, options: RowOptions, **how: Any) -> Pace:
            measured.append(options.fast_decode)
            return Pace(1, 1, 2)

        monkeypatch.setattr("cnnkit.inference._job.tuned", spy)
        infer(colours, photos, tmp_path / "exact", tune=True)
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "fast", tune=True, fast_decode=True, progress=stop_after(2))
        infer(colours, photos, tmp_path / "fast", tune=True)
        assert measured == [False, True, True], "going on, a run decodes as its plan says"

    def test_a_resumed_run_keeps_its_batches(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: StopAfter
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr("cnnkit.inference._tuning.SECONDS", 0.02)
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "run", batch_size=3, progress=stop_after(6))
        said: list[str] = []
        assert infer(colours, photos, tmp_path / "run", tune=True, say=said.append).manifest.plan.batch_size == 3
        assert all("-b 3" in text for text in said if "-j" in text)


class TestDynamicallyQuantised:
    """One activation scale for a whole batch: an answer depends on its neighbours, which is said."""

    TEXT = """<ir_version: 8, opset_import: ["" : 17]>
    dynamic (float[N,3,8,8] input) => (float[N,3] logits) {
        q, scale, zero = DynamicQuantizeLinear(input)
        back = DequantizeLinear(q, scale, zero)
        pooled = GlobalAveragePool(back)
        logits = Flatten<axis=1>(pooled)
    }"""

    def test_it_runs_one_at_a_time_unless_typed(self, write_model: WriteModel, photos: Path, tmp_path: Path) -> None:
        model = write_model(tmp_path / "dynamic.onnx", self.TEXT)
        said: list[str] = []
        alone = infer(model, photos, tmp_path / "alone", say=said.append).manifest
        note = (
            "Batches of 1: the model quantises dynamically, so an answer would depend on the other images of its batch."
        )
        assert (alone.plan.batch_size, alone.notes, note in said) == (1, (note,), True)
        typed = infer(model, photos, tmp_path / "typed", batch_size=8, say=said.append).manifest
        warning = "The model quantises dynamically: an answer depends on the other images of its batch of 8."
        assert (typed.plan.batch_size, typed.notes, warning in said) == (8, (warning,), True)


class TestDevices:
    def test_openvino_is_resumed_on_openvino(
        self, colours: Path, photos: Path, tmp_path: Path, written: Written, stop_after: StopAfter
    ) -> None:
        pytest.importorskip("onnxruntime_ep_openvino")
        settings: dict[str, Any] = {"shard_size": 9, "batch_size": 2}
        infer(colours, photos, tmp_path / "whole", device="openvino", workers=1, **settings)
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "run", device="openvino", progress=stop_after(20), **settings)
        plan = infer(colours, photos, tmp_path / "run", workers=3).manifest.plan
        assert (plan.provider.name, plan.precision) == ("OpenVINOExecutionProvider", "fp32")
        assert plan.provider.options == {"INFERENCE_PRECISION_HINT": "f32"}
        assert written(tmp_path / "run") == written(tmp_path / "whole")

    def test_a_precision_that_the_device_does_not_have_is_said(
        self, colours: Path, photos: Path, tmp_path: Path
    ) -> None:
        said: list[str] = []
        plan = infer(colours, photos, tmp_path / "run", device="cpu", precision="bf16", say=said.append).manifest.plan
        assert plan.precision == "fp32"
        assert "The CPU provider computes in fp32; it makes no use of --precision bf16." in said


def test_fast_decoding_is_planned_and_changes_large_pictures_only(
    write_model: WriteModel, tmp_path: Path, shared: Path, rows_of: RowsOf
) -> None:
    model, images = _wide(write_model, tmp_path), shared / "imagenet200" / "n01440764"
    exact = infer(model, images, tmp_path / "exact").manifest.plan
    fast = infer(model, images, tmp_path / "fast", fast_decode=True).manifest.plan
    assert (exact.fast_decode, fast.fast_decode) == (False, True)
    assert infer(model, images, tmp_path / "fast").ran is False  # taken from the plan
    with pytest.raises(DataError, match="fast decoding: True in the plan, False now"):
        infer(model, images, tmp_path / "fast", fast_decode=False)
    one, other = (rows_of(tmp_path / name)[0] for name in ("exact", "fast"))
    assert (one.width, one.height, one.digest) == (other.width, other.height, other.digest)
    assert one.prediction is not None
    assert other.prediction is not None
    assert 0 < np.abs(one.prediction.scores - other.prediction.scores).max() < 0.01


def _wide(write_model: WriteModel, tmp_path: Path) -> Path:
    """Two hundred and fifty-six classes: parts larger than the plan."""
    text = """<ir_version: 8, opset_import: ["" : 17]>
    wide (float[N,3,16,16] input) => (float[N,256] logits) <int64[2] shape = {-1, 256}> {
        pooled = ReduceMean<axes=[1], keepdims=0>(input)
        logits = Reshape(pooled, shape)
    }"""
    spec = {
        "input": {"size": [16, 16]},
        "preprocess": [{"op": "resize", "size": [16, 16], "mode": "exact"}],
        "output": {"name": "logits"},
        "classes": [{"name": f"{at}"} for at in range(256)],
    }
    return write_model(tmp_path / "wide.onnx", text, spec)
