"""Layers that remember what their backward pass needs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from cnnkit.reference._activations import relu, relu_backward, sigmoid, sigmoid_backward
from cnnkit.reference._affine import affine, affine_backward
from cnnkit.reference._batch_norm import batch_norm, batch_norm_backward, batch_statistics
from cnnkit.reference._convolution import convolution, convolution_backward
from cnnkit.reference._dropout import dropout, dropout_backward
from cnnkit.reference._pooling import average_pool, average_pool_backward, max_pool, max_pool_backward
from cnnkit.reference._windows import Array, Padding, Pair

__all__ = [
    "Affine",
    "AveragePool",
    "BatchNorm",
    "Convolution",
    "Draw",
    "Dropout",
    "Flatten",
    "Layer",
    "MaxPool",
    "ReLU",
    "Sigmoid",
]


Draw = Callable[[tuple[int, ...]], Array]  # initial values of a shape; the outputs come first in it


class Layer:
    """`forward` keeps its input, `backward` takes the gradient by the output, fills `gradients`, returns that by x."""

    def __init__(self) -> None:
        self.parameters: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}
        self.x: Array = np.empty(0)

    def forward(self, x: Array, *, training: bool = False) -> Array:
        self.x = x
        return self._forward(x, training=training)

    def backward(self, dy: Array) -> Array:
        raise TypeError(f"{type(self).__name__} has no backward pass")

    def _forward(self, x: Array, *, training: bool) -> Array:
        raise TypeError(f"{type(self).__name__} has no forward pass")

    def _keep(self, dx: Array, **gradients: Array) -> Array:
        self.gradients = gradients
        return dx


class Convolution(Layer):
    """`convolution` with a weight (filters, channels / groups, fh, fw) and a bias (filters,)."""

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel: tuple[int, int],
        *,
        draw: Draw,
        stride: Pair = 1,
        padding: Padding = "valid",
        dilation: Pair = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.parameters = {
            "weight": draw((filters, channels // groups, *kernel)),
            "bias": draw((filters,)),
        }
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def _forward(self, x: Array, *, training: bool) -> Array:
        weight, bias = self.parameters["weight"], self.parameters["bias"]
        return convolution(
            x, weight, bias, stride=self.stride, padding=self.padding, dilation=self.dilation, groups=self.groups
        )

    def backward(self, dy: Array) -> Array:
        dx, weight, bias = convolution_backward(
            dy,
            self.x,
            self.parameters["weight"],
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )
        return self._keep(dx, weight=weight, bias=bias)


class Affine(Layer):
    """`affine` with a weight (outputs, inputs) and a bias (outputs,)."""

    def __init__(self, inputs: int, outputs: int, *, draw: Draw) -> None:
        super().__init__()
        self.parameters = {"weight": draw((outputs, inputs)), "bias": draw((outputs,))}

    def _forward(self, x: Array, *, training: bool) -> Array:
        return affine(x, self.parameters["weight"], self.parameters["bias"])

    def backward(self, dy: Array) -> Array:
        dx, weight, bias = affine_backward(dy, self.x, self.parameters["weight"])
        return self._keep(dx, weight=weight, bias=bias)


class BatchNorm(Layer):
    """`batch_norm` by the batch in training, by running means in evaluation.

    After each batch running = (1 - momentum) running + momentum batch; the running variance takes the batch's divided
    by the count less one, as torch does.
    """

    def __init__(
        self, channels: int, *, momentum: float = 0.1, epsilon: float = 1e-5, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__()
        self.parameters = {"weight": np.ones(channels, dtype), "bias": np.zeros(channels, dtype)}
        self.running_mean, self.running_variance = np.zeros(channels, dtype), np.ones(channels, dtype)
        self.momentum, self.epsilon = momentum, epsilon

    def _forward(self, x: Array, *, training: bool) -> Array:
        mean, variance = self._statistics(x) if training else (self.running_mean, self.running_variance)
        weight, bias = self.parameters["weight"], self.parameters["bias"]
        return batch_norm(x, weight, bias, mean, variance, epsilon=self.epsilon)

    def backward(self, dy: Array) -> Array:
        dx, weight, bias = batch_norm_backward(dy, self.x, self.parameters["weight"], epsilon=self.epsilon)
        return self._keep(dx, weight=weight, bias=bias)

    def _statistics(self, x: Array) -> tuple[Array, Array]:
        mean, variance = batch_statistics(x)
        count = x.size // x.shape[1]
        self.running_mean = self.running_mean + self.momentum * (mean - self.running_mean)
        unbiased = variance * (count / max(1, count - 1))
        self.running_variance = self.running_variance + self.momentum * (unbiased - self.running_variance)
        return mean, variance


class MaxPool(Layer):
    def __init__(self, kernel: Pair, *, stride: Pair | None = None, padding: Padding = "valid") -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def _forward(self, x: Array, *, training: bool) -> Array:
        return max_pool(x, self.kernel, stride=self.stride, padding=self.padding)

    def backward(self, dy: Array) -> Array:
        return max_pool_backward(dy, self.x, self.kernel, stride=self.stride, padding=self.padding)


class AveragePool(Layer):
    def __init__(self, kernel: Pair, *, stride: Pair | None = None, padding: Padding = "valid") -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def _forward(self, x: Array, *, training: bool) -> Array:
        return average_pool(x, self.kernel, stride=self.stride, padding=self.padding)

    def backward(self, dy: Array) -> Array:
        return average_pool_backward(dy, self.x, self.kernel, stride=self.stride, padding=self.padding)


class Flatten(Layer):
    """(n, ...) to (n, all the rest)."""

    def _forward(self, x: Array, *, training: bool) -> Array:
        return x.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(self.x.shape)


class ReLU(Layer):
    def _forward(self, x: Array, *, training: bool) -> Array:
        return relu(x)

    def backward(self, dy: Array) -> Array:
        return relu_backward(dy, self.x)


class Sigmoid(Layer):
    def _forward(self, x: Array, *, training: bool) -> Array:
        self.y = sigmoid(x)
        return self.y

    def backward(self, dy: Array) -> Array:
        return sigmoid_backward(dy, self.y)


class Dropout(Layer):
    def __init__(self, rate: float, random: np.random.Generator) -> None:
        super().__init__()
        self.rate, self.random = rate, random

    def _forward(self, x: Array, *, training: bool) -> Array:
        self.mask = np.ones((), x.dtype)
        if training:
            x, self.mask = dropout(x, self.rate, self.random)
        return x

    def backward(self, dy: Array) -> Array:
        return dropout_backward(dy, self.mask)
