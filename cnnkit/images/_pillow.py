"""Pillow's resize, one axis a call: across first, then down, rounded to 8 bits between.

One call for both would leave the order to Pillow, which from 13 on takes the vertical pass first for some shapes.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnkit.images._steps import Scale

__all__ = ["resize"]


def resize(pixels: NDArray[np.uint8], step: Scale) -> NDArray[np.uint8]:
    """(H, W, 3) or (H, W, 1) to the part that `step` keeps, equal to `PIL.Image.resize` to the byte."""
    method = Image.Resampling[step.filter.upper()]
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    keep = step.keep
    image = image.resize((step.size[1], image.height), method)
    image = image.crop((keep.left, 0, keep.left + keep.size[1], image.height))
    image = image.resize((image.width, step.size[0]), method)
    return np.asarray(image).reshape(*image.size[::-1], -1)[keep.top : keep.top + keep.size[0]]
