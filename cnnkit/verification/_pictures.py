"""The images a file is verified on: named ones, those of the training record, or two photographs in crops."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit import data, images
from cnnkit.errors import DataError, ImageError
from cnnkit.records import Sample

N_PICTURES = 32


@dataclass(frozen=True, slots=True)
class Picture:
    """One image file's bytes."""

    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Pictures:
    """Images that decode, and where they come from, in words."""

    origin: str
    each: tuple[Picture, ...]


def find_pictures(chosen: Path | None, recorded: Path | None, *, n: int = N_PICTURES) -> Pictures:
    """At most `n` images of `chosen`; else of `recorded` if it is still there; else crops of two photographs.

    Raises DataError when `chosen` holds no image that can be read.
    """
    if chosen is not None:
        found = pictures_of(chosen, n=n)
        if not found:
            raise DataError(
                f"{chosen}: no image there can be read; verification needs at least one. Give --images DIR."
            )
        return Pictures(str(chosen), found)
    with suppress(DataError):  # the folder of the training record may have been emptied since
        found = pictures_of(recorded, n=n) if recorded is not None and recorded.exists() else ()
        if found:
            return Pictures(f"{recorded} (the training record's)", found)
    return Pictures("crops of scikit-learn's china.jpg and flower.jpg", _photo_crops(n))


def pictures_of(root: Path, *, n: int) -> tuple[Picture, ...]:
    """`n` images spread evenly over the sorted list of a folder, so that every class folder has its share."""
    listing = data.find_images(root)
    return _readable([listing[at * len(listing) // n] for at in range(n)] if len(listing) > n else list(listing))


def _readable(samples: Sequence[Sample]) -> tuple[Picture, ...]:
    found = []
    for sample in samples:
        try:
            picture = Picture(sample.key, sample.path.read_bytes())
            images.decode(picture.data)
        except (OSError, ImageError):
            continue
        found.append(picture)
    return tuple(found)


@cache
def _photo_crops(n: int) -> tuple[Picture, ...]:
    """Crops of many sizes and places, as PNG bytes: the same on every machine."""
    photos = [(name, images.decode(photo)) for name, photo in data.sample_photos().items()]
    crops = []
    for at in range(n):
        name, pixels = photos[at % len(photos)]
        height, width = (side * (3 + at % 5) // 8 for side in pixels.shape[:2])
        top = (pixels.shape[0] - height) * (at * 7 % n) // n
        left = (pixels.shape[1] - width) * (at * 11 % n) // n
        crop = pixels[top : top + height, left : left + width]
        crops.append(Picture(f"{name} {width}x{height}+{left}+{top}", _png(crop)))
    return tuple(crops)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    import cv2

    _, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()
