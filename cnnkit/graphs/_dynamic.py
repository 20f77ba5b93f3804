"""Whether the images of one batch influence each other's answers."""

from pathlib import Path
from typing import Any

from cnnkit.graphs._files import load
from cnnkit.graphs._search import mentions
from cnnkit.graphs._shapes import inputs_of, shape_of

OPERATOR = b"DynamicQuantizeLinear"


def quantizes_dynamically(path: Path) -> bool:
    """Whether a graph takes one activation scale over a whole batch, so that an answer depends on its neighbours.

    True when a DynamicQuantizeLinear reads something computed from the image and the batch is not fixed at 1.
    """
    if not mentions(path, OPERATOR):  # nearly every file: answered without parsing it
        return False
    model = load(path, beside=False)
    if all((shape_of(value) or (None,))[:1] == (1,) for value in inputs_of(model)):
        return False
    from_image = _from_inputs(model)
    quantisers = [node for node in model.graph.node if node.op_type == OPERATOR.decode()]
    return any(node.input[0] in from_image for node in quantisers)


def _from_inputs(model: Any) -> set[str]:
    """Names of the tensors whose values depend on an input; its shape alone does not count."""
    known = {value.name for value in inputs_of(model)}
    for node in model.graph.node:
        if node.op_type not in ("Shape", "Size") and known.intersection(node.input):
            known.update(node.output)
    return known
