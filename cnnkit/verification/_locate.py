"""Where a file departs from its source: the first module, and the first node."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import graphs, runtime
from cnnkit.verification._differences import difference
from cnnkit.verification._forward import forward, in_eval_mode
from cnnkit.verification._record import Location, OutputDifference, Place, Precision

if TYPE_CHECKING:
    from torch import nn

Arrays = dict[str, NDArray[Any]]


def locate(model: Any, module: "nn.Module", feeds: Mapping[str, NDArray[Any]], *, precision: Precision) -> Location:
    """Run a file with everything in it laid open, and find where it first goes wrong.

    The first module of the source whose output the file does not have is an export fault; the first node that the
    runtime computes otherwise than `onnx.reference`, from the same inputs, is a runtime fault.

    Args:
        model: the file, as `graphs.load` gives it.
        module: its source.
        feeds: one small batch for the file's input, float32 as the module takes it.
        precision: whose tolerances hold.
    """
    model = graphs.inlined(model)
    names = [name for node in model.graph.node for name in node.output if name]
    session = runtime.open_session(graphs.to_bytes(graphs.with_outputs(model, names), what="--locate"), device="cpu")
    values = {**session.run(feeds), **feeds}
    batch = next(iter(feeds.values()))
    first_module, compared = _first_module(model, module, values, batch, precision)
    first_node, unknown = _first_node(model, values, precision)
    return Location(module=first_module, node=first_node, n_modules=compared, not_evaluated=tuple(sorted(unknown)))


def _first_module(
    model: Any, module: "nn.Module", values: Arrays, batch: NDArray[Any], precision: Precision
) -> tuple[Place | None, int]:
    ends = _ends_of_modules(model)
    expected = _module_outputs(module, batch, ends)
    compared = 0
    last_good: str | None = None
    for name, node in sorted(ends.items(), key=lambda item: (item[1][0], -item[0].count("."))):
        tensor = node[1].output[0]
        if name not in expected or expected[name].shape != values[tensor].shape:
            continue  # what the exporter folded away or laid out otherwise has no counterpart
        compared += 1
        found = difference(tensor, expected[name], values[tensor].astype(np.float64), precision)
        if _departs(found):
            kind = type(dict(module.named_modules())[name]).__name__
            return _place(f"{name} ({kind})", node[1], found, after=last_good), compared
        last_good = name
    return None, compared


def _ends_of_modules(model: Any) -> dict[str, tuple[int, Any]]:
    """The last node of each module, descendants included, with its place in the graph."""
    ends: dict[str, tuple[int, Any]] = {}
    for at, node in enumerate(model.graph.node):
        parts = (graphs.module_of(node) or "").split(".")
        for depth in range(1, len(parts) + 1):
            name = ".".join(parts[:depth])
            if name:
                ends[name] = (at, node)
    return ends


def _module_outputs(module: "nn.Module", batch: NDArray[Any], wanted: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    """The first tensor that each of these parts gives, at its last call."""
    import torch

    found: dict[str, NDArray[np.float64]] = {}

    def keep(name: str) -> Any:
        def hook(_part: Any, _given: Any, result: Any) -> None:
            tensors = [x for x in torch.utils._pytree.tree_leaves(result) if isinstance(x, torch.Tensor)]
            if tensors:
                found[name] = tensors[0].detach().to("cpu", torch.float64).numpy().copy()

        return hook

    parts = dict(module.named_modules())
    hooks = [parts[name].register_forward_hook(keep(name)) for name in wanted if name in parts]
    try:
        with in_eval_mode(module):
            forward(module, batch.astype(np.float32))
    finally:
        for each in hooks:
            each.remove()
    return found


def _first_node(model: Any, values: Arrays, precision: Precision) -> tuple[Place | None, set[str]]:
    """The first node whose output the evaluator of onnx computes otherwise from the runtime's own inputs."""
    import onnx

    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    known = {**weights, **values}
    unknown: set[str] = set()
    for node in model.graph.node:
        inputs = {name: known[name] for name in node.input if name}
        expected = _evaluate(node, inputs, model.opset_import)
        if expected is None:
            unknown.add(node.op_type)
            continue
        for name, value in expected.items():
            if value.dtype.kind != "f" or value.shape != known[name].shape:
                continue
            found = difference(name, value.astype(np.float64), known[name].astype(np.float64), precision)
            if _departs(found):
                return _place(node.name or name, node, found, after=None), unknown
    return None, unknown


def _evaluate(node: Any, inputs: Arrays, opsets: Any) -> Arrays | None:
    """One node by `onnx.reference`; None where it cannot."""
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    dtype = helper.np_dtype_to_tensor_dtype
    given = [helper.make_tensor_value_info(name, dtype(value.dtype), None) for name, value in inputs.items()]
    wanted = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    graph = helper.make_graph([node], "one", given, wanted)
    try:
        results = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets)).run(None, inputs)
    except Exception:  # an operator that the evaluator does not know, or a form of it
        return None
    return {value.name: np.asarray(result) for value, result in zip(wanted, results, strict=True)}


def _departs(found: OutputDifference) -> bool:
    return found.max_abs is None or (found.tolerance is not None and found.max_abs > found.tolerance)


def _place(name: str, node: Any, found: OutputDifference, *, after: str | None) -> Place:
    return Place(name=name, operator=node.op_type, max_abs=found.max_abs, tolerance=found.tolerance, after=after)
