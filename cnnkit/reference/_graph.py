"""Run a graph of basic operators from its plain description: no onnx, no onnxruntime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cnnkit.errors import ModelError
from cnnkit.reference._operators import OPERATORS, Call

__all__ = ["Node", "execute", "missing_operators"]


@dataclass(frozen=True)
class Node:
    """One operator of a graph; an input that is left out is "". Attributes are Python values and arrays."""

    op_type: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


def missing_operators(nodes: Sequence[Node]) -> list[str]:
    """Operators that `execute` does not know, each once, in the order of the graph."""
    return list(dict.fromkeys(node.op_type for node in nodes if node.op_type not in OPERATORS))


def execute(
    nodes: Sequence[Node],
    initializers: Mapping[str, NDArray[Any]],
    inputs: Mapping[str, NDArray[Any]],
    outputs: Sequence[str],
    *,
    opset: int = 18,
    dtype: DTypeLike | None = None,
) -> dict[str, NDArray[Any]]:
    """Values of `outputs`, computed node by node with the operators of this package.

    Args:
        nodes: in an order in which every input is there before it is used, as ONNX demands.
        initializers: weights and constants by name.
        inputs: what is fed, by name.
        outputs: which values are wanted; values between nodes can be asked for too.
        opset: version of the ONNX operators; Softmax, Clip and others changed their meaning.
        dtype: compute in this floating-point type (float64 for a witness more exact than the graph); None keeps the
            graph's own.

    Returns:
        The outputs by name; a floating-point one has `dtype` where that is given.

    Raises:
        ModelError: an operator or a form of one that is not among the basic ones, a value that nothing makes.
    """
    if missing := missing_operators(nodes):
        known = ", ".join(sorted(OPERATORS))
        raise ModelError(
            f"the graph has {', '.join(missing)}, which the NumPy witness does not compute; it has {known}"
        )
    values = {name: _cast(value, dtype) for name, value in (*initializers.items(), *inputs.items())}
    last_use = {name: at for at, node in enumerate(nodes) for name in node.inputs}
    for at, node in enumerate(nodes):
        values.update(zip(node.outputs, _run(node, values, opset, dtype), strict=False))
        for name in node.inputs:
            if last_use[name] == at and name not in outputs:
                values.pop(name, None)
    absent = [name for name in outputs if name not in values]
    if absent:
        raise ModelError(f"no node of the graph makes {', '.join(map(repr, absent))}")
    return {name: values[name] for name in outputs}


def _run(node: Node, values: Mapping[str, NDArray[Any]], opset: int, dtype: DTypeLike | None) -> Sequence[NDArray[Any]]:
    where = f"{node.op_type} {node.name or node.outputs[0]!r}"
    absent = [name for name in node.inputs if name and name not in values]
    if absent:
        raise ModelError(f"{where} takes {', '.join(map(repr, absent))}, which nothing before it makes")
    arguments = [values[name] if name else None for name in node.inputs]
    call = Call(arguments, node.attributes, opset, len(node.outputs))
    try:
        result = OPERATORS[node.op_type](call)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error
    except (ValueError, IndexError, KeyError, TypeError) as error:
        shapes = ", ".join("-" if value is None else str(value.shape) for value in arguments)
        raise ModelError(f"{where} does not fit its inputs {shapes}: {error}") from error
    return [_cast(value, dtype) for value in (result if isinstance(result, tuple) else (result,))]


def _cast(value: NDArray[Any], dtype: DTypeLike | None) -> NDArray[Any]:
    value = np.asarray(value)
    return value.astype(dtype, copy=False) if dtype is not None and value.dtype.kind == "f" else value
