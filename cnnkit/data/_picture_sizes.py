"""How large the pictures are, from their headers alone."""

import warnings
from pathlib import Path

_TURNED = {5, 6, 7, 8}  # EXIF orientations that lay the picture on its side
_ORIENTATION = 0x0112


def picture_size(path: Path) -> tuple[int, int] | None:
    """(height, width) as the picture is shown, EXIF orientation applied; None when the header cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a large picture is only measured here
            with Image.open(path) as image:
                width, height = image.size
                turned = image.getexif().get(_ORIENTATION) in _TURNED
    except Exception:  # Pillow's refusals are not all of one kind
        return None
    return (width, height) if turned else (height, width)
