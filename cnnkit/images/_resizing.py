"""Three ways to resize, each equal to what it is named after."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cnnkit.images import _pillow, _torch
from cnnkit.images._opencv import cv2
from cnnkit.images._steps import Scale, Window

__all__ = ["resize"]

_OPENCV = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
    "lanczos4": cv2.INTER_LANCZOS4,
}


def resize(pixels: NDArray[np.uint8], step: Scale) -> NDArray[np.uint8]:
    """(H, W, C) to the part of the resized picture that `step` keeps."""
    return _WAYS[step.implementation](pixels, step)


def _opencv(pixels: NDArray[np.uint8], step: Scale) -> NDArray[np.uint8]:
    height, width = step.size
    resized = cv2.resize(pixels, (width, height), interpolation=_OPENCV[step.filter])
    return cut(resized.reshape(height, width, -1), step.keep)


def cut(pixels: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    return pixels[window.top : window.top + window.size[0], window.left : window.left + window.size[1]]


_WAYS: dict[str, Callable[[NDArray[np.uint8], Scale], NDArray[np.uint8]]] = {
    "pillow": _pillow.resize,
    "torch": _torch.resize,
    "opencv": _opencv,
}
