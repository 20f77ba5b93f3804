"""Parts of a graph as graphs of their own."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import ModelError
from cnnkit.graphs._outputs import inlined

OPSET_OF_UNPACKING = 19


def part_of(model: Any, ends: Sequence[str], *, start: str | None = None, dtype: Any = None) -> Any:
    """The part of a graph that makes the tensors `ends` from the tensor `start` alone.

    Args:
        model: `onnx.ModelProto`.
        ends: names of tensors; the outputs of the part.
        start: the tensor that becomes the only input, of any shape; None for what depends on stored values alone.
        dtype: NumPy's type of `start`.

    Raises:
        ModelError: one of `ends` is made from an input of the graph besides `start`.
    """
    import onnx

    model = inlined(model)
    nodes, loose = needed(model.graph.node, ends, stop=() if start is None else (start,))
    stored = {tensor.name for tensor in model.graph.initializer}
    others = sorted(loose - stored - {start})
    if others:
        raise ModelError(f'"{ends[0]}" is made from "{others[0]}" too, not from {start or "stored values"} alone.')
    part = onnx.ModelProto()
    part.CopyFrom(model)
    _replace(part.graph.node, nodes)
    _replace(part.graph.initializer, [tensor for tensor in model.graph.initializer if tensor.name in loose])
    filled = [value for value in model.graph.input if value.name in stored & loose]  # files of IR 3 list them
    _replace(part.graph.input, [*_input(start, dtype), *filled])
    _replace(part.graph.output, [onnx.ValueInfoProto(name=name) for name in ends])
    _replace(part.graph.value_info, [])
    _replace(part.metadata_props, [])
    return part


def needed(
    nodes: Iterable[Any], ends: Collection[str], *, stop: Collection[str] = ()
) -> tuple[list[Any], frozenset[str]]:
    """The nodes that make `ends`, in their order, back to `stop`; and the names they begin with, made by none of them.

    `nodes` are in the order in which they run.
    """
    wanted, begins = set(ends) - set(stop), set(ends) & set(stop)
    kept = []
    for node in reversed(list(nodes)):
        if wanted.intersection(node.output):
            kept.append(node)
            read = _read_by(node)
            wanted = (wanted - set(node.output)) | (read - set(stop))
            begins |= read & set(stop)
    return kept[::-1], frozenset(wanted | begins)


def constant_of(model: Any, name: str) -> NDArray[np.generic] | None:
    """The value of a tensor that follows from stored values alone (a weight, also one that is unpacked); else None."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = inlined(model)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    if name in tensors:
        return np.asarray(onnx.numpy_helper.to_array(tensors[name]))
    nodes, loose = needed(model.graph.node, [name])
    if not nodes or not loose <= set(tensors):
        return None
    part = part_of(model, [name])
    _modernise_unpacking(part)
    return np.asarray(ReferenceEvaluator(part).run(None, {})[0])


def _modernise_unpacking(part: Any) -> None:
    """Let DequantizeLinear be the one that onnx's evaluator knows; older versions of it say the same in fewer cases."""
    unpacking = [node for node in part.graph.node if node.op_type == "DequantizeLinear"]
    for node in unpacking:
        node.domain = ""  # onnxruntime has its own under this name
    for entry in part.opset_import:
        if unpacking and entry.domain in ("", "ai.onnx"):
            entry.version = max(entry.version, OPSET_OF_UNPACKING)


def _read_by(node: Any) -> set[str]:
    """Names that a node takes; what its subgraphs take from outside counts too."""
    names = {name for name in node.input if name}
    for entry in node.attribute:
        for graph in [*([entry.g] if entry.HasField("g") else []), *entry.graphs]:
            _, loose = needed(graph.node, [value.name for value in graph.output])
            names |= loose - {value.name for value in graph.input} - {tensor.name for tensor in graph.initializer}
    return names


def _input(name: str | None, dtype: Any) -> list[Any]:
    import onnx

    if name is None:
        return []
    return [onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), None)]


def _replace(values: Any, new: list[Any]) -> None:
    copies = list(new)
    del values[:]
    values.extend(copies)
