"""Options of `cnnkit quantize` that change the file."""

from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import numpy_helper

from cnnkit import data

SHIPPED = Path(__file__).resolve().parents[2] / "exported" / "digits-fp32.onnx"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "digits"
    data.write_digits(folder)
    return folder


@pytest.mark.parametrize(("flags", "largest"), [([], 127), (["--reduce-range"], 64)])
def test_weights_of_seven_bits(run_cnnkit: Any, digits: Path, tmp_path: Path, flags: list[str], largest: int) -> None:
    out = tmp_path / "int8.onnx"
    how = ("--calib", digits / "train", "--data", digits, "--max-drop", 50, "--samples", 30)
    run_cnnkit("quantize", SHIPPED, *how, *flags, "-o", out)
    tensors = onnx.load(out).graph.initializer
    weights = [numpy_helper.to_array(each) for each in tensors if each.data_type == onnx.TensorProto.INT8]
    assert max(abs(int(value)) for each in weights if each.ndim > 1 for value in (each.min(), each.max())) == largest
