"""Dropout."""

import numpy as np

from cnnkit.reference._windows import Array

__all__ = ["dropout", "dropout_backward"]


def dropout(x: Array, rate: float, random: np.random.Generator) -> tuple[Array, Array]:
    """Set each value to 0 with probability `rate` and divide the rest by 1 - rate, in training only.

    The division keeps the expected value, so that evaluation leaves x as it is. Returns (y, mask), both of x's shape,
    y = x mask; the mask holds 0 and 1 / (1 - rate).
    """
    if not 0 <= rate < 1:
        raise ValueError(f"a dropout rate lies in [0, 1), got {rate}")
    kept = random.random(x.shape) >= rate
    mask = kept.astype(x.dtype) / x.dtype.type(1 - rate)
    return x * mask, mask


def dropout_backward(dy: Array, mask: Array) -> Array:
    """The gradient by x: dy mask."""
    return dy * mask
