"""Pictures as columns, so that a convolution is one matrix product."""

import math

import numpy as np

from cnnkit.reference._windows import Array, Padding, Pair, Windows

__all__ = ["col2im", "im2col"]


def im2col(
    x: Array, kernel: Pair, *, stride: Pair = 1, padding: Padding = "valid", dilation: Pair = 1, fill: float = 0.0
) -> Array:
    """Lay what each window sees into a column.

    Args:
        x: (n, c, h, w).
        kernel: (fh, fw), or one number for both.
        stride: steps between windows, (y, x) or one number.
        padding: as in `Windows.over`.
        dilation: distance of neighbouring cells of the kernel.
        fill: what the padding holds.

    Returns:
        (n, c fh fw, oh ow), the rows in the order channel, y, x of the kernel, the columns in the order y, x of the
        windows: columns[n, (c, i, j), (p, q)] = x[n, c, p S + i D - P, q S + j D - P].

    >>> im2col(np.arange(9.0).reshape(1, 1, 3, 3), 2)[0]
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    windows = Windows.over((x.shape[2], x.shape[3]), kernel, stride=stride, padding=padding, dilation=dilation)
    return columns_of(x, windows, fill).reshape(len(x), x.shape[1] * math.prod(windows.kernel), -1)


def col2im(
    columns: Array,
    size: tuple[int, int],
    kernel: Pair,
    *,
    stride: Pair = 1,
    padding: Padding = "valid",
    dilation: Pair = 1,
) -> Array:
    """Add columns back to the pixels that they came from: the transpose of `im2col`.

    A pixel that k windows see gets k summands, so col2im(im2col(x)) counts windows and is not x; what holds is
    sum(im2col(x) * c) = sum(x * col2im(c)), which makes it im2col's gradient.

    Args:
        columns: (n, c fh fw, oh ow), as `im2col` lays them.
        size: (h, w) of the picture.
        kernel: as given to `im2col`, like stride, padding and dilation.
        stride: see `kernel`.
        padding: see `kernel`; what fell on it is dropped.
        dilation: see `kernel`.

    Returns:
        (n, c, h, w).

    >>> col2im(im2col(np.ones((1, 1, 3, 3)), 2), (3, 3), 2)[0, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    windows = Windows.over(size, kernel, stride=stride, padding=padding, dilation=dilation)
    cells = math.prod(windows.kernel)
    return picture_of(columns.reshape(len(columns), -1, cells, *windows.output), windows)


def columns_of(x: Array, windows: Windows, fill: float = 0.0) -> Array:
    """(n, c, h, w) to (n, c, cells, oh, ow)."""
    cells = math.prod(windows.kernel)
    columns = np.empty((*x.shape[:2], cells, *windows.output), dtype=x.dtype)
    for at, cell in enumerate(windows.cells(windows.pad(x, fill))):
        columns[:, :, at] = cell
    return columns


def picture_of(columns: Array, windows: Windows) -> Array:
    """(n, c, cells, oh, ow), summed into (n, c, h, w)."""
    padded = np.zeros((*columns.shape[:2], *windows.padded_size), dtype=columns.dtype)
    for at, cell in enumerate(windows.cells(padded)):
        cell += columns[:, :, at]
    return np.ascontiguousarray(windows.crop(padded))
