"""What a graph does to an output last: whether it holds probabilities, and how an integer one is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cnnkit.graphs._files import load

# operators that move or retype values and leave what they mean
CARRIERS = ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Cast", "DequantizeLinear")
AFFINE = (
    *("Gemm", "MatMul", "Conv", "QGemm", "QLinearMatMul", "QLinearConv", "MatMulInteger", "ConvInteger"),
    *("FusedMatMul", "FusedGemm", "FusedConv", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "MatMulNBits"),
)
ENDS: dict[str, Literal["softmax", "sigmoid"]] = {
    "Softmax": "softmax",
    "QLinearSoftmax": "softmax",
    "Sigmoid": "sigmoid",
    "QLinearSigmoid": "sigmoid",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """`activation` is what the graph applies itself; an integer output means `(q - zero_point) * scale`.

    `affine`: the values come out of a layer of weights, so nothing makes probabilities of them.
    """

    activation: Literal["softmax", "sigmoid"] | None = None
    scale: float | None = None
    zero_point: int | None = None
    affine: bool = False


def ending_of(path: Path, output: str) -> Ending:
    """Walk back from an output to the operator that makes its values."""
    graph = load(path).graph
    makers = {name: node for node in graph.node for name in node.output}
    scale: float | None = None
    zero_point: int | None = None
    name = output
    while name in makers:
        node = makers[name]
        if node.op_type == "QuantizeLinear" and scale is None:
            scale, zero_point = _quantisation(graph, list(node.input)[1:3])
        elif node.op_type in ENDS:
            if node.op_type.startswith("QLinear") and scale is None:
                scale, zero_point = _quantisation(graph, list(node.input)[3:5])
            return Ending(ENDS[node.op_type], scale, zero_point)
        elif node.op_type not in CARRIERS:
            return Ending(None, scale, zero_point, affine=_is_affine(node, makers))
        name = node.input[0]
    return Ending(None, scale, zero_point)


def _is_affine(node: Any, makers: dict[str, Any]) -> bool:
    """A layer of weights, with or without its bias; sums and scales of anything else may be anything."""
    if node.op_type in AFFINE:  # of two computed tensors, or of probabilities, it may be a mixture of those
        found = [maker for name in node.input if (maker := _behind_carriers(name, makers)) is not None]
        taken = {id(maker): maker.op_type for maker in found}  # a tensor and its zero point have one maker
        return len(taken) <= 1 and not {*ENDS, "Div", "Exp"} & set(taken.values())
    if node.op_type not in ("Add", "Mul", "ReduceMean", "GlobalAveragePool", "AveragePool", *CARRIERS):
        return False
    return any(_is_affine(makers[name], makers) for name in node.input if name in makers)


def _behind_carriers(name: str, makers: dict[str, Any]) -> Any | None:
    """What computes a tensor; None for a constant and for an input of the graph."""
    while name in makers:
        node = makers[name]
        if node.op_type not in (*CARRIERS, "QuantizeLinear", "DynamicQuantizeLinear"):
            return None if node.op_type == "Constant" else node
        name = node.input[0]
    return None


def _quantisation(graph: Any, names: list[str]) -> tuple[float | None, int | None]:
    """Scale and zero point, where both are constants of one value; a zero point that is left out is 0."""
    import onnx

    values = {each.name: each for each in graph.initializer if each.name in names}
    values |= {node.output[0]: node.attribute[0].t for node in graph.node if _is_constant(node, names)}
    arrays = [onnx.numpy_helper.to_array(values[name]).reshape(-1) for name in names if name in values]
    if not arrays or len(arrays) != len([name for name in names if name]) or any(len(array) != 1 for array in arrays):
        return None, None
    return float(arrays[0][0]), int(arrays[1][0]) if len(arrays) > 1 else 0


def _is_constant(node: Any, names: list[str]) -> bool:
    return node.op_type == "Constant" and node.output[0] in names and node.attribute[0].name == "value"
