"""Shapes that a graph computes for itself (`x.view(x.size(0), -1)`), worked out so that inference can go on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.graphs._shapes import Shape

SMALL = 64  # elements: shapes and indices, never weights
Values = dict[str, NDArray[Any]]


def fold_shapes(model: Any, shapes: Mapping[str, Shape]) -> bool:
    """Put whole-number tensors that follow from known shapes into the graph as constants; say if any was new.

    The model is changed: a node whose result became a constant is removed.
    """
    import onnx

    values = _known(model)
    at_first = set(values)
    kept = []
    for node in model.graph.node:
        result = _value_of(node, values, shapes, model.opset_import)
        if result is None or node.op_type == "Constant":
            kept.append(node)
        else:
            values[node.output[0]] = result
    new = [name for name in values if name not in at_first]
    model.graph.initializer.extend(onnx.numpy_helper.from_array(values[name], name) for name in new)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return bool(new)


def _known(model: Any) -> Values:
    import onnx

    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            tensors.update((node.output[0], entry.t) for entry in node.attribute if entry.name == "value")
    whole = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
    return {
        name: onnx.numpy_helper.to_array(tensor)
        for name, tensor in tensors.items()
        if tensor.data_type in whole and np.prod(tensor.dims, dtype=int) <= SMALL
    }


def _value_of(node: Any, values: Values, shapes: Mapping[str, Shape], opsets: Any) -> NDArray[Any] | None:
    if node.op_type == "Shape" and not node.attribute:
        shape = shapes.get(node.input[0])
        return np.array(shape, np.int64) if shape is not None and None not in shape else None
    inputs = [name for name in node.input if name]
    if not inputs or len(node.output) != 1 or any(name not in values for name in inputs) or _has_graph(node):
        return None
    return _run(node, {name: values[name] for name in inputs}, opsets)


def _run(node: Any, inputs: Values, opsets: Any) -> NDArray[Any] | None:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(inputs[name].dtype), None)
        for name in inputs
    ]
    graph = helper.make_graph([node], "one", given, [helper.make_empty_tensor_value_info(node.output[0])])
    try:
        result = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets)).run(None, inputs)[0]
    except Exception:  # whatever an operator cannot do here stays in the graph
        return None
    if not isinstance(result, np.ndarray | np.generic):
        return None
    array = np.asarray(result)
    return array if array.size <= SMALL and array.dtype.kind == "i" else None


def _has_graph(node: Any) -> bool:
    return any(entry.HasField("g") or entry.graphs for entry in node.attribute)
