"""Faults put into files on purpose, and found again."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from cnnkit import graphs
from cnnkit.spec import METADATA_KEY, ClassificationOutput, ClassName, ModelInput, ModelSpec, Rescale, Resize
from cnnkit.verification import verify
from cnnkit.verification._locate import locate
from cnnkit.verification._witness import call_witness

SPEC = ModelSpec(
    input=ModelInput(size=(8, 8)),
    preprocess=(Resize(size=(8, 8), mode="exact"), Rescale(scale=1 / 255)),
    output=ClassificationOutput(),
    classes=tuple(ClassName(name=name) for name in "abc"),
)


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pool(self.conv(x).relu())


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(Block(3), Block(4), nn.Flatten(), nn.Linear(16, 3)).eval()


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    names: dict[str, Any] = {"input_names": ["input"], "output_names": ["logits"]}
    axes = {"input": {0: "batch"}, "logits": {0: "batch"}}
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            net(), torch.rand(2, 3, 8, 8), path, dynamo=False, opset_version=18, dynamic_axes=axes, **names
        )
    model = onnx.load(path)
    graphs.set_metadata(model, {METADATA_KEY: SPEC.to_json()})
    return model.SerializeToString()


def spoiled(right: bytes, weight: str) -> onnx.ModelProto:
    model = onnx.load_model_from_string(right)
    tensor = next(each for each in model.graph.initializer if each.name == weight)
    tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) + np.float32(0.5), weight))
    return model


FEEDS = {"input": np.random.default_rng(0).random((2, 3, 8, 8), dtype=np.float32)}


@pytest.mark.parametrize(
    ("weight", "module", "after"), [("0.conv.bias", "0.conv", None), ("1.conv.bias", "1.conv", "0")]
)
def test_the_first_module_at_fault(right: bytes, weight: str, module: str, after: str | None) -> None:
    found = locate(spoiled(right, weight), net(), FEEDS, precision="fp32")
    assert found.module is not None
    assert (found.module.name, found.module.operator) == (f"{module} (Conv2d)", "Conv")
    assert found.module.after == after
    assert found.module.max_abs == pytest.approx(0.5, abs=1e-5)
    assert found.node is None  # the runtime is not at fault
    assert found.sentences[0].startswith(f"The first module that departs from torch: {module} (Conv2d), operator Conv")


def test_a_right_file_has_no_fault(right: bytes) -> None:
    found = locate(onnx.load_model_from_string(right), net(), FEEDS, precision="fp32")
    assert (found.module, found.node, found.n_modules) == (None, None, 8)
    assert found.sentences == [
        "All 8 modules that have a counterpart in the file agree with torch.",
        "Node by node the runtime computes what onnx.reference does.",
    ]


def test_a_node_that_the_runtime_computes_otherwise(right: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The evaluator of onnx is made wrong instead of the runtime: which of the two is right is not known here."""
    from onnx.reference.ops import op_relu

    monkeypatch.setattr(op_relu.Relu, "_run", lambda self, x: (np.abs(x),))
    found = locate(onnx.load_model_from_string(right), net(), FEEDS, precision="fp32")
    assert found.module is None
    assert found.node is not None
    assert found.node.operator == "Relu"
    assert "otherwise than onnx.reference" in found.sentences[1]


def test_verify_tells_where(right: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(spoiled(right, "1.conv.bias").SerializeToString())
    found = verify(path, net(), find_fault=True)
    assert not found
    assert found.location is not None
    assert found.location.module is not None
    assert found.location.module.name == "1.conv (Conv2d)"
    assert verify(path, net()).location is None


@pytest.mark.parametrize(("name", "used"), [("numpy", "cnnkit.reference"), ("onnx", "onnx.reference")])
def test_a_third_witness(right: bytes, tmp_path: Path, name: Any, used: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(right)
    found = verify(path, net(), witness=name)
    assert found
    assert found.witness is not None
    assert (found.witness.name, found.witness.why, found.witness.n_images) == (used, None, 4)
    assert found.witness.outputs[0].max_abs is not None
    assert found.witness.outputs[0].max_abs < 1e-5


def test_a_witness_speaks_against_the_file(right: bytes) -> None:
    model = onnx.load_model_from_string(right)
    found = call_witness(model, "numpy", FEEDS, {"logits": np.zeros((2, 3), np.float32)}, precision="fp32")
    assert 'The witness cnnkit.reference gives another output "logits": it differs by up to' in found.problems[0]


def test_what_our_layers_do_not_know_is_left_to_onnx() -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 17]>
        m (float[N,3] x) => (float[N,3] y) { y = Erf(x) }""")
    x = {"x": np.zeros((2, 3), np.float32)}
    found = call_witness(model, "numpy", x, {"y": np.zeros((2, 3), np.float32)}, precision="fp32")
    assert (found.name, found.why) == ("onnx.reference", "cnnkit's layers do not know Erf")
    assert found.problems == ()
