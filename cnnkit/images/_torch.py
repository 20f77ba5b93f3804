"""`torch.nn.functional.interpolate` without torch: bilinear and bicubic, no antialias, align_corners=False."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cnnkit.images._steps import Scale

__all__ = ["resize"]

Weights = tuple[NDArray[np.intp], NDArray[np.float32]]


def resize(pixels: NDArray[np.uint8], step: Scale) -> NDArray[np.uint8]:
    """(H, W, C) to the part that `step` keeps; float32 inside, rounded half to even, clipped, as torchvision does."""
    keep = step.keep
    rows, down = _weights(pixels.shape[0], step.size[0], step.filter)
    columns, across = _weights(pixels.shape[1], step.size[1], step.filter)
    kept_rows = slice(keep.top, keep.top + keep.size[0])
    kept_columns = slice(keep.left, keep.left + keep.size[1])
    values = pixels[:, columns[:, kept_columns]].astype(np.float32)
    values = np.einsum("hkwc,kw->hwc", values, across[:, kept_columns])
    values = np.einsum("khwc,kh->hwc", values[rows[:, kept_rows]], down[:, kept_rows])
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


@lru_cache(maxsize=64)
def _weights(size: int, resized: int, filter: str) -> Weights:
    """Which pixels (taps, resized) each new one is made of, and their shares; edges are repeated."""
    scale = np.float32(size) / np.float32(resized)
    centre = scale * (np.arange(resized, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5)
    if filter == "bilinear":
        centre = np.maximum(centre, np.float32(0))
    first = np.floor(centre)
    part = centre - first
    taps = _linear(part) if filter == "bilinear" else _cubic(part)
    before = 0 if filter == "bilinear" else 1
    index = first.astype(np.intp) + np.arange(len(taps))[:, None] - before
    return np.clip(index, 0, size - 1), np.stack(taps).astype(np.float32)


def _linear(part: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [1 - part, part]


def _cubic(part: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Keys' cubic convolution with A = -0.75, as torch and OpenCV have it."""
    a = np.float32(-0.75)
    outer = [((a * x - 5 * a) * x + 8 * a) * x - 4 * a for x in (part + 1, 2 - part)]
    inner = [((a + 2) * x - (a + 3)) * x * x + 1 for x in (part, 1 - part)]
    return [outer[0], inner[0], inner[1], outer[1]]
