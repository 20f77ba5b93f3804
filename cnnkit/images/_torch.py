"""`torch.nn.functional.interpolate` without torch: bilinear and bicubic, no antialias, align_corners=False.

The sums are float32 in torch's order, with a fused multiply-add wherever its x86 builds have one: a last bit that
differs there turns into a level where a sum lies near a half.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cnnkit.images._steps import Scale

__all__ = ["resize"]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_HALF, _ONE = np.float32(0.5), np.float32(1)


def resize(pixels: Pixels, step: Scale) -> Pixels:
    """(H, W, C) to the part that `step` keeps; rounded half to even and clipped, as torchvision turns it into uint8."""
    (top, left), (height, width) = (step.keep.top, step.keep.left), step.keep.size
    rows, down = _taps(pixels.shape[0], step.size[0], step.filter)
    columns, across = _taps(pixels.shape[1], step.size[1], step.filter)
    kept_rows, kept_columns = slice(top, top + height), slice(left, left + width)
    combine = _four_corners if step.filter == "bilinear" and pixels.shape[2] == 3 else _one_axis_then_other
    levels = combine(pixels, rows[:, kept_rows], down[:, kept_rows], columns[:, kept_columns], across[:, kept_columns])
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)


def _four_corners(
    pixels: Pixels, rows: NDArray[np.intp], down: Floats, columns: NDArray[np.intp], across: Floats
) -> Floats:
    """All four corners in one sum, each with the product of its two shares: bilinear over three channels."""
    total: Floats | None = None
    for row, column in ((0, 1), (0, 0), (1, 0), (1, 1)):
        share = (down[row][:, None] * across[column])[:, :, None]
        corner = pixels[rows[row][:, None], columns[column]]
        total = corner * share if total is None else _fused(corner, share, total)
    assert total is not None
    return total


def _one_axis_then_other(
    pixels: Pixels, rows: NDArray[np.intp], down: Floats, columns: NDArray[np.intp], across: Floats
) -> Floats:
    """Across first, over the rows that are needed, then down: bicubic, and bilinear over one channel."""
    first = int(rows.min())
    needed = pixels[first : int(rows.max()) + 1]
    lines = _chained([needed[:, column] for column in columns], across[:, None, :, None])
    return _chained([lines[row - first] for row in rows], down[:, :, None, None])


def _chained(parts: list[Pixels] | list[Floats], shares: Floats) -> Floats:
    """Sum the parts; the second comes first, since compilers fuse the first product into it."""
    total: Floats = parts[1] * shares[1]
    for tap in (0, *range(2, len(parts))):
        total = _fused(parts[tap], shares[tap], total)
    return total


@lru_cache(maxsize=64)
def _taps(size: int, resized: int, filter: str) -> tuple[NDArray[np.intp], Floats]:
    """Which pixels (taps, resized) each new one is made of, and their shares; beyond an edge the edge is repeated."""
    scale = np.float32(size) / np.float32(resized)
    centre = _fused(scale, np.arange(resized, dtype=np.float32) + _HALF, -_HALF)
    if filter == "bilinear":
        centre = np.maximum(centre, np.float32(0))
    first = np.floor(centre)
    part = np.clip(centre - first, 0, 1)
    shares = [_ONE - part, part] if filter == "bilinear" else _cubic(part)
    before = 0 if filter == "bilinear" else 1
    index = first.astype(np.intp) + np.arange(len(shares))[:, None] - before
    return np.clip(index, 0, size - 1), np.stack(shares)


def _cubic(part: Floats) -> list[Floats]:
    """Keys' cubic convolution with A = -0.75."""
    a = np.float32(-0.75)

    def near(x: Floats) -> Floats:
        return np.asarray(_fused(a + 2, x, -(a + 3)) * x * x + _ONE)

    def far(x: Floats) -> Floats:
        return np.asarray(_fused(_fused(a, x, -5 * a), x, 8 * a) * x - 4 * a)

    rest = _ONE - part
    return [far(part + _ONE), near(part), near(rest), far(rest + _ONE)]


def _fused(a: Pixels | Floats | np.float32, b: Floats, c: Floats | np.float32) -> Floats:
    """Take a * b + c with one rounding: the product of two float32 is exact in float64."""
    return np.asarray(a * b.astype(np.float64) + c, np.float32)
