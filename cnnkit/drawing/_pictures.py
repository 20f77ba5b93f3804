"""Small pictures for a page."""

from base64 import b64encode
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THUMBNAIL_SIDE = 128
QUALITY = 72
TINY = 64


@dataclass(frozen=True)
class Thumbnail:
    """A picture as a data URI, with its own size; `enlarge` asks for hard pixels because the source is tiny.

    `scale` is how many of its pixels one of the source has become.
    """

    source: str
    width: int
    height: int
    enlarge: bool
    scale: float = 1.0


def thumbnail(image: NDArray[np.uint8], *, side: int = THUMBNAIL_SIDE) -> Thumbnail:
    """Shrink RGB uint8 (H, W, 3) to fit a square of `side` pixels; tiny pictures stay as they are, without loss."""
    import cv2

    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"a thumbnail is made of uint8 (H, W, 3), got {image.dtype} {image.shape}")
    height, width = image.shape[:2]
    tiny = max(height, width) <= TINY
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    kind, options = (".png", []) if tiny else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    done, data = cv2.imencode(kind, cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of {small.shape}")
    mime = "image/png" if tiny else "image/jpeg"
    return Thumbnail(f"data:{mime};base64,{b64encode(data.tobytes()).decode()}", size[0], size[1], tiny, scale)
