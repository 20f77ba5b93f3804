"""The networks that can be trained here, by name. Parameters are named as in the torch networks of these names."""

from collections.abc import Callable

import numpy as np

from cnnkit.reference._layers import Affine, Convolution, Draw, Flatten, MaxPool, ReLU
from cnnkit.reference._network import Sequential
from cnnkit.reference._windows import Array

__all__ = ["NETWORKS", "digits", "normal", "simple_convnet"]


def digits(random: np.random.Generator, *, classes: int = 10, channels: int = 1, size: int = 8) -> Sequential:
    """(n, channels, size, size) to (n, classes); weights and biases start as N(0, 0.1)."""
    draw = normal(random, 0.1, bias=0.1)
    side = size // 2
    return Sequential(
        {
            "conv": Convolution(channels, 10, (3, 3), padding=1, draw=draw),
            "relu1": ReLU(),
            "pool": MaxPool(2),
            "flatten": Flatten(),
            "dense": Affine(10 * side * side, 100, draw=draw),
            "relu2": ReLU(),
            "out": Affine(100, classes, draw=draw),
        }
    )


def simple_convnet(random: np.random.Generator, *, classes: int = 10, channels: int = 1, size: int = 28) -> Sequential:
    """(n, channels, size, size) to (n, classes); weights start as N(0, 0.01), biases as 0."""
    draw = normal(random, 0.01, bias=0.0)
    side = (size - 4) // 2
    return Sequential(
        {
            "conv1": Convolution(channels, 30, (5, 5), draw=draw),
            "relu1": ReLU(),
            "pool": MaxPool(2),
            "flatten": Flatten(),
            "affine1": Affine(30 * side * side, 100, draw=draw),
            "relu2": ReLU(),
            "affine2": Affine(100, classes, draw=draw),
        }
    )


def normal(random: np.random.Generator, std: float, *, bias: float) -> Draw:
    """Weights from N(0, std), biases from N(0, bias), float32."""

    def draw(shape: tuple[int, ...]) -> Array:
        spread = std if len(shape) > 1 else bias
        return (spread * random.standard_normal(shape)).astype(np.float32)

    return draw


NETWORKS: dict[str, Callable[..., Sequential]] = {"digits": digits, "simple_convnet": simple_convnet}
