"""Properties of images that have to be read for: size, aspect, brightness, blur, JPEG quality."""

import hashlib
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import path_of_key
from cnnkit.errors import ImageError
from cnnkit.evaluation._jpeg_quality import jpeg_quality

READERS = 4
BLUR_SIDE = 256  # the short side that an image is brought down to before its sharpness is measured
ABOUT_SQUARE = 1.1
SHAPES = ("portrait", "about square", "landscape")
QUALITIES = ("below 50", "50 to 75", "75 to 90", "90 and above", "no JPEG")
QUALITY_EDGES = (50, 75, 90)

Pixels = NDArray[np.uint8]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Measure:
    """What is measured: a number, cut at `edges` or else at the quartiles, or a position in `names`."""

    of: Callable[[Pixels, bytes], float]
    unit: str
    edges: tuple[float, ...] | None = None
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Measured:
    """`numbers` are (n,) each, NaN for images that could not be read as they were when they were scored."""

    numbers: dict[str, NDArray[np.float64]]
    note: str | None


def measure_pixels(
    keys: Sequence[str],
    digests: Sequence[bytes | None],
    root: Path,
    names: Sequence[str],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Measured:
    """Read each image once. One that is gone, unreadable, or other than when it was scored has no value."""
    rows = read_each(lambda key, digest: _measure(root, key, digest, names), keys, digests, progress=progress)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    n_lost = int(np.isnan(table).all(axis=1).sum())
    note = None
    if n_lost:
        note = (
            f"{n_lost:,} of {len(keys):,} images are gone, unreadable or changed since they were scored: in no slice."
        )
    return Measured({name: table[:, at] for at, name in enumerate(names)}, note)


def read_each(
    read: Callable[[str, bytes | None], Found],
    keys: Sequence[str],
    digests: Sequence[bytes | None],
    *,
    progress: Callable[[int], None],
) -> list[Found]:
    """What `read(key, digest)` makes of each image, in their order; `progress` is told how many are done."""
    found: list[Found] = []
    with ThreadPoolExecutor(READERS) as readers:
        for each in readers.map(read, keys, digests):
            found.append(each)
            progress(len(found))
    return found


def read_as_scored(root: Path, key: str, digest: bytes | None) -> bytes | None:
    """The bytes of an image, None when it is gone or has changed."""
    path = path_of_key(root, key)
    try:
        data = path.read_bytes() if path else None
    except OSError:
        return None
    if data is not None and digest is not None and hashlib.sha256(data).digest() != digest:
        return None
    return data


def _measure(root: Path, key: str, digest: bytes | None, names: Sequence[str]) -> list[float]:
    from cnnkit.images import decode

    data = read_as_scored(root, key, digest)
    if data is None:
        return [math.nan] * len(names)
    try:
        pixels = decode(data)
    except ImageError:
        return [math.nan] * len(names)
    return [MEASURES[name].of(pixels, data) for name in names]


def size(pixels: Pixels, data: bytes = b"") -> float:
    return float(min(pixels.shape[:2]))


def aspect(pixels: Pixels, data: bytes = b"") -> float:
    """A position in SHAPES: sides within ten percent of each other are about square."""
    height, width = pixels.shape[:2]
    return 2 if width > ABOUT_SQUARE * height else 0 if height > ABOUT_SQUARE * width else 1


def brightness(pixels: Pixels, data: bytes = b"") -> float:
    """The mean grey level, 0 to 255, with the weights of ITU-R BT.601 for red, green and blue."""
    return float(_grey(pixels).mean())


def blur(pixels: Pixels, data: bytes = b"") -> float:
    """The variance of the Laplacian of the grey image, low where it is blurred.

    Larger images are first brought down to a short side of 256 pixels, by areas, so that a photo of many pixels does
    not count as blurred for having them.

    Reference: Pech-Pacheco et al. 2000, ICPR, 314-317.
    """
    import cv2

    grey = _grey(pixels)
    short = min(grey.shape)
    if short > BLUR_SIDE:
        height, width = (max(round(side * BLUR_SIDE / short), 1) for side in grey.shape)
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def quality(pixels: Pixels, data: bytes = b"") -> float:
    """A position in QUALITIES."""
    found = jpeg_quality(data)
    return len(QUALITIES) - 1 if found is None else sum(found >= edge for edge in QUALITY_EDGES)


def _grey(pixels: Pixels) -> Pixels:
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


MEASURES = {
    "size": Measure(size, "short side in pixels"),
    "aspect": Measure(aspect, "width against height", names=SHAPES),
    "brightness": Measure(brightness, "mean grey level, 0 to 255"),
    "blur": Measure(blur, "variance of the Laplacian; the lowest are blurred"),
    "jpeg_quality": Measure(quality, "estimated from the quantisation table", names=QUALITIES),
}
