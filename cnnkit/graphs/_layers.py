"""The layer table: one row a node, with output shape, parameters, cost and window."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit.graphs._costs import GLOBAL, attribute, multiply_adds, window
from cnnkit.graphs._files import load
from cnnkit.graphs._fold import fold_shapes
from cnnkit.graphs._modules import module_of
from cnnkit.graphs._outputs import inlined
from cnnkit.graphs._shapes import Shape, concrete_inputs, fix_inputs, infer_shapes, inputs_of

Sides = tuple[int, ...]

# inputs that hold a scale, a zero point or running statistics: stored, but not trained
UNTRAINED = {
    "BatchNormalization": (3, 4),
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "ConvInteger": (2, 3),
    "MatMulInteger": (2, 3),
    "QLinearConv": (1, 2, 4, 5, 6, 7),
    "QLinearMatMul": (1, 2, 4, 5, 6, 7),
}
NO_FIELD = (*GLOBAL, "MatMul", "MatMulInteger", "QLinearMatMul", "Resize", "ConvTranspose")


@dataclass(frozen=True, slots=True)
class Layer:
    """One node. `tensor` is the name of what it makes.

    `receptive_field` is (height, width) in pixels of the model's input, None once it covers all of it; `padding` the
    first sides, then the last ones: (top, left, bottom, right) for images; `module` the part of the torch module that
    the node came from, where the file says so.
    """

    name: str
    op: str
    tensor: str
    output_shape: Shape | None
    parameters: int
    multiply_adds: int | None
    kernel: Sides | None = None
    stride: Sides | None = None
    padding: Sides | None = None
    dilation: Sides | None = None
    module: str | None = None
    receptive_field: Sides | None = None


def layer_table(path: Path, *, size: tuple[int, int] | None = None) -> list[Layer]:
    """The layers of a file in the order in which they run, at batch 1.

    Open sides of the image take `size` (height, width), else that of the spec in the file, else they stay unknown.
    What depends on no input (constants, weights being unpacked) and what computes a shape is no layer; nodes inside
    If, Loop and Scan are not listed.
    """
    return layers_of(load(path), size=size)


def layers_of(model: Any, *, size: tuple[int, int] | None = None) -> list[Layer]:
    model = inlined(model)
    model = fix_inputs(model, concrete_inputs(model, size=size))
    shapes = infer_shapes(model)
    while fold_shapes(model, shapes):
        shapes = infer_shapes(model)
    weights = _Weights(model)
    fields = _receptive_fields(model, shapes)
    return [
        _row(node, f"{node.op_type}_{at}", shapes, weights, fields)
        for at, node in enumerate(model.graph.node)
        if not weights.absorbs(node)
    ]


def _row(
    node: Any, name: str, shapes: Mapping[str, Shape], weights: "_Weights", fields: Mapping[str, "_Field"]
) -> Layer:
    found = window(node, shapes)
    kernel, stride, padding, dilation = (tuple(sides) for sides in found) if found else (None,) * 4
    field = fields.get(node.output[0])
    return Layer(
        name=node.name or name,
        op=node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}",
        tensor=node.output[0],
        output_shape=shapes.get(node.output[0]),
        parameters=weights.taken_by(node),
        multiply_adds=multiply_adds(node, shapes),
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        module=module_of(node),
        receptive_field=field.size if field else None,
    )


class _Weights:
    """Trained numbers by the tensor that holds them; each counts once, at the first layer that uses it."""

    def __init__(self, model: Any) -> None:
        self._left = _stored(model)
        self._constant: dict[str, frozenset[str]] = {name: frozenset([name]) for name in self._left}
        self._constant.update(
            (tensor.name, frozenset()) for tensor in model.graph.initializer if tensor.name not in self._left
        )

    def absorbs(self, node: Any) -> bool:
        """Whether a node depends on no input; its result then stands for the weights that it is made from."""
        if any(name and name not in self._constant for name in node.input):
            return False
        made_from = frozenset().union(*(self._constant[name] for name in _trained_inputs(node)))
        if node.op_type == "Constant":
            made_from = self._constant.get(node.output[0], frozenset())
        self._constant.update(dict.fromkeys(node.output, made_from))
        return True

    def taken_by(self, node: Any) -> int:
        names = {source for name in _trained_inputs(node) for source in self._constant.get(name, ())}
        return sum(self._left.pop(name, 0) for name in names)


def _trained_inputs(node: Any) -> list[str]:
    untrained = UNTRAINED.get(node.op_type, ())
    return [name for at, name in enumerate(node.input) if name and at not in untrained]


def _stored(model: Any) -> dict[str, int]:
    """Elements of each stored tensor; scalars and 64-bit whole numbers (shapes, axes, indices) left out."""
    from onnx import TensorProto

    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        value = attribute(node, "value") if node.op_type == "Constant" else None
        if isinstance(value, TensorProto):
            tensors[node.output[0]] = value
    apart = (TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING)
    return {
        name: math.prod(tensor.dims)
        for name, tensor in tensors.items()
        if tensor.dims and tensor.data_type not in apart
    }


@dataclass(frozen=True, slots=True)
class _Field:
    size: Sides
    jump: Sides


def _receptive_fields(model: Any, shapes: Mapping[str, Shape]) -> dict[str, _Field]:
    """Follow how far each tensor sees: a window adds (kernel - 1) * dilation * jump, a stride multiplies the jump."""
    fields = {value.name: _Field((1, 1), (1, 1)) for value in inputs_of(model)}
    for node in model.graph.node:
        seen = [fields[name] for name in node.input if name in fields]
        field = _through(node, seen, shapes)
        if field is not None:
            fields.update(dict.fromkeys(node.output, field))
    return fields


def _through(node: Any, seen: list[_Field], shapes: Mapping[str, Shape]) -> _Field | None:
    if not seen or node.op_type in NO_FIELD:
        return None
    widest = _Field(_largest(field.size for field in seen), _largest(field.jump for field in seen))
    found = window(node, shapes)
    if found is None:
        return widest
    kernel, stride, _, dilation = found
    if len(kernel) != len(widest.size):
        return None
    grown = zip(widest.size, kernel, dilation, widest.jump, strict=True)
    return _Field(
        tuple(size + (k - 1) * d * jump for size, k, d, jump in grown),
        tuple(jump * s for jump, s in zip(widest.jump, stride, strict=True)),
    )


def _largest(sides: Iterable[Sides]) -> Sides:
    return tuple(max(axis) for axis in zip(*sides, strict=True))
