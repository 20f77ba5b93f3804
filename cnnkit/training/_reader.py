"""From a file to pixels, by one spec."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import images
from cnnkit.errors import ImageError
from cnnkit.records import Sample
from cnnkit.spec import ModelSpec
from cnnkit.training._crops import ResizedCrop

__all__ = ["Pixels", "Reader"]


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture as decoded, RGB (H, W, 3), and after the spec's geometry, (h, w, C)."""

    source: NDArray[np.uint8]
    pixels: NDArray[np.uint8]


class Reader:
    """Decodes and moves pixels as the spec says; `crop` is there when training crops at random instead."""

    def __init__(self, spec: ModelSpec, resized_crop: float | None = None) -> None:
        self._from = (spec, resized_crop)
        self._decode = spec.decode
        self._preprocess = images.Preprocess(spec)
        self.crop = None if resized_crop is None else ResizedCrop(spec, resized_crop)

    def __reduce__(self) -> tuple[Any, ...]:
        return Reader, self._from

    def source(self, sample: Sample) -> NDArray[np.uint8]:
        """RGB (H, W, 3). ImageError when the file cannot be read or is no good image."""
        try:
            data = sample.path.read_bytes()
        except OSError as error:
            raise ImageError("unreadable", error.strerror or str(error)) from error
        return images.decode(data, self._decode)

    def read(self, sample: Sample) -> Pixels:
        source = self.source(sample)
        return Pixels(source, self._preprocess.geometry(source)[0])

    def training_pixels(self, sample: Sample, random: np.random.Generator) -> NDArray[np.uint8]:
        source = self.source(sample)
        return self.crop(source, random) if self.crop else self._preprocess.geometry(source)[0]
