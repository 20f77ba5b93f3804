"""Random resized crop: a part of the decoded picture, resized by the spec's own resize, in place of its geometry."""

import math

import numpy as np
from numpy.typing import NDArray

from cnnkit import images
from cnnkit.spec import ModelSpec, Operation, Resize, ToGray

__all__ = ["ResizedCrop", "crop_window"]

ASPECTS = (3 / 4, 4 / 3)
TRIES = 10


class ResizedCrop:
    """`crop(source, random)` cuts at least `least_share` of the area out of RGB (H, W, 3) and resizes it."""

    def __init__(self, spec: ModelSpec, least_share: float) -> None:
        self._least_share = least_share
        self._preprocess = images.Preprocess(_filling(spec))

    def __call__(self, source: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
        top, left, height, width = crop_window(source.shape[0], source.shape[1], self._least_share, random)
        return self._preprocess.geometry(source[top : top + height, left : left + width])[0]


def crop_window(height: int, width: int, least_share: float, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw (top, left, height, width) of a crop, in pixels.

    Its share of the area is uniform in [least_share, 1], the logarithm of width over height uniform between those of
    3/4 and 4/3. When ten draws do not fit in the picture, the largest crop in its middle with an aspect in that range
    is taken: the rule of torchvision's RandomResizedCrop.
    """
    for _ in range(TRIES):
        area = height * width * random.uniform(least_share, 1.0)
        aspect = math.exp(random.uniform(math.log(ASPECTS[0]), math.log(ASPECTS[1])))
        wide, high = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < wide <= width and 0 < high <= height:
            return int(random.integers(height - high + 1)), int(random.integers(width - wide + 1)), high, wide
    wide = min(width, max(1, round(height * ASPECTS[1])))
    high = min(height, max(1, round(width / ASPECTS[0])))
    return (height - high) // 2, (width - wide) // 2, high, wide


def _filling(spec: ModelSpec) -> ModelSpec:
    """The spec with the whole picture resized to the input's size, by the filter that the spec names."""
    resizes = [operation for operation in spec.geometry_operations if isinstance(operation, Resize)]
    own = resizes[0] if resizes else Resize(size=1)
    exact = Resize(size=spec.input.size, mode="exact", filter=own.filter, implementation=own.implementation)
    gray: tuple[Operation, ...] = tuple(op for op in spec.geometry_operations if isinstance(op, ToGray))
    return spec.model_copy(update={"preprocess": (*gray, exact, *spec.value_operations)})
