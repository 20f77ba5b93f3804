"""From a float graph and its ranges to an int8 graph with QuantizeLinear and DequantizeLinear pairs."""

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

MINIMUM_OPSET = 13  # the first in which DequantizeLinear knows an axis, which weights per channel need
TARGET_OPSET = 17
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def prepare(model: Path, folder: Path) -> Path:
    """Write `model` with shapes inferred, batch norm folded and opset 13 or later into `folder`; return the path."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = folder / "prepared.onnx"
    loaded = onnx.load(model)
    opset = next(entry.version for entry in loaded.opset_import if entry.domain in ("", "ai.onnx"))
    if opset < MINIMUM_OPSET:
        loaded = onnx.version_converter.convert_version(loaded, TARGET_OPSET)
    source = folder / "source.onnx"
    onnx.save(loaded, source)
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    return prepared


def weighted_nodes(prepared: Path) -> list[str]:
    """Names of the nodes that have weights, in the order of the graph."""
    import onnx

    graph = onnx.load(prepared).graph
    return [node.name for node in graph.node if node.op_type in WEIGHTED]


def quantized(prepared: Path, ranges: Any, *, keep_float: Collection[str], reduce_range: bool = False) -> bytes:
    """The int8 graph: uint8 activations, int8 weights with a scale a channel; nodes in `keep_float` stay float."""
    import onnx
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.registry import QDQRegistry

    quantizer = QDQQuantizer(
        onnx.load(prepared),
        per_channel=True,
        reduce_range=reduce_range,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=ranges,
        nodes_to_quantize=[],
        nodes_to_exclude=list(keep_float),
        op_types_to_quantize=list(QDQRegistry),
        extra_options={},
    )
    quantizer.quantize_model()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantizer.model.save_model_to_file(str(path))
        return path.read_bytes()
