"""Temperature scaling: the one number that makes probabilities as sure as they should be."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.metrics._checks import check_labels, check_probabilities
from cnnkit.metrics.classification import P_FLOOR

TEMPERATURES = (0.05, 20.0)  # what is looked for
STEPS = 60
ROWS_AT_ONCE = 4096

Floats = NDArray[np.float64]


def fit_temperature(probabilities: ArrayLike, labels: ArrayLike) -> float | None:
    """The T for which softmax(log p / T) has the lowest cross-entropy. Above 1: the model is too sure.

    Fitted on the images that are scored, so what it gains there is somewhat more than elsewhere. Probabilities below
    2^-126 count as 2^-126.

    Args:
        probabilities: (n, classes) in [0, 1], from a softmax.
        labels: (n,) ints in [0, classes).

    Returns:
        T in [0.05, 20], or None where the best lies outside, as when every answer is right.

    Raises:
        ValueError: empty input, disagreeing lengths, a label out of range, a probability outside [0, 1] or NaN.

    Reference: Guo et al. 2017, arXiv:1706.04599.

    >>> p = [[0.99, 0.01]] * 3 + [[0.01, 0.99]] * 3
    >>> round(fit_temperature(p, [0, 0, 1, 1, 1, 0]), 3)
    6.629
    """
    p = check_probabilities(probabilities)
    index = check_labels(labels, n_classes=p.shape[1], n=len(p))
    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if _slope(p, index, low)[0] >= 0 or _slope(p, index, high)[0] <= 0:
        return None
    sharpness = 1.0
    for _ in range(STEPS):  # Newton's steps on a convex function, halved back into the bracket where they leave it
        slope, bend = _slope(p, index, sharpness)
        low, high = (sharpness, high) if slope < 0 else (low, sharpness)
        step = sharpness - slope / bend if bend > 0 else low
        following = step if low < step < high else (low + high) / 2
        if abs(following - sharpness) < 1e-6 * sharpness:
            break
        sharpness = following
    return 1 / sharpness


def tempered_log_losses(probabilities: ArrayLike, labels: ArrayLike, *, temperature: float) -> Floats:
    """-log of the true class's probability under softmax(log p / temperature), in nats: (n,). Lower is better.

    Arguments and errors as in `fit_temperature`; a temperature that is not above 0 is refused.

    >>> tempered_log_losses([[0.8, 0.2]], [0], temperature=2.0).round(4).tolist()
    [0.4055]
    """
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    p = check_probabilities(probabilities)
    index = check_labels(labels, n_classes=p.shape[1], n=len(p))
    losses = []
    for logits, label in _log_blocks(p, index):
        scaled = logits / temperature
        top = scaled.max(axis=1)
        losses.append(np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top - scaled[np.arange(len(label)), label])
    return np.concatenate(losses)


def _log_blocks(p: NDArray[Any], labels: NDArray[np.int64]) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
    for start in range(0, len(p), ROWS_AT_ONCE):
        block = p[start : start + ROWS_AT_ONCE].astype(np.float64)
        yield np.log(np.maximum(block, P_FLOOR)), labels[start : start + ROWS_AT_ONCE]


def _slope(p: NDArray[Any], labels: NDArray[np.int64], sharpness: float) -> tuple[float, float]:
    """First and second derivative of the summed cross-entropy of softmax(sharpness log p) by the sharpness."""
    slope = bend = 0.0
    for logits, label in _log_blocks(p, labels):
        scaled = sharpness * logits
        weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        mean = (weights * logits).sum(axis=1)
        slope += float((mean - logits[np.arange(len(label)), label]).sum())
        bend += float(((weights * logits**2).sum(axis=1) - mean**2).sum())
    return slope, bend
