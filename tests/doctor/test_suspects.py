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


def make_model(
    path: Path,
    *,
    channels: str = "RGB",
    scale: float = 1 / 255,
    names: tuple[str, ...] = CLASSES,
    graph: str = BRIGHTEST,
) -> Path:
    facts = {
        "input": {"name": "image", "channels": channels, "size": [8, 8]},
        "preprocess": [
            {"op": "resize", "size": [8, 8], "mode": "exact"},
            {"op": "rescale", "scale": scale},
        ],
        "output": {"name": "logits"},
        "classes": [{"name": name} for name in names],
    }
    model = onnx.parser.parse_model(graph)
    model.metadata_props.add(key=METADATA_KEY, value=parse_spec(json.dumps(facts), source="test").to_json())
    onnx.save(model, path)
    return path


def test_a_right_model_has_no_culprit(tmp_path: Path, images: Path) -> None:
    found = doctor.try_suspects(make_model(tmp_path / "m.onnx"), images)
    assert found.as_is.top1_accuracy == 1
    assert found.culprit is None
    assert "none of the usual mistakes explains it" in found.sentence()
    few = doctor.try_suspects(tmp_path / "m.onnx", images, limit=12).sentence()
    assert f"(95 % interval 0.758 to 1.000) on 12 of 36 labelled images in {images};" in few


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
    assert found.culprit.flags == "--labels FILE in that order"


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


# right only for values whose mean over a picture lies below the bound
CENTRED = """
<ir_version: 8, opset_import: ["" : 13]>
centred (float[N,3,8,8] image) => (float[N,3] logits)
<float[3] limit = {0.0, 0.0, 1.0}, float bound = {-0.45}, float big = {1000.0}>
{
    pooled = GlobalAveragePool(image)
    flat = Flatten<axis=1>(pooled)
    mean = ReduceMean<axes=[1], keepdims=1>(flat)
    excess = Sub(mean, bound)
    bad = Relu(excess)
    pushed = Mul(bad, limit)
    push = Mul(pushed, big)
    logits = Add(flat, push)
}
"""


def test_another_mean_and_deviation_are_found(tmp_path: Path, images: Path) -> None:
    model = make_model(tmp_path / "m.onnx", graph=CENTRED)
    found = doctor.try_suspects(model, images)
    assert found.as_is.top1_accuracy == pytest.approx(1 / 3)
    assert found.culprit is not None
    assert found.culprit.change == "ImageNet's mean and std (the values of --preset imagenet)"
    assert found.culprit.flags == "--scale 0.003921568627 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"


def test_another_way_to_the_size_is_found(tmp_path: Path) -> None:
    """The class is the colour of the middle; of every third picture the sides, which squeezing keeps, have another."""
    random = np.random.default_rng(0)
    for channel, name in enumerate(CLASSES):
        folder = tmp_path / "wide" / name
        folder.mkdir(parents=True)
        for number in range(12):
            picture = random.integers(0, 50, (8, 24, 3), dtype=np.uint8)
            picture[:, 8:16, channel] += 60
            misleading = (channel + 1 + number % 2) % 3 if number < 4 else channel
            picture[:, :8, misleading] += 200
            picture[:, 16:, misleading] += 200
            cv2.imwrite(str(folder / f"{number}.png"), picture[:, :, ::-1])
    found = doctor.try_suspects(make_model(tmp_path / "m.onnx"), tmp_path / "wide")
    assert found.as_is.top1_accuracy == pytest.approx(2 / 3)
    assert found.culprit is not None
    assert (found.culprit.change, found.culprit.flags) == ("short side and centre crop", "--resize shortest")
    assert found.culprit.top1_accuracy == 1


@pytest.mark.parametrize(
    ("trained", "written", "change"),
    [
        (("1", "10", "2"), ("1", "2", "10"), "classes sorted as text"),
        (("1", "2", "10"), ("1", "10", "2"), "classes sorted by number"),
    ],
)
def test_classes_sorted_another_way_are_found(
    tmp_path: Path, images: Path, trained: tuple[str, ...], written: tuple[str, ...], change: str
) -> None:
    """Folders sorted as text while training, and by number for the list of names, or the other way round."""
    for colour, name in zip(CLASSES, trained, strict=True):
        (images / colour).rename(images / name)
    found = doctor.try_suspects(make_model(tmp_path / "m.onnx", names=written), images)
    assert found.as_is.top1_accuracy == pytest.approx(1 / 3)
    assert found.culprit is not None
    assert found.culprit.change == change
    assert found.culprit.top1_accuracy == 1
