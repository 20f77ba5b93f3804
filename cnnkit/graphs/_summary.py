"""What a file is made of, in numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit.graphs._beside import size_of
from cnnkit.graphs._files import load, metadata_of, opset_of
from cnnkit.graphs._layers import Layer, layers_of
from cnnkit.graphs._shapes import inputs_of, shape_of


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """An input or an output as the file declares it: an axis is a number, a name, or None when nothing is said."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True, slots=True)
class GraphSummary:
    """`parameters` counts trained numbers once each; `multiply_adds` is at batch 1, None if a shape is unknown."""

    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    opset: int
    ir_version: int
    producer: str
    parameters: int
    multiply_adds: int | None
    size_bytes: int
    layers: tuple[Layer, ...]
    metadata: dict[str, str]


def summarize(path: Path, *, size: tuple[int, int] | None = None) -> GraphSummary:
    """Read a file once: inputs, outputs, opset, layers, cost at batch 1 (see `layer_table` for `size`)."""
    model = load(path, beside=False)
    layers = layers_of(model, size=size)
    counted = [layer.multiply_adds for layer in layers if layer.multiply_adds is not None]
    return GraphSummary(
        inputs=tuple(_facts(value) for value in inputs_of(model)),
        outputs=tuple(_facts(value) for value in model.graph.output),
        opset=opset_of(model),
        ir_version=model.ir_version,
        producer=" ".join(part for part in (model.producer_name, model.producer_version) if part),
        parameters=sum(layer.parameters for layer in layers),
        multiply_adds=sum(counted) if len(counted) == len(layers) else None,
        size_bytes=size_of(path),
        layers=tuple(layers),
        metadata=metadata_of(model),
    )


def _facts(value: Any) -> TensorFacts:
    import onnx

    element = value.type.tensor_type.elem_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(element).name if element else "unknown"
    return TensorFacts(value.name, dtype, shape_of(value))
