"""Steps down the gradient. A step changes the parameters in place."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from cnnkit.reference._windows import Array

__all__ = ["SGD", "AdaGrad", "Optimizer"]


class Optimizer(Protocol):
    memory: dict[str, Array]  # what the steps have gathered, by parameter; with it, another one goes on as this would

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None: ...


class SGD:
    """Stochastic gradient descent: v = momentum v + g, then w = w - lr v, from v = 0."""

    def __init__(self, lr: float, *, momentum: float = 0.0) -> None:
        self.lr, self.momentum = lr, momentum
        self.memory: dict[str, Array] = {}

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        for name, gradient in gradients.items():
            velocity = self.memory.setdefault(name, np.zeros_like(gradient))
            velocity *= self.momentum
            velocity += gradient
            parameters[name][...] -= self.lr * velocity


class AdaGrad:
    """The more a weight has moved, the smaller its steps: h = h + g^2, then w = w - lr g / sqrt(h), from h = `start`.

    The scale of the gradients cancels out.

    Reference: Duchi, Hazan and Singer 2011, JMLR 12:2121.
    """

    def __init__(self, lr: float = 0.01, *, start: float = 1e-8) -> None:
        self.lr, self.start = lr, start
        self.memory: dict[str, Array] = {}

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        for name, gradient in gradients.items():
            squares = self.memory.setdefault(name, np.full_like(gradient, self.start))
            squares += gradient * gradient
            parameters[name][...] -= self.lr * gradient / np.sqrt(squares)
