"""The compiled sum of rows, where the installation could compile it.

The library needs a C compiler when cnnkit is installed, nothing when it runs; it loads in a millisecond.
Without it Pillow itself does the work, to the same bytes.
"""

import ctypes
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.images._weights import Weights

__all__ = ["blend_rows", "has_compiled_resize"]


def _load() -> Any | None:
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_rows{suffix}")
        if path.is_file():
            try:
                function = ctypes.CDLL(str(path)).cnnkit_blend_rows
            except (OSError, AttributeError):  # built for another machine or an older source
                return None
            pointer, size = ctypes.c_void_p, ctypes.c_ssize_t
            function.argtypes = [pointer, size, pointer, pointer, pointer, size, size, pointer]
            function.restype = None
            return function
    return None


_blend_rows = _load()


def has_compiled_resize() -> bool:
    """Say whether the exact resize runs compiled here; pixels are the same either way."""
    return _blend_rows is not None


def blend_rows(source: NDArray[np.uint8], weights: Weights, out: NDArray[np.uint8], *, start: int = 0) -> None:
    """Fill each row of `out` with its weighted sum of rows of `source`, rounded and clipped to 8 bits.

    Both are (rows, ...), C-contiguous, their rows equally long; row 0 of `source` is the weights' row `start`.
    """
    assert _blend_rows is not None
    first, last = weights.span
    if first < start or last - start > len(source) or len(out) != len(weights.first):
        raise ValueError(f"rows {first} to {last} are wanted, {len(source)} from {start} on are there")
    width = out[0].size
    if source[0].size != width or not (source.flags.c_contiguous and out.flags.c_contiguous):
        raise ValueError(f"rows must be equally long and without gaps, got {source.strides} and {out.strides}")
    _blend_rows(
        source.ctypes.data - start * width,
        width,
        weights.first.ctypes.data,
        weights.count.ctypes.data,
        weights.values.ctypes.data,
        weights.values.shape[1],
        len(out),
        out.ctypes.data,
    )
