"""Batch normalisation."""

import numpy as np

from cnnkit.reference._windows import Array

__all__ = ["batch_norm", "batch_norm_backward", "batch_statistics"]


def batch_norm(x: Array, gamma: Array, beta: Array, mean: Array, variance: Array, *, epsilon: float = 1e-5) -> Array:
    """Bring each channel to one mean and spread: y = gamma (x - mean) / sqrt(variance + epsilon) + beta.

    Args:
        x: (n, c) or (n, c, h, w).
        gamma: (c,), like beta, mean and variance.
        beta: see `gamma`.
        mean: of the batch in training (`batch_statistics`), the running one in evaluation.
        variance: as `mean`; divided by the count, not by the count less one.
        epsilon: keeps the root from 0.

    Returns:
        The shape of x.
    """
    scale = gamma / np.sqrt(variance + gamma.dtype.type(epsilon))
    return x * _spread(scale, x) + _spread(beta - mean * scale, x)


def batch_statistics(x: Array) -> tuple[Array, Array]:
    """Mean and variance (divided by the count) of each channel over all samples and pixels: (c,), (c,)."""
    axes = _axes(x)
    return x.mean(axis=axes), x.var(axis=axes)


def batch_norm_backward(dy: Array, x: Array, gamma: Array, *, epsilon: float = 1e-5) -> tuple[Array, Array, Array]:
    """Gradients by x, gamma and beta in training, where mean and variance come from x itself.

    With z = (x - mean) / s, s = sqrt(variance + epsilon), and means taken over the samples and pixels of a channel,

        dgamma = sum of dy z,   dbeta = sum of dy,   dx = gamma / s (dy - mean(dy) - z mean(dy z)).
    """
    mean, variance = batch_statistics(x)
    root = np.sqrt(variance + gamma.dtype.type(epsilon))
    z = (x - _spread(mean, x)) / _spread(root, x)
    axes = _axes(x)
    dgamma, dbeta = (dy * z).sum(axis=axes), dy.sum(axis=axes)
    count = x.size // x.shape[1]
    dx = _spread(gamma / root, x) * (dy - _spread(dbeta / count, x) - z * _spread(dgamma / count, x))
    return dx, dgamma, dbeta


def _axes(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _spread(values: Array, x: Array) -> Array:
    return values.reshape(1, -1, *[1] * (x.ndim - 2))
