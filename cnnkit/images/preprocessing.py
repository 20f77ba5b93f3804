"""From decoded pixels to a model's input, as the model's spec says."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnkit.errors import ImageError, ModelError
from cnnkit.images._opencv import cv2
from cnnkit.images._resizing import cut, resize
from cnnkit.images._steps import Border, Gray, Plan, Scale, Step, Window, plan
from cnnkit.images._values import ValueTable
from cnnkit.images.decoding import DEFAULT_MAX_PIXELS, check_header, decode, shown_size
from cnnkit.records import Geometry
from cnnkit.spec import ModelSpec

__all__ = ["Preprocess"]

Pixels = NDArray[np.uint8]


class Preprocess:
    """What a spec says, as functions: `geometry` moves uint8 pixels, `values` turns them into the model's numbers.

    Threads may share one. Plans are kept by picture size.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.input_shape = _input_shape(spec)
        self.dtype = np.dtype(spec.input.dtype)
        self._plan: Callable[[tuple[int, int]], Plan] = lru_cache(maxsize=256)(self._make_plan)
        self._table = ValueTable(spec)

    def __call__(
        self, image: Pixels, out: NDArray[np.generic] | None = None, *, source_size: tuple[int, int] | None = None
    ) -> tuple[NDArray[np.generic], Geometry]:
        """Decoded RGB (H, W, 3) to the model's input without its batch axis, and where the pixels went."""
        pixels, geometry = self._move(image, source_size)
        return self.values(pixels, out), geometry

    def decode(
        self, data: bytes, *, fast: bool = False, max_pixels: int = DEFAULT_MAX_PIXELS
    ) -> tuple[Pixels, tuple[int, int]]:
        """Decode a file as the spec says; raises as `cnnkit.images.decode` does.

        Args:
            data: the whole file.
            fast: let a JPEG of more than twice the size that the first resize makes be decoded at 1/2, 1/4 or 1/8.
                Its pixels differ a little from those of the whole picture.
            max_pixels: the limit on what the header may claim.

        Returns:
            RGB (H, W, 3) uint8, and the whole picture's (height, width): `source_size` of the other functions.
        """
        how = self.spec.decode
        header = check_header(data, max_pixels=max_pixels)
        size = shown_size(header, how)
        reduce = self._reduction(size) if fast and header.kind == "JPEG" else 1
        return decode(data, how, max_pixels=max_pixels, reduce=reduce), size

    def geometry(self, image: Pixels, *, source_size: tuple[int, int] | None = None) -> tuple[Pixels, Geometry]:
        """Move pixels: resize, crop, pad, grey.

        Args:
            image: (H, W, 3) uint8 RGB.
            source_size: (height, width) of the picture that `image` is a reduced decoding of; None: `image` is whole.

        Returns:
            Pixels (h, w, C) uint8 of the input's size, C = 3 in the order RGB whatever the model takes, or 1; and
            the Geometry that takes boxes between them and the whole picture.

        Raises:
            ModelError: the spec's operations do not end at the input's size.
            ImageError: `too_large`, where a resize would make more than DEFAULT_MAX_PIXELS of a long thin picture.
        """
        pixels, geometry = self._move(image, source_size)
        return np.ascontiguousarray(pixels), geometry

    def values(self, pixels: Pixels, out: NDArray[np.generic] | None = None) -> NDArray[np.generic]:
        """Turn pixels (h, w, C) into the model's numbers, (C, h, w) or (h, w, C), its channel order and type.

        Rescale multiplies in float64 and rounds to float32; normalize subtracts and divides in float32. Integer
        inputs are rounded half to even and clipped. A pixel has 256 values, so a table of their results is looked up.

        Args:
            pixels: (h, w, C) uint8 of the input's size, as `geometry` gives them.
            out: where to write, of the input's shape and type, such as `batch[i]`; None: a new array.
        """
        sides = pixels.shape[:2] if self.spec.input.any_size else self.spec.input.size
        wanted = (*sides, self.spec.input.n_channels)
        if pixels.shape != wanted or pixels.dtype != np.uint8:
            raise ValueError(f"pixels must be uint8 {wanted}, got {pixels.dtype} {pixels.shape}")
        shape = wanted if self.spec.input.any_size else self.input_shape
        if out is None:
            out = np.empty(shape, self.dtype)
        if out.shape != shape or out.dtype != self.dtype or not out.flags.c_contiguous:
            raise ValueError(
                f"out must be {self.dtype} {shape} without gaps, got {out.dtype} {out.shape} with strides {out.strides}"
            )
        self._table.write(pixels, out)
        return out

    def _move(self, image: Pixels, source_size: tuple[int, int] | None) -> tuple[Pixels, Geometry]:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"an image must be uint8 (H, W, 3), got {image.dtype} {image.shape}")
        height, width = image.shape[:2]
        steps = self._plan(source_size or (height, width))
        if source_size not in (None, (height, width)) and steps.first_scale is None:
            raise ValueError(
                f"{(height, width)} pixels cannot stand for a picture of {source_size}: no resize comes first"
            )
        pixels = np.ascontiguousarray(image)
        for step in steps.steps:
            pixels = _apply(pixels, step)
        return pixels, Geometry(steps.source, steps.size, steps.scale, steps.offset)

    def _reduction(self, size: tuple[int, int]) -> int:
        """The strongest of 1/8, 1/4, 1/2 that leaves more pixels than the resize makes; else 1."""
        scale = self._plan(size).first_scale
        if scale is None:
            return 1
        ratio = min(size[0] / scale.size[0], size[1] / scale.size[1])
        return next((reduce for reduce in (8, 4, 2) if reduce < ratio), 1)

    def _make_plan(self, size: tuple[int, int]) -> Plan:
        made = plan(self.spec.geometry_operations, size)
        _check_sizes(made)
        if made.size != self.spec.input.size and not self.spec.input.any_size:
            raise ModelError(
                f"the spec's preprocessing makes {made.size} of a picture of {size}, the input "
                f"{self.spec.input.name!r} takes {self.spec.input.size} (all height, width); "
                "end it with a center_crop, or resize with mode exact or letterbox"
            )
        return made


def _check_sizes(made: Plan) -> None:
    """A line of pixels whose short side is to become 256 would take more memory than there is."""
    for step in made.steps:
        if not isinstance(step, Gray) and step.size[0] * step.size[1] > DEFAULT_MAX_PIXELS:
            raise ImageError(
                "too_large",
                f"a picture of {made.source[1]}x{made.source[0]} pixels would be resized to "
                f"{step.size[1]}x{step.size[0]}, more than {DEFAULT_MAX_PIXELS:,} pixels",
            )


def _input_shape(spec: ModelSpec) -> tuple[int, int, int]:
    (height, width), channels = spec.input.size, spec.input.n_channels
    return (channels, height, width) if spec.input.layout == "NCHW" else (height, width, channels)


def _apply(pixels: Pixels, step: Step) -> Pixels:
    match step:
        case Gray():
            return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
        case Scale():
            return resize(pixels, step)
        case Window():
            return cut(pixels, step)
        case Border():
            return _surround(pixels, step)


_BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
}


def _surround(pixels: Pixels, step: Border) -> Pixels:
    height, width, channels = pixels.shape
    bottom, right = step.size[0] - height - step.top, step.size[1] - width - step.left
    fill = (step.fill,) * channels
    around = cv2.copyMakeBorder(pixels, step.top, bottom, step.left, right, _BORDERS[step.mode], value=fill)
    return np.asarray(around, np.uint8).reshape(*step.size, channels)
