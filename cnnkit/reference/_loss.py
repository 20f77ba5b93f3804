"""What training makes small."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.reference._activations import softmax
from cnnkit.reference._windows import Array

__all__ = ["l1", "l2", "softmax_cross_entropy", "softmax_cross_entropy_backward"]


def softmax_cross_entropy(logits: Array, labels: NDArray[np.integer]) -> float:
    """Mean of -log softmax(logits)[label]. Lower is better; 0 is perfect, log C is a guess.

    L = 1/n sum over n of (log sum over k of exp(logits[n, k]) - logits[n, labels[n]])

    Args:
        logits: (n, C).
        labels: (n,) ints in [0, C).

    Returns:
        A float, at least 0; never infinite for finite logits, since the logarithm is taken of the sum.

    Raises:
        ValueError: no samples, disagreeing lengths, a label out of range.

    >>> round(softmax_cross_entropy(np.zeros((2, 10)), np.array([3, 7])), 4)
    2.3026
    """
    _check(logits, labels)
    shifted = logits - logits.max(axis=1, keepdims=True)
    true = shifted[np.arange(len(labels)), labels]
    return float((np.log(np.exp(shifted).sum(axis=1)) - true).mean(dtype=np.float64))


def softmax_cross_entropy_backward(logits: Array, labels: NDArray[np.integer]) -> Array:
    """Gradient by the logits, (n, C): (softmax(logits) - one_hot(labels)) / n."""
    _check(logits, labels)
    dlogits = softmax(logits, axis=1)
    dlogits[np.arange(len(labels)), labels] -= 1
    return np.asarray(dlogits / len(labels))


def l1(weight: Array, strength: float) -> tuple[float, Array]:
    """The penalty strength sum |w| and its gradient strength sign(w), 0 at w = 0: it pulls small weights to 0."""
    return float(strength * np.abs(weight).sum(dtype=np.float64)), np.asarray(strength * np.sign(weight))


def l2(weight: Array, strength: float) -> tuple[float, Array]:
    """The penalty strength / 2 sum w^2 and its gradient strength w: it pulls every weight in proportion."""
    return float(strength / 2 * np.square(weight).sum(dtype=np.float64)), np.asarray(strength * weight)


def _check(logits: Array, labels: NDArray[np.integer]) -> None:
    if logits.ndim != 2 or labels.shape != (len(logits),) or not len(labels):
        raise ValueError(f"logits must be (n, C) and labels (n,) with n > 0, got {logits.shape} and {labels.shape}")
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}, expected 0 to {logits.shape[1] - 1}")
