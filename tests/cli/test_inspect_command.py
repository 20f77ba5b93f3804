import json
from pathlib import Path
from typing import Any

import pytest


def test_a_file_in_words(run_cnnkit: Any, shared: Path) -> None:
    result = run_cnnkit("inspect", shared / "models" / "mnist_convnet_maxpool.onnx")
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert "Input           input: float32 (1, 1, 28, 28)" in lines
    assert "Parameters      11,690" in lines
    assert "Multiply-adds   104,832 at one image" in lines
    assert "Spec            none: the file does not say how to read an image" in lines
    table = [line.split() for line in lines if "1x32x27x27" in line]
    assert table[0] == ["Conv_0", "Conv", "1x32x27x27", "2x2", "160", "93,312", "2x2"]


def test_a_file_in_json(run_cnnkit: Any, shared: Path) -> None:
    facts = json.loads(run_cnnkit("inspect", shared / "models" / "mobilenet_v2_int8.onnx", "--json").stdout)
    assert facts["multiply_adds"] == 300_774_272
    assert facts["quantizes_dynamically"] is True
    assert facts["spec"] is None
    assert facts["inputs"] == [{"name": "input", "dtype": "float32", "shape": ["batch_size", 3, 224, 224]}]


def test_a_network_by_name(run_cnnkit: Any) -> None:
    facts = json.loads(run_cnnkit("inspect", "resnet18", "--json").stdout)
    assert facts["parameters"] == 11_689_512
    assert facts["layers"][-1]["module"] == "fc"
    result = run_cnnkit("inspect", "digits", "--classes", 10)
    assert "Parameters      17,210" in result.stderr


@pytest.mark.parametrize(
    ("what", "code", "sentence"),
    [("resnet19", 2, "there is no network 'resnet19'"), ("no.onnx", 3, "there is no such model file")],
)
def test_what_cannot_be_inspected(run_cnnkit: Any, what: str, code: int, sentence: str) -> None:
    assert sentence in run_cnnkit("inspect", what, exit_code=code).stderr
