"""The integer weights of Pillow's resize: which pixels of an axis make a new one, and with what share.

They follow Pillow's C step by step in float64 (`precompute_coeffs`, `normalize_coeffs_8bpc`), so that they are equal.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Weights", "resize_weights"]

BITS = 22  # a weight of 1 is 2^22

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """New pixel i is the sum over k < count[i] of `values[i, k]` times pixel `first[i] + k`; all int32, contiguous.

    `span` is the old pixels that are needed: from, to (exclusive).
    """

    first: NDArray[np.int32]
    count: NDArray[np.int32]
    values: NDArray[np.int32]
    span: tuple[int, int]


@lru_cache(maxsize=256)
def resize_weights(old: int, new: int, filter: str, start: int, stop: int) -> Weights:
    """Weights of the new pixels from `start` to `stop` when an axis of `old` pixels is resized to `new`."""
    support, response = _FILTERS[filter]
    scale = old / new
    stretch = max(scale, 1.0)
    centre = (np.arange(start, stop) + 0.5) * scale
    first = np.maximum((centre - support * stretch + 0.5).astype(np.int32), 0)
    count = np.minimum((centre + support * stretch + 0.5).astype(np.int32), np.int32(old)) - first
    tap = np.arange(count.max())
    shares = response((tap + first[:, None] - centre[:, None] + 0.5) * (1.0 / stretch))
    shares[tap >= count[:, None]] = 0.0
    total = np.add.accumulate(shares, axis=1)[:, -1:]  # one after the other, as a loop adds
    shares = np.divide(shares, total, out=shares, where=total != 0)
    rounded = np.where(shares < 0, -0.5, 0.5) + shares * (1 << BITS)
    span = int(first.min()), int((first + count).max())
    return Weights(first, count, np.ascontiguousarray(rounded, np.int32), span)


def _box(x: Array) -> Array:
    return np.where((x > -0.5) & (x <= 0.5), 1.0, 0.0)


def _bilinear(x: Array) -> Array:
    return np.maximum(1.0 - np.abs(x), 0.0)


def _hamming(x: Array) -> Array:
    """Pillow's constants are C floats; sin and cos are the C library's, as Pillow's are."""
    turned = np.abs(x) * math.pi
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = _sin(turned) / turned * (float(np.float32(0.54)) + float(np.float32(0.46)) * _cos(turned))
    return np.where(x == 0, 1.0, np.where(np.abs(x) >= 1, 0.0, inside))


def _bicubic(x: Array) -> Array:
    a, x = -0.5, np.abs(x)
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _lanczos(x: Array) -> Array:
    return np.where((x >= -3.0) & (x < 3.0), _sinc(x) * _sinc(x / 3), 0.0)


def _sinc(x: Array) -> Array:
    turned = x * math.pi
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x == 0, 1.0, _sin(turned) / turned)


def _sin(x: Array) -> Array:
    return np.asarray(np.vectorize(math.sin, otypes=[np.float64])(x))


def _cos(x: Array) -> Array:
    return np.asarray(np.vectorize(math.cos, otypes=[np.float64])(x))


_FILTERS: dict[str, tuple[float, Callable[[Array], Array]]] = {
    "box": (0.5, _box),
    "bilinear": (1.0, _bilinear),
    "hamming": (1.0, _hamming),
    "bicubic": (2.0, _bicubic),
    "lanczos": (3.0, _lanczos),
}
