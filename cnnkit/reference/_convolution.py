"""Convolution, as a matrix product over columns."""

import math

import numpy as np

from cnnkit.reference._columns import columns_of, picture_of
from cnnkit.reference._windows import Array, Padding, Pair, Windows

__all__ = ["convolution", "convolution_backward"]

COLUMNS_BYTES = 1 << 26  # pictures are taken together while their columns stay below this


def convolution(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = 1,
    padding: Padding = "valid",
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """Slide `weight` over `x` (the kernel is not flipped: strictly a cross-correlation).

        y[n, f, p, q] = bias[f] + sum over c, i, j of weight[f, c, i, j] x[n, g C / G + c, p S + i D - P, q S + j D - P]

    where g is the group of filter f: with G groups, filters and channels are cut into G equal runs and a filter sees
    only the channels of its own.

    Args:
        x: (n, C, h, w), float32 or float64; the result has its dtype.
        weight: (F, C / G, fh, fw).
        bias: (F,), or None.
        stride: (y, x) or one number.
        padding: a number, (y, x), (top, left, bottom, right), or `valid`, `same`, `full`.
        dilation: distance of neighbouring cells of the kernel.
        groups: G; it must divide C and F.

    Returns:
        (n, F, oh, ow), oh = floor((h + P - D (fh - 1) - 1) / S) + 1 with P the padding on both sides together.

    Raises:
        ValueError: channels that do not fit the weight, groups that do not divide, no room for one window.
    """
    windows = _windows(x, weight, stride, padding, dilation, groups)
    y = np.empty((len(x), len(weight), *windows.output), dtype=x.dtype)
    for block in _blocks(x, windows):
        columns = _grouped(x[block], windows, groups)
        y[block] = (_matrix(weight, groups) @ columns).reshape(-1, len(weight), *windows.output)
    if bias is not None:
        y += bias[:, None, None]
    return y


def convolution_backward(
    dy: Array,
    x: Array,
    weight: Array,
    *,
    stride: Pair = 1,
    padding: Padding = "valid",
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Gradients of the loss by x, weight and bias, given dy (n, F, oh, ow), its gradient by the output.

    With the columns X (C fh fw, oh ow) and the weight W (F, C fh fw), Y = W X, so

        dW = sum over n of dY X^T,   dX = W^T dY (then col2im),   dbias = sum over n, p, q of dy.
    """
    windows = _windows(x, weight, stride, padding, dilation, groups)
    matrix = _matrix(weight, groups)
    dx, dmatrix = np.empty_like(x), np.zeros_like(matrix)
    for block in _blocks(x, windows):
        outer = dy[block].reshape(-1, groups, len(weight) // groups, math.prod(windows.output))
        dmatrix += (outer @ _grouped(x[block], windows, groups).swapaxes(2, 3)).sum(axis=0)
        columns = (matrix.swapaxes(1, 2) @ outer).reshape(len(outer), x.shape[1], -1, *windows.output)
        dx[block] = picture_of(columns, windows)
    return dx, dmatrix.reshape(weight.shape), dy.sum(axis=(0, 2, 3))


def _windows(x: Array, weight: Array, stride: Pair, padding: Padding, dilation: Pair, groups: int) -> Windows:
    channels, filters = x.shape[1], len(weight)
    if channels % groups or filters % groups:
        raise ValueError(f"{groups} groups do not divide {channels} channels and {filters} filters")
    if channels != weight.shape[1] * groups:
        raise ValueError(
            f"x has {channels} channels, a weight {weight.shape} in {groups} groups takes {weight.shape[1] * groups}"
        )
    kernel = (weight.shape[2], weight.shape[3])
    return Windows.over((x.shape[2], x.shape[3]), kernel, stride=stride, padding=padding, dilation=dilation)


def _matrix(weight: Array, groups: int) -> Array:
    """(F, C / G, fh, fw) to (G, F / G, C / G fh fw)."""
    return weight.reshape(groups, len(weight) // groups, -1)


def _grouped(x: Array, windows: Windows, groups: int) -> Array:
    """(n, C, h, w) to (n, G, C / G fh fw, oh ow)."""
    rows = x.shape[1] // groups * math.prod(windows.kernel)
    return columns_of(x, windows).reshape(len(x), groups, rows, math.prod(windows.output))


def _blocks(x: Array, windows: Windows) -> list[slice]:
    one = x.shape[1] * math.prod(windows.kernel) * math.prod(windows.output) * x.itemsize
    step = max(1, COLUMNS_BYTES // max(1, one))
    return [slice(at, at + step) for at in range(0, len(x), step)]
