"""`cnnkit inspect` draws."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

TEXT = """<ir_version: 8, opset_import: ["" : 17]>
tiny (float[N,3,8,8] input) => (float[N,3] logits) {
    g = GlobalAveragePool(input)
    logits = Flatten<axis=1>(g)
}"""


def picture(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        opened.load()
        return opened.copy()


@pytest.fixture
def red(write_colour: Callable[..., Path], tmp_path: Path) -> Path:
    return write_colour(tmp_path / "red.png", "red")


def test_where_a_decision_comes_from(run_cnnkit: Any, colours: Path, red: Path, tmp_path: Path) -> None:
    out = tmp_path / "why.png"
    result = run_cnnkit("inspect", colours, "--explain", red, "-o", out)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0] == "red: 100.0 %, by class activation"
    assert lines[1].startswith("red.png. What each of 8x8 places of the last map says for the class; the mean over")
    assert lines[-1] == f"Wrote {out}"
    assert picture(out).size[0] > 440


def test_where_another_class_would_come_from_as_json(run_cnnkit: Any, colours: Path, red: Path, tmp_path: Path) -> None:
    out = tmp_path / "why.png"
    result = run_cnnkit("inspect", colours, "--explain", red, "--class", "blue", "-o", out, "--json")
    facts = json.loads(result.stdout)
    assert facts["picture"] == str(out)
    assert (facts["class"], facts["method"]) == ("blue", "class activation")
    assert facts["p"] < 0.01
    assert facts["heat"] == {"size": [8, 8], "low": 0.0, "high": 0.0}
    assert result.stderr == ""


def test_an_unknown_class(run_cnnkit: Any, colours: Path, red: Path, tmp_path: Path) -> None:
    result = run_cnnkit(
        "inspect", colours, "--explain", red, "--class", "bleu", "-o", tmp_path / "why.png", exit_code=3
    )
    assert "no class of the model answers to 'bleu'; its 3 classes are red, green, blue." in result.stderr


def test_feature_maps_of_a_file_that_says_nothing_about_itself(
    run_cnnkit: Any, write_model: Callable[..., Path], red: Path, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "tiny.onnx", TEXT, None)
    out = tmp_path / "maps.png"
    told = run_cnnkit("inspect", model, "--features", red, "-o", out, exit_code=3).stderr
    assert "holds no cnnkit spec" in told
    told = run_cnnkit("inspect", model, "--features", red, "--preset", "raw", "-o", out, exit_code=2).stderr
    assert "it has no convolution. Name a layer: --layer NAME. Its layers are GlobalAveragePool_0, Flatten_1." in told
    assert not out.exists()
    result = run_cnnkit(
        "inspect", model, "--features", red, "--preset", "raw", "--layer", "GlobalAveragePool_0", "-o", out
    )
    assert "GlobalAveragePool_0 (GlobalAveragePool): 3 maps of 1x1" in result.stderr
    assert "Of red.png, as the network takes it: 8x8 (height x width)." in result.stderr
    assert picture(out).mode == "RGB", "the picture as the network takes it stands beside the words"


def test_kernels(run_cnnkit: Any, shared: Path, tmp_path: Path) -> None:
    out = tmp_path / "kernels.png"
    model = shared / "models" / "mnist_convnet_maxpool.onnx"
    result = run_cnnkit("inspect", model, "--filters", out)
    assert "Conv_0: 32 kernels of 2x2, 1 channel" in result.stderr
    assert picture(out).mode == "L"
    facts = json.loads(run_cnnkit("inspect", model, "--filters", out, "--overwrite", "--json").stdout)
    assert (facts["kernels"], facts["channels"], facts["size"]) == (32, 1, [2, 2])


def test_the_order_of_channels_from_a_preset(run_cnnkit: Any, shared: Path, tmp_path: Path) -> None:
    model = shared / "models" / "squeezenet_fp16.onnx"
    first = run_cnnkit("inspect", model, "--filters", tmp_path / "a.png", "--preset", "imagenet-caffe")
    assert "(the file takes BGR)" in first.stderr
    second = run_cnnkit("inspect", model, "--filters", tmp_path / "b.png", "--channel-order", "BGR")
    assert "(the file takes BGR)" in second.stderr
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--explain", "IMAGE"], "--explain needs to know where the picture goes: -o out.png."),
        (
            ["--explain", "IMAGE", "--features", "IMAGE", "-o", "x.png"],
            "--features and --explain draw one picture each",
        ),
        (["--explain", "IMAGE", "-o", "x.jpg"], "x.jpg: pictures are written as PNG"),
        (["--explain", "IMAGE", "-o", "IMAGE"], "red.png: is there already. Give --overwrite to replace it"),
        (["--explain", "IMAGE", "--layer", "g", "-o", "x.png"], "--layer goes with --features IMAGE."),
        (["--class", "red"], "--class goes with --explain IMAGE."),
        (["-o", "x.png"], "-o names the picture: --features IMAGE or --explain IMAGE says of what."),
        (["--filters", "y.png", "-o", "x.png"], "--filters names the picture itself: leave out -o."),
    ],
)
def test_what_does_not_go_together(
    run_cnnkit: Any, colours: Path, red: Path, arguments: list[str], sentence: str
) -> None:
    given = [str(red) if each == "IMAGE" else each for each in arguments]
    before = red.read_bytes()
    assert sentence in run_cnnkit("inspect", colours, *given, exit_code=2).stderr
    assert red.read_bytes() == before


@pytest.mark.parametrize("model", ["resnet18", "model.pt"])
def test_pictures_are_drawn_from_onnx_files(run_cnnkit: Any, model: str, tmp_path: Path) -> None:
    told = run_cnnkit("inspect", model, "--filters", tmp_path / "x.png", exit_code=2).stderr
    assert f"{model}: pictures are drawn from .onnx files. `cnnkit export {model} -o model.onnx` makes one." in told


def test_a_detector_has_no_decision_to_explain(run_cnnkit: Any, shared: Path, red: Path, tmp_path: Path) -> None:
    labels = shared / "models" / "coco_names.txt"
    how = ["--preset", "yolox", "--decoder", "yolox", "--labels", labels, "-o", tmp_path / "x.png"]
    told = run_cnnkit("inspect", shared / "models" / "yolox_nano.onnx", "--explain", red, *how, exit_code=2).stderr
    assert "is a detector; where a decision comes from is shown for classifiers." in told
