"""Multiply-adds and windows of single nodes."""

import math
from collections.abc import Mapping
from typing import Any

from cnnkit.graphs._shapes import Shape

# operator -> where its weight stands among the inputs
CONVOLUTIONS = {"Conv": 1, "FusedConv": 1, "ConvInteger": 1, "QLinearConv": 3}
PRODUCTS = {"MatMul": 0, "FusedMatMul": 0, "MatMulInteger": 0, "QLinearMatMul": 0, "Gemm": 0}
POOLS = ("MaxPool", "AveragePool", "LpPool")
GLOBAL = ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "Gemm", "Flatten", "ReduceMean", "ReduceMax")


def multiply_adds(node: Any, shapes: Mapping[str, Shape]) -> int | None:
    """Multiplications with their additions that a node takes at these shapes; None when a shape is not known.

    Counted are Conv and ConvTranspose (output elements times kernel elements times input channels of a group), Gemm
    and MatMul (rows times columns times the inner axis), and their quantised forms. Everything else counts 0:
    pooling, normalisation, activations, additions and biases.
    """
    if node.op_type in CONVOLUTIONS:
        weight = shapes.get(node.input[CONVOLUTIONS[node.op_type]])
        return _times(shapes.get(node.output[0]), weight[1:] if weight else None)
    if node.op_type == "ConvTranspose":
        weight = shapes.get(node.input[1])
        return _times(shapes.get(node.input[0]), weight[1:] if weight else None)
    if node.op_type in PRODUCTS:
        return _times(shapes.get(node.output[0]), _inner_axis(node, shapes))
    return 0


def _times(elements: Shape | None, each: Shape | None) -> int | None:
    if elements is None or each is None:
        return None
    sides = [axis for axis in (*elements, *each) if axis is not None]
    return math.prod(sides) if len(sides) == len(elements) + len(each) else None


def _inner_axis(node: Any, shapes: Mapping[str, Shape]) -> Shape | None:
    left = shapes.get(node.input[0])
    if not left:
        return None
    transposed = node.op_type == "Gemm" and attribute(node, "transA", 0)
    return (left[0] if transposed else left[-1],)


def attribute(node: Any, name: str, default: Any = None) -> Any:
    import onnx

    for entry in node.attribute:
        if entry.name == name:
            return onnx.helper.get_attribute_value(entry)
    return default


def window(node: Any, shapes: Mapping[str, Shape]) -> tuple[list[int], list[int], list[int], list[int]] | None:
    """Kernel, stride, padding and dilation of a convolution or a pooling; None for everything else.

    Kernel, stride and dilation hold one number an axis, padding the first sides, then the last ones. With `auto_pad`
    SAME the padding follows from the input's size.
    """
    kernel = _kernel(node, shapes)
    if kernel is None:
        return None
    axes = len(kernel)
    stride = list(attribute(node, "strides") or [1] * axes)
    dilation = list(attribute(node, "dilations") or [1] * axes)
    padding = list(attribute(node, "pads") or [0] * 2 * axes)
    auto = attribute(node, "auto_pad", b"NOTSET").decode()
    if auto.startswith("SAME"):
        padding = _same_padding(shapes.get(node.input[0]), kernel, stride, dilation, upper=auto == "SAME_UPPER")
    return kernel, stride, padding, dilation


def _kernel(node: Any, shapes: Mapping[str, Shape]) -> list[int] | None:
    if node.op_type in POOLS:
        return list(attribute(node, "kernel_shape"))
    if node.op_type not in CONVOLUTIONS:
        return None
    weight = shapes.get(node.input[CONVOLUTIONS[node.op_type]])
    given: Any = attribute(node, "kernel_shape") or (weight[2:] if weight else None)
    return list(given) if given else None


def _same_padding(
    shape: Shape | None, kernel: list[int], stride: list[int], dilation: list[int], *, upper: bool
) -> list[int]:
    sides = shape[2:] if shape else (None,) * len(kernel)
    first, last = [], []
    for side, k, s, d in zip(sides, kernel, stride, dilation, strict=True):
        reach = (k - 1) * d + 1
        total = max(0, (math.ceil(side / s) - 1) * s + reach - side) if side else reach - 1
        small, large = total // 2, total - total // 2
        first.append(small if upper else large)
        last.append(large if upper else small)
    return first + last
