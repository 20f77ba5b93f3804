"""Whether a classifier ends in global average pooling and a linear layer, and where."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnkit.graphs._costs import attribute
from cnnkit.graphs._ending import CARRIERS, ENDS
from cnnkit.graphs._outputs import inlined
from cnnkit.graphs._parts import constant_of, needed, part_of
from cnnkit.graphs._shapes import inputs_of

POOLS = ("GlobalAveragePool", "AveragePool", "ReduceMean", "QLinearGlobalAveragePool", "QLinearAveragePool")
# operators that are linear in what they take from the image, the other side being stored, or that only move it
LINEAR = {
    *("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Cast", "Dropout", "Concat", "Slice"),
    *("Gemm", "FusedGemm", "MatMul", "FusedMatMul", "Conv", "Add", "Sub", "Mul", "Div", "BatchNormalization"),
    *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"),
    *("QLinearConv", "QLinearMatMul", "QGemm", "QLinearAdd", "Constant", "Gather"),
}
LAST = {*ENDS, "LogSoftmax"}


@dataclass(frozen=True, slots=True)
class PooledHead:
    """`scores` is a linear function of the mean of `features` over its axes `axes`, height and width.

    features: a tensor of four axes. scores: what the output holds, before the softmax or sigmoid if there is one.
    """

    features: str
    axes: tuple[int, int]
    scores: str


def pooled_head(model: Any, output: str) -> PooledHead | None:
    """Find the global average pooling that an output depends on through linear operators alone; None without one.

    What the graph's words cannot show, that the pooling covers the whole map, the numbers must: the mean over the
    places of what `head_of` makes of each place is what it makes of all of `features`.
    """
    model = inlined(model)
    makers = {name: node for node in model.graph.node for name in node.output}
    scores = _before_activation(makers, output)
    pools = _pools_behind(makers, scores, inputs={value.name for value in inputs_of(model)})
    if pools is None or len(pools) != 1:
        return None
    features, axes = pools[0].input[0], _pooled_axes(model, pools[0])
    _, begins = needed(model.graph.node, [scores], stop=[features])
    stored = {tensor.name for tensor in model.graph.initializer}
    return PooledHead(features, axes, scores) if axes and begins - stored == {features} else None


def head_of(model: Any, head: PooledHead, *, dtype: Any) -> Any:
    """A model of the input `head.features`, of type `dtype`, and the output `head.scores`.

    Rounding to integers and back is left out, so that large values are not cut off.
    """
    part = part_of(model, [head.scores], start=head.features, dtype=dtype)
    carried = {head.features}
    for node in part.graph.node:
        if carried.intersection(node.input):
            carried.update(node.output)
    for node in part.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear") and node.input[0] in carried:
            kept = node.input[0]
            del node.input[:], node.attribute[:]
            node.input.append(kept)
            node.op_type, node.domain = "Identity", ""
    return part


def _before_activation(makers: dict[str, Any], output: str) -> str:
    """The tensor that the last activation takes; the output itself when nothing but carriers lies behind it."""
    name = output
    while name in makers:
        node = makers[name]
        if node.op_type in LAST:
            return str(node.input[0])
        if node.op_type not in (*CARRIERS, "QuantizeLinear"):
            break
        name = node.input[0]
    return output


def _pools_behind(makers: dict[str, Any], scores: str, *, inputs: set[str]) -> list[Any] | None:
    """The poolings that linear operators lead back to; None when another operator or an input comes first."""
    waiting, pools = [scores], []
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in inputs:
            return None
        node = makers.get(name)
        if node is None or name in seen or node.op_type == "Shape":  # stored, or met before, or no value of the image
            continue
        seen.update(node.output)
        if node.op_type in POOLS:
            pools.append(node)
        elif node.op_type in LINEAR:
            waiting += [each for each in node.input if each]
        else:
            return None
    return pools


def _pooled_axes(model: Any, pool: Any) -> tuple[int, int] | None:
    """Height and width among the four axes of what a pooling takes; None when it averages over something else."""
    if pool.op_type != "ReduceMean":
        return (1, 2) if attribute(pool, "channels_last", 0) else (2, 3)
    given = attribute(pool, "axes")
    if given is None and len(pool.input) > 1:
        given = constant_of(model, pool.input[1])
    axes = sorted(int(axis) % 4 for axis in np.asarray([] if given is None else given).reshape(-1))
    return (axes[0], axes[1]) if axes in ([1, 2], [2, 3]) else None
