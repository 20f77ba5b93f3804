"""Pillow's resize, one axis a call: across first, then down, rounded to 8 bits between.

One call for both would leave the order to Pillow, which from 13 on takes the vertical pass first for some shapes.
The same sums run compiled where they can, over the rows and columns that are kept; every byte is the same.
"""

import threading

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnkit.images import _kernel
from cnnkit.images._opencv import cv2
from cnnkit.images._steps import Scale
from cnnkit.images._weights import Weights, resize_weights

__all__ = ["resize", "resize_compiled", "resize_with_pillow"]

Pixels = NDArray[np.uint8]

TILE_BYTES = 1 << 19  # rows are turned and summed this many bytes at a time, so that they stay in the cache


def resize(pixels: Pixels, step: Scale) -> Pixels:
    """(H, W, 3) or (H, W, 1) to the part that `step` keeps, equal to `PIL.Image.resize` to the byte."""
    if _kernel.has_compiled_resize() and step.filter != "nearest":
        return resize_compiled(pixels, step)
    return resize_with_pillow(pixels, step)


def resize_with_pillow(pixels: Pixels, step: Scale) -> Pixels:
    method = Image.Resampling[step.filter.upper()]
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    keep = step.keep
    image = image.resize((step.size[1], image.height), method)
    image = image.crop((keep.left, 0, keep.left + keep.size[1], image.height))
    image = image.resize((image.width, step.size[0]), method)
    return np.asarray(image).reshape(*image.size[::-1], -1)[keep.top : keep.top + keep.size[0]]


def resize_compiled(pixels: Pixels, step: Scale) -> Pixels:
    """Do the same sums with our own kernel; any filter but nearest. An axis that keeps its length is left alone."""
    top, left = step.keep.top, step.keep.left
    bottom, right = top + step.keep.size[0], left + step.keep.size[1]
    height, width, channels = pixels.shape
    out = np.empty((*step.keep.size, channels), np.uint8)
    down = None if step.size[0] == height else resize_weights(height, step.size[0], step.filter, top, bottom)
    first, last = down.span if down else (top, bottom)
    if step.size[1] == width:
        pixels = np.ascontiguousarray(pixels[first:last, left:right])
    else:
        across = resize_weights(width, step.size[1], step.filter, left, right)
        between = _scratch("between", (last - first, right - left, channels)) if down else out
        pixels = _resize_across(pixels[first:last], across, between)
    if down:
        _kernel.blend_rows(pixels, down, out, start=first)
    return out if down else pixels


def _resize_across(pixels: Pixels, weights: Weights, out: Pixels) -> Pixels:
    """Turn the picture, so that columns are rows that lie along memory, sum them, and turn it back into `out`."""
    height, _, channels = pixels.shape
    left, right = weights.span
    tile = max(16, TILE_BYTES // ((right - left) * channels))
    for top in range(0, height, tile):
        part = pixels[top : top + tile, left:right]
        turned = _turn(part, _scratch("turned", (right - left, len(part), channels)))
        summed = _scratch("summed", (len(weights.first), len(part), channels))
        _kernel.blend_rows(turned, weights, summed, start=left)
        _turn(summed, out[top : top + tile])
    return out


def _turn(pixels: Pixels, out: Pixels) -> Pixels:
    """Swap rows and columns into `out`."""
    if pixels.shape[2] == 1:
        cv2.transpose(pixels[:, :, 0], out[:, :, 0])
    else:
        cv2.transpose(pixels, out)
    return out


class _Scratch(threading.local):
    """Memory that a thread uses again: fresh pages would cost as much as the sums."""

    def __init__(self) -> None:
        self.buffers: dict[str, Pixels] = {}


_scratches = _Scratch()


def _scratch(name: str, shape: tuple[int, int, int]) -> Pixels:
    size = shape[0] * shape[1] * shape[2]
    buffers = _scratches.buffers
    if name not in buffers or len(buffers[name]) < size:
        buffers[name] = np.empty(size, np.uint8)
    return buffers[name][:size].reshape(shape)
