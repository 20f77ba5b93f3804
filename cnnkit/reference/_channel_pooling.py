"""Pooling over neighbouring channels of one pixel, in place of neighbouring pixels of one channel."""

import numpy as np

from cnnkit.reference._pooling import average_pool, average_pool_backward, max_pool, max_pool_backward
from cnnkit.reference._windows import Array

__all__ = [
    "channel_average_pool",
    "channel_average_pool_backward",
    "channel_max_pool",
    "channel_max_pool_backward",
]


def channel_max_pool(x: Array, size: int, *, stride: int | None = None) -> Array:
    """The largest of `size` neighbouring channels: y[n, k, p, q] = max over i of x[n, k S + i, p, q].

    Args:
        x: (n, c, h, w).
        size: how many channels a window holds.
        stride: None means `size`: windows side by side.

    Returns:
        (n, floor((c - size) / S) + 1, h, w).

    >>> channel_max_pool(np.array([1.0, 5.0, 2.0, 3.0]).reshape(1, 4, 1, 1), 2).ravel()
    array([5., 3.])
    """
    return _unrolled(max_pool(_rolled(x), (size, 1), stride=(stride or size, 1)), x)


def channel_max_pool_backward(dy: Array, x: Array, size: int, *, stride: int | None = None) -> Array:
    """Each dy goes to the channel that was the largest; of equals, to the first."""
    return _unrolled(max_pool_backward(_rolled(dy), _rolled(x), (size, 1), stride=(stride or size, 1)), x)


def channel_average_pool(x: Array, size: int, *, stride: int | None = None) -> Array:
    """The mean of `size` neighbouring channels; shapes as in `channel_max_pool`."""
    return _unrolled(average_pool(_rolled(x), (size, 1), stride=(stride or size, 1)), x)


def channel_average_pool_backward(dy: Array, x: Array, size: int, *, stride: int | None = None) -> Array:
    """Each dy, over `size`, goes to every channel of its window."""
    return _unrolled(average_pool_backward(_rolled(dy), _rolled(x), (size, 1), stride=(stride or size, 1)), x)


def _rolled(x: Array) -> Array:
    """(n, c, h, w) to (n, 1, c, h w): the channels become an axis that windows slide over."""
    return x.reshape(len(x), 1, x.shape[1], -1)


def _unrolled(y: Array, x: Array) -> Array:
    return np.ascontiguousarray(y).reshape(len(x), y.shape[2], *x.shape[2:])
