"""Exports that went wrong silently elsewhere, each made on purpose: the file is refused and none is left."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from cnnkit import exporting
from cnnkit.errors import CheckFailed
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Rescale, Resize
from cnnkit.verification import Source

SPEC = ModelSpec(
    input=ModelInput(size=(8, 8)),
    preprocess=(Resize(size=(8, 8), mode="exact"), Rescale(scale=1 / 255)),
    output=ClassificationOutput(),
    classes=tuple(ClassName(name=name) for name in "abc"),
)
Edit = Callable[[onnx.ModelProto], None]


def source() -> Source:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    return Source(module.eval(), "net", "net.pt", spec=SPEC)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the TorchScript exporter writes of the source."""
    path = tmp_path_factory.mktemp("right") / "net.onnx"
    module = source().module.eval()
    names: dict[str, Any] = {"input_names": ["input"], "output_names": ["logits"]}
    axes = {"input": {0: "batch"}, "logits": {0: "batch"}}
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            module, torch.rand(2, 3, 8, 8), path, dynamo=False, opset_version=18, dynamic_axes=axes, **names
        )
    return path.read_bytes()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch, written: bytes) -> Callable[[Edit], None]:
    """Make both of torch's exporters write a file that was spoilt."""

    def spoil_with(edit: Edit) -> None:
        def spoiled(_module: nn.Module, _args: Any, path: Path, **_options: Any) -> None:
            model = onnx.load_model_from_string(written)
            edit(model)
            onnx.save(model, path)

        monkeypatch.setattr(torch.onnx, "export", spoiled)

    return spoil_with


def _weight(model: onnx.ModelProto, name: str) -> onnx.TensorProto:
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def _wrong_numbers(model: onnx.ModelProto) -> None:
    bias = _weight(model, "4.bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.float32([9, 0, 0]), bias.name))


def _slightly_wrong_numbers(model: onnx.ModelProto) -> None:
    bias = _weight(model, "4.bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.float32(1e-3), bias.name))


def _not_a_number(model: onnx.ModelProto) -> None:
    bias = _weight(model, "4.bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(np.full(3, np.nan, np.float32), bias.name))


def _fixed_batch(model: onnx.ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].Clear()
        value.type.tensor_type.shape.dim[0].dim_value = 2


def _batch_fixed_inside(model: onnx.ModelProto) -> None:
    """The axes say that the batch is open, and a Reshape in the graph says 2."""
    model.graph.output[0].name = "logits"
    last = model.graph.node[-1]
    last.output[0] = "inner"
    shape = onnx.numpy_helper.from_array(np.array([2, 3], np.int64), "two")
    model.graph.initializer.append(shape)
    model.graph.node.append(onnx.helper.make_node("Reshape", ["inner", "two"], ["logits"]))
    del model.graph.value_info[:]


def _bias_of_another_shape(model: onnx.ModelProto) -> None:
    bias = _weight(model, "4.bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias)[None], bias.name))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (_wrong_numbers, r'Output "logits" differs by up to 9, 0\.000\d+ is allowed'),
        (_slightly_wrong_numbers, r'Output "logits" differs by up to 0\.001, 0\.000\d+ is allowed'),
        (_not_a_number, r'Output "logits" holds values that are not finite numbers'),
        (_fixed_batch, r'The input "input" has its batch fixed at 2, and it was to stay open\.'),
        (_batch_fixed_inside, r"the file does not run|has shape \(|is not valid ONNX"),
        (_bias_of_another_shape, r'The weight "4\.bias" has shape \(1, 3\) in the file and \(3,\) in the module\.'),
    ],
)
def test_a_wrong_file_is_refused(faulty: Callable[[Edit], None], tmp_path: Path, edit: Edit, sentence: str) -> None:
    faulty(edit)
    with pytest.raises(CheckFailed, match=sentence) as caught:
        exporting.export_source(source(), tmp_path / "net.onnx")
    assert "no exporter made a right file, and none was written" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_second_file_of_weights_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: bytes) -> None:
    def in_two_files(_module: nn.Module, _args: Any, path: Path, **_options: Any) -> None:
        model = onnx.load_model_from_string(written)
        onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=0)

    monkeypatch.setattr(torch.onnx, "export", in_two_files)
    with pytest.raises(CheckFailed, match=r"It wrote its weights into a second file, net\.onnx\.data"):
        exporting.export_source(source(), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("torchscript_only")
def test_the_other_exporter_helps_and_the_spec_says_why(tmp_path: Path) -> None:
    said: list[str] = []
    done = exporting.export_source(source(), tmp_path / "net.onnx", say=said.append)
    assert done.exporter == done.spec.provenance["exporter"] == "torchscript"
    assert done.spec.provenance["refused"] == {"dynamo": "RuntimeError: Failed to decompose the FX graph"}
    assert said == ["The dynamo exporter's file is refused: RuntimeError: Failed to decompose the FX graph"]
