"""Max and average pooling over windows of a picture, and over all of it."""

import math

import numpy as np

from cnnkit.reference._columns import columns_of, picture_of
from cnnkit.reference._windows import Array, Padding, Pair, Windows

__all__ = [
    "average_pool",
    "average_pool_backward",
    "global_average_pool",
    "global_average_pool_backward",
    "global_max_pool",
    "global_max_pool_backward",
    "max_pool",
    "max_pool_backward",
]


def max_pool(
    x: Array,
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = "valid",
    dilation: Pair = 1,
    ceil: bool = False,
) -> Array:
    """The largest value of each window: y[n, c, p, q] = max over i, j of x[n, c, p S + i D - P, q S + j D - P].

    Args:
        x: (n, c, h, w).
        kernel: (fh, fw), or one number for both.
        stride: None means the kernel: windows side by side.
        padding: as for `convolution`; it holds -inf and so never wins.
        dilation: distance of neighbouring cells.
        ceil: let the last window hang over the edge.

    Returns:
        (n, c, oh, ow); NaN where a window holds one.
    """
    windows = _windows(x, kernel, stride, padding, dilation, ceil=ceil)
    cells = windows.cells(windows.pad(x, -np.inf))
    y = next(cells).copy()
    for cell in cells:
        np.maximum(y, cell, out=y)
    return y


def max_pool_backward(
    dy: Array,
    x: Array,
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = "valid",
    dilation: Pair = 1,
    ceil: bool = False,
) -> Array:
    """Each dy (n, c, oh, ow) goes to the pixel that was the largest; of equals, to the first in row order."""
    windows = _windows(x, kernel, stride, padding, dilation, ceil=ceil)
    columns = columns_of(x, windows, -np.inf)
    winner = columns.argmax(axis=2, keepdims=True)
    columns[...] = 0
    np.put_along_axis(columns, winner, dy[:, :, None], axis=2)
    return picture_of(columns, windows)


def average_pool(
    x: Array,
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = "valid",
    dilation: Pair = 1,
    ceil: bool = False,
    count_padding: bool = True,
) -> Array:
    """The mean of each window: y[n, c, p, q] = (sum over i, j of x[n, c, p S + i D - P, q S + j D - P]) / count[p, q].

    `count` is fh fw with `count_padding`, else the number of pixels of the picture in the window. What a `ceil` window
    covers beyond the padding never counts. The other arguments are those of `max_pool`.
    """
    windows = _windows(x, kernel, stride, padding, dilation, ceil=ceil)
    cells = windows.cells(windows.pad(x))
    y = next(cells).copy()
    for cell in cells:
        y += cell
    y /= _counts(windows, count_padding=count_padding)
    return y


def average_pool_backward(
    dy: Array,
    x: Array,
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = "valid",
    dilation: Pair = 1,
    ceil: bool = False,
    count_padding: bool = True,
) -> Array:
    """Each dy (n, c, oh, ow), over its count, goes to every pixel of its window."""
    windows = _windows(x, kernel, stride, padding, dilation, ceil=ceil)
    share = (dy / _counts(windows, count_padding=count_padding)).astype(dy.dtype)
    cells = math.prod(windows.kernel)
    return picture_of(np.broadcast_to(share[:, :, None], (*share.shape[:2], cells, *share.shape[2:])), windows)


def global_max_pool(x: Array) -> Array:
    """(n, c, h, w) to (n, c, 1, 1): the largest value of each channel."""
    return np.asarray(x.max(axis=(2, 3), keepdims=True))


def global_max_pool_backward(dy: Array, x: Array) -> Array:
    """Each dy (n, c, 1, 1) goes to the first largest pixel of its channel."""
    return max_pool_backward(dy, x, (x.shape[2], x.shape[3]))


def global_average_pool(x: Array) -> Array:
    """(n, c, h, w) to (n, c, 1, 1): the mean of each channel."""
    return np.asarray(x.mean(axis=(2, 3), keepdims=True))


def global_average_pool_backward(dy: Array, x: Array) -> Array:
    """Each dy (n, c, 1, 1), over h w, goes to every pixel of its channel."""
    return np.array(np.broadcast_to(dy / (x.shape[2] * x.shape[3]), x.shape))


def _windows(x: Array, kernel: Pair, stride: Pair | None, padding: Padding, dilation: Pair, *, ceil: bool) -> Windows:
    return Windows.over(
        (x.shape[2], x.shape[3]),
        kernel,
        stride=kernel if stride is None else stride,
        padding=padding,
        dilation=dilation,
        ceil=ceil,
    )


def _counts(windows: Windows, *, count_padding: bool) -> Array:
    """(oh, ow): what each window's sum is divided by."""
    ones = windows.pad(np.ones(windows.size), 1.0 if count_padding else 0.0, extra=0.0)
    return np.asarray(sum(windows.cells(ones)))
