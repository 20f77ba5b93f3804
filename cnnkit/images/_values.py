"""The values that a pixel's 256 levels become: worked out once, then looked up."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.images._opencv import cv2
from cnnkit.spec import ModelSpec, Normalize, Rescale

__all__ = ["ValueTable", "level_values"]

_CARRIERS = {1: np.uint8, 2: np.int16, 4: np.float32}  # OpenCV moves bytes; these it takes for every type of that size


class ValueTable:
    """Writes pixels (h, w, C) as a model's values, in its layout, channel order and type."""

    def __init__(self, spec: ModelSpec) -> None:
        levels = level_values(spec)
        self._carrier = _CARRIERS[levels.itemsize]
        self._levels = levels.view(self._carrier)
        self._swapped = spec.input.channels == "BGR"
        self._planar = spec.input.layout == "NCHW"

    def write(self, pixels: NDArray[np.uint8], out: NDArray[np.generic]) -> None:
        out = out.view(self._carrier)
        if self._planar:
            planes = cv2.split(pixels)
            for plane, table, target in zip(planes[::-1] if self._swapped else planes, self._levels, out, strict=True):
                cv2.LUT(plane, table, dst=target)
        elif len(self._levels) == 1:
            cv2.LUT(pixels[:, :, 0], self._levels[0], dst=out[:, :, 0])
        else:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if self._swapped else pixels
            cv2.LUT(pixels, self._levels.T[None], dst=out)


def level_values(spec: ModelSpec) -> NDArray[np.generic]:
    """(C, 256) in the input's type: what each level of each channel becomes, channels in the model's order.

    The order and the roundings are torchvision's, so that `ToTensor` and `Normalize` give the same bits.
    """
    levels = np.tile(np.arange(256, dtype=np.float32), (spec.input.n_channels, 1))
    for operation in spec.value_operations:
        if isinstance(operation, Rescale):
            levels = (levels.astype(np.float64) * operation.scale + operation.offset).astype(np.float32)
        elif isinstance(operation, Normalize):
            mean, std = (np.array(v, np.float32)[:, None] for v in (operation.mean, operation.std))
            levels = (levels - mean) / std
    if spec.input.dtype in ("uint8", "int8"):
        limits = np.iinfo(spec.input.dtype)
        levels = np.clip(np.rint(levels), limits.min, limits.max)
    return levels.astype(spec.input.dtype)
