"""A model that is fed wrongly on purpose: the doctor names the mistake."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.parser
import pytest

from cnnkit import doctor
from cnnkit.errors import DataError
from cnnkit.spec import METADATA_KEY, parse_spec

# the brightest channel is the answer, but only for values in 0..1: outside, the third class wins
BRIGHTEST = """
<ir_version: 8, opset_import: ["" : 13]>
brightest (float[N,3,8,8] image) => (float[N,3] logits)
<float[3] limit = {0.0, 0.0, 1.0}, float two = {2.0}, float big = {100.0}>
{
    pooled = GlobalAveragePool(image)
    flat = Flatten<axis=1>(pooled)
    over = Relu(flat)
    peak = ReduceMax<axes=[1], keepdims=1>(over)
    excess = Sub(peak, two)
    bad = Relu(excess)
    pushed = Mul(bad, limit)
    push = Mul(pushed, big)
    logits = Add(flat, push)
}
"""
CLASSES = ("red", "green", "blue")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for channel, name in enumerate(CLASSES):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for number in range(12):
            picture = random.integers(0, 100, (8, 8, 3), dtype=np.uint8)
            picture[:, :, channel] += 100
            cv2.imwrite(str(folder / f"{number}.png"), picture[:, :, ::-1])
    return tmp_path / "images"


def make_model(path: Path, *, channels: str = "RGB", scale: float = 1 / 255, names: tuple[str, ...] = CLASSES) -> Path:
    facts = {
        "input": {"name": "image", "channels": channels, "size": [8, 8]},
        "preprocess": [
            {"op": "resize", "size": [8, 8], "mode": "exact"},
            {"op": "rescale", "scale": scale},
        ],
        "output": {"name": "logits"},
        "classes": [{"name": name} for name in names],
    }
    model = onnx.parser.parse_model(BRIGHTEST)
    model.metadata_props.add(key=METADATA_KEY, value=parse_spec(json.dumps(facts), source="test").to_json())
    onnx.save(model, path)
    return path


def test_a_right_model_has_no_culprit(tmp_path: Path, images: Path) -> None:
    found = doctor.try_suspects(make_model(tmp_path / "m.onnx"), images)
    assert found.as_is.top1_accuracy == 1
    assert found.culprit is None
    assert "none of the usual mistakes explains it" in found.sentence()


def test_swapped_channels_are_found(tmp_path: Path, images: Path, run_cnnkit: Callable) -> None:
    model = make_model(tmp_path / "m.onnx", channels="BGR")
    result = run_cnnkit("doctor", "--model", model, "--data", images, "--json")
    found = json.loads(result.stdout)
    assert found["as_is"]["top1_accuracy"] == pytest.approx(1 / 3)
    assert found["culprit"]["flags"].startswith("--channel-order RGB")
    assert found["culprit"]["top1_accuracy"] == 1


def test_values_of_another_range_are_found(tmp_path: Path, images: Path, run_cnnkit: Callable) -> None:
    model = make_model(tmp_path / "m.onnx", scale=1.0)
    result = run_cnnkit("doctor", "--model", model, "--data", images)
    assert "with values 0..1 (--scale 0.003921568627 --mean 0 --std 1) it is 1.000" in result.stderr


def test_another_order_of_classes_is_found(tmp_path: Path, images: Path) -> None:
    model = make_model(tmp_path / "m.onnx", names=("blue", "red", "green"))
    found = doctor.try_suspects(model, images)
    assert found.culprit is not None
    assert found.culprit.change == "classes shifted up by one"


def test_flags_that_are_typed_are_tried_with(tmp_path: Path, images: Path) -> None:
    model = make_model(tmp_path / "m.onnx")
    found = doctor.try_suspects(model, images, channel_order="BGR")
    assert found.culprit is not None
    assert found.culprit.flags == "--channel-order RGB"


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "red"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="none of 1 labelled images can be read"):
        doctor.try_suspects(make_model(tmp_path / "m.onnx"), tmp_path / "images")


def test_half_a_question_is_wrong_usage(run_cnnkit: Callable) -> None:
    assert "--model and --data go together" in run_cnnkit("doctor", "--model", "m.onnx", exit_code=2).stderr
