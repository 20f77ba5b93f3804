"""Values inside a graph, asked for as outputs."""

from collections.abc import Sequence
from typing import Any


def with_outputs(model: Any, names: Sequence[str]) -> Any:
    """A copy that gives these values too, after its own outputs; names that are outputs already are left out."""
    import onnx

    wider = onnx.ModelProto()
    wider.CopyFrom(model)
    there = {value.name for value in wider.graph.output}
    new = [onnx.helper.make_empty_tensor_value_info(name) for name in dict.fromkeys(names) if name not in there]
    wider.graph.output.extend(new)
    return wider


def inlined(model: Any) -> Any:
    """A model without functions of its own: their nodes stand in the graph."""
    import onnx.inliner

    return onnx.inliner.inline_local_functions(model) if model.functions else model
