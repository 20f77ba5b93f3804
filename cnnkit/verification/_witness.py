"""A third witness: the graph executed by code that shares nothing with torch or onnxruntime."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnkit import graphs, reference
from cnnkit.errors import ModelError
from cnnkit.verification._differences import difference
from cnnkit.verification._record import Precision, Witness

WitnessName = Literal["numpy", "onnx"]
Arrays = Mapping[str, NDArray[Any]]


def call_witness(model: Any, name: WitnessName, feeds: Arrays, got: Arrays, *, precision: Precision) -> Witness:
    """Execute an ONNX model on `feeds` and compare with what the runtime `got`, output by output.

    `numpy` is cnnkit's own layers in float64, for graphs of the basic CNN operators; for any other graph, and for
    `onnx`, it is the reference evaluator of the onnx package. What was used is in the record.
    """
    model = graphs.inlined(model)
    nodes, weights = graph_parts(model)
    missing = reference.missing_operators(nodes)
    if name == "numpy" and not missing:
        used, values = "cnnkit.reference", _by_numpy(model, nodes, weights, feeds, list(got))
    else:
        used, values = "onnx.reference", _by_onnx(model, feeds, list(got))
    outputs = tuple(
        difference(output, np.asarray(values[output], np.float64), np.asarray(got[output], np.float64), precision)
        for output in got
    )
    problems = tuple(
        f'The witness {used} gives another output "{each.name}": it differs by up to {_figure(each.max_abs)}.'
        for each in outputs
        if each.max_abs is None or (each.tolerance is not None and each.max_abs > each.tolerance)
    )
    why = f"cnnkit's layers do not know {', '.join(missing)}" if name == "numpy" and missing else None
    n_images = len(next(iter(feeds.values())))
    return Witness(name=used, why=why, n_images=n_images, outputs=outputs, problems=problems)


def graph_parts(model: Any) -> tuple[list[reference.Node], dict[str, NDArray[Any]]]:
    """A graph as `reference.execute` takes it: nodes without constants, and weights and constants by name."""
    import onnx

    to_array = onnx.numpy_helper.to_array
    weights = {tensor.name: to_array(tensor) for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        attributes = {entry.name: _plain(entry) for entry in node.attribute}
        if node.op_type == "Constant" and (value := _constant(attributes)) is not None:
            weights[node.output[0]] = value
        else:
            kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
            nodes.append(reference.Node(kind, list(node.input), list(node.output), attributes, node.name))
    return nodes, weights


def _plain(attribute: Any) -> Any:
    import onnx

    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    return value.decode() if isinstance(value, bytes) else value


def _constant(attributes: Mapping[str, Any]) -> NDArray[Any] | None:
    kinds = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
    for name, dtype in kinds.items():
        if name in attributes:
            return np.asarray(attributes[name], dtype)
    value = attributes.get("value")
    return value if isinstance(value, np.ndarray) else None


def _by_numpy(
    model: Any, nodes: Sequence[reference.Node], weights: Arrays, feeds: Arrays, outputs: Sequence[str]
) -> Arrays:
    return reference.execute(nodes, weights, feeds, outputs, opset=graphs.opset_of(model), dtype=np.float64)


def _by_onnx(model: Any, feeds: Arrays, outputs: list[str]) -> Arrays:
    from onnx.reference import ReferenceEvaluator

    try:
        values = ReferenceEvaluator(model).run(outputs, dict(feeds))
    except Exception as error:  # the evaluator's errors have no common class
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"the reference evaluator of onnx cannot run this graph: {reason}") from error
    return dict(zip(outputs, values, strict=True))


def _figure(value: float | None) -> str:
    return "more than any number" if value is None else f"{value:.3g}"
