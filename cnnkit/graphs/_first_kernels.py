"""The kernels of the first convolution, as numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import ModelError
from cnnkit.graphs._costs import CONVOLUTIONS
from cnnkit.graphs._files import load
from cnnkit.graphs._layers import Layer, layers_of
from cnnkit.graphs._outputs import inlined
from cnnkit.graphs._parts import constant_of

IMAGE_KERNEL_AXES = 4  # outputs, inputs, height, width


@dataclass(frozen=True, slots=True)
class Kernels:
    """`weights` are float32 (K, C, height, width) for K outputs; C is the inputs of one group."""

    layer: Layer
    weights: NDArray[np.float32]


def first_kernels(path: Path) -> Kernels:
    """The kernels of the first convolution over images whose weights are stored in the file.

    Quantised weights are unpacked; where the file keeps their scale elsewhere they are whole numbers, less the zero
    point.

    Raises:
        ModelError: the file has no such layer.
    """
    model = inlined(load(path))
    makers = {name: node for node in model.graph.node for name in node.output}
    for layer in layers_of(model):
        node = makers.get(layer.tensor)
        if node is not None and node.op_type in CONVOLUTIONS:
            weights = _weights(model, node)
            if weights is not None and weights.ndim == IMAGE_KERNEL_AXES:
                return Kernels(layer, weights)
    operators = sorted({node.op_type for node in model.graph.node})
    raise ModelError(
        f"{path}: has no convolution over images with stored weights, so there are no kernels to draw; "
        f"its operators are {', '.join(operators)}."
    )


def _weights(model: Any, node: Any) -> NDArray[np.float32] | None:
    weights = constant_of(model, node.input[CONVOLUTIONS[node.op_type]])
    if weights is None:
        return None
    values = weights.astype(np.float32)
    if node.op_type == "QLinearConv":
        return (values - _per_output(model, node, 5)) * _per_output(model, node, 4)
    if node.op_type == "ConvInteger":
        return values - _per_output(model, node, 3)
    return values


def _per_output(model: Any, node: Any, at: int) -> NDArray[np.float32]:
    """A scale or zero point, of all kernels or of each, shaped to go with (K, C, height, width); 0 if left out."""
    name = node.input[at] if at < len(node.input) else ""
    found = constant_of(model, name) if name else None
    return np.zeros((1, 1, 1, 1), np.float32) if found is None else found.astype(np.float32).reshape(-1, 1, 1, 1)
