"""ReLU, sigmoid and softmax."""

import numpy as np

from cnnkit.reference._windows import Array

__all__ = ["relu", "relu_backward", "sigmoid", "sigmoid_backward", "softmax", "softmax_backward"]


def relu(x: Array) -> Array:
    """max(x, 0), any shape; NaN stays NaN."""
    return np.maximum(x, x.dtype.type(0))


def relu_backward(dy: Array, x: Array) -> Array:
    """The gradient by x: dy where x > 0, else 0; at x = 0, where there is no derivative, 0."""
    return np.where(x > 0, dy, dy.dtype.type(0))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), any shape, without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(x))  # in (0, 1]: for x < 0 the fraction is taken as exp(x) / (1 + exp(x))
    return np.asarray(np.where(x < 0, small, x.dtype.type(1)) / (1 + small))


def sigmoid_backward(dy: Array, y: Array) -> Array:
    """The gradient by x, dy y (1 - y), given the output y = sigmoid(x)."""
    return dy * y * (1 - y)


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / sum of exp(x) along `axis`; the largest x is subtracted first, which changes nothing but overflow.

    >>> softmax(np.array([[0.0, 1000.0]]))
    array([[0., 1.]])
    """
    raised = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(raised / raised.sum(axis=axis, keepdims=True))


def softmax_backward(dy: Array, y: Array, axis: int = -1) -> Array:
    """The gradient by x, y (dy - sum of dy y along `axis`), given the output y = softmax(x)."""
    return np.asarray(y * (dy - (dy * y).sum(axis=axis, keepdims=True)))
