"""Layers one after another."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cnnkit.reference._layers import Layer
from cnnkit.reference._windows import Array

__all__ = ["Sequential"]


class Sequential:
    """Named layers, run in their order; a parameter is called `layer.parameter`, as in a torch state dict."""

    def __init__(self, layers: Mapping[str, Layer]) -> None:
        self.layers = dict(layers)

    @property
    def parameters(self) -> dict[str, Array]:
        return self._collect("parameters")

    @property
    def gradients(self) -> dict[str, Array]:
        """What the last `backward` found, under the names of `parameters`."""
        return self._collect("gradients")

    def forward(self, x: Array, *, training: bool = False) -> Array:
        for layer in self.layers.values():
            x = layer.forward(x, training=training)
        return x

    def backward(self, dy: Array) -> Array:
        """From the gradient by the output to that by the input of the last `forward`."""
        for layer in reversed(self.layers.values()):
            dy = layer.backward(dy)
        return dy

    def logits(self, images: Array, *, batch_size: int = 256) -> Array:
        """Outputs for any number of images, a batch at a time, in evaluation mode."""
        blocks = [self.forward(images[at : at + batch_size]) for at in range(0, len(images), batch_size)]
        return np.concatenate(blocks)

    def predict(self, images: Array) -> NDArray[np.intp]:
        """The class of each image: the highest output, of equals the first."""
        return np.asarray(self.logits(images).argmax(axis=1))

    def load(self, parameters: Mapping[str, Array]) -> None:
        """Take over parameters of the same names and shapes."""
        own = self.parameters
        if own.keys() != parameters.keys():
            raise ValueError(f"expected parameters {', '.join(own)}, got {', '.join(parameters)}")
        for name, value in parameters.items():
            if own[name].shape != value.shape:
                raise ValueError(f"{name} has shape {own[name].shape}, got {value.shape}")
            own[name][...] = value

    def _collect(self, kind: str) -> dict[str, Array]:
        return {
            f"{layer_name}.{name}": value
            for layer_name, layer in self.layers.items()
            for name, value in getattr(layer, kind).items()
        }
