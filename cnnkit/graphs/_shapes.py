"""Shapes of every tensor of a graph, at one size of the input."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.graphs._files import metadata_of
from cnnkit.spec import METADATA_KEY, parse_spec

Shape = tuple[int | None, ...]


def inputs_of(model: Any) -> list[Any]:
    """The inputs that a caller feeds: those that no initializer fills."""
    filled = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in filled]


def shape_of(value: Any) -> tuple[int | str | None, ...] | None:
    """A value's declared shape: a number, a name, or None for each axis; None when nothing is declared."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(_axis(dim) for dim in tensor.shape.dim)


def _axis(dim: Any) -> int | str | None:
    if dim.HasField("dim_value"):
        return int(dim.dim_value)
    return str(dim.dim_param) or None


def concrete_inputs(model: Any, *, size: tuple[int, int] | None = None) -> dict[str, Shape]:
    """Input shapes at batch 1: open axes of the image take `size` (height, width), else the spec's in the file."""
    size, channels_last = _spatial(model, size)
    shapes: dict[str, Shape] = {}
    for value in inputs_of(model):
        declared = shape_of(value)
        if declared is not None:
            shapes[value.name] = tuple(
                axis if isinstance(axis, int) and axis > 0 else _fill(at, len(declared), size, channels_last)
                for at, axis in enumerate(declared)
            )
    return shapes


def _spatial(model: Any, size: tuple[int, int] | None) -> tuple[tuple[int, int] | None, bool]:
    text = metadata_of(model).get(METADATA_KEY)
    if text is None:
        return size, False
    try:
        spec = parse_spec(text, source="the model")
    except ModelError:
        return size, False
    return size or spec.input.size, spec.input.layout == "NHWC"


def _fill(at: int, n_axes: int, size: tuple[int, int] | None, channels_last: bool) -> int | None:
    if at == 0:
        return 1
    first = 1 if channels_last else 2
    if n_axes == 4 and size is not None and at in (first, first + 1):
        return size[at - first]
    return None


def fix_inputs(model: Any, inputs: Mapping[str, Shape]) -> Any:
    """A copy whose inputs have these shapes, and nothing declared that could contradict them."""
    import onnx

    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    del fixed.graph.value_info[:]  # it may hold open axes, which inference would keep
    for value in fixed.graph.input:
        if value.name in inputs:
            _set_shape(value, inputs[value.name])
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    return fixed


def infer_shapes(model: Any) -> dict[str, Shape]:
    """Every tensor's shape, name to axes, None for an axis that could not be inferred; unknown tensors are left out."""
    import onnx

    with suppress(
        onnx.shape_inference.InferenceError, ValueError, RuntimeError
    ):  # else what is declared is all there is
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    known = [*model.graph.input, *model.graph.value_info, *model.graph.output]
    shapes = {value.name: shape_of(value) for value in known}
    numbers = {name: tuple(_number(axis) for axis in shape) for name, shape in shapes.items() if shape is not None}
    return {**numbers, **{tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}}


def _number(axis: int | str | None) -> int | None:
    return axis if isinstance(axis, int) else None


def _set_shape(value: Any, shape: Shape) -> None:
    dims = value.type.tensor_type.shape.dim
    for dim, axis in zip(dims, shape, strict=True):
        if axis is not None:
            dim.Clear()
            dim.dim_value = axis
