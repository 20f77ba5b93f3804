"""Words around a picture, and the picture as a file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

MARGIN = 14
TITLE_SIZE, TEXT_SIZE = 17, 13
LEADING = 1.35  # line height over letter size
INK, FAINT = (30, 30, 30), (95, 95, 95)  # grey, so that a grey picture is a grey file
INSET = 72  # the side of the picture beside the words
NARROWEST = 420
COMPRESSION = 9


def captioned(
    picture: NDArray[np.uint8], title: str, lines: Sequence[str] = (), *, inset: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Put a title and lines of text above a picture, on white; RGB (H, W, 3) in and out.

    Lines that are too long are broken at spaces. `inset` is a second picture, shown small beside the words.
    """
    from PIL import Image, ImageDraw

    width = max(picture.shape[1], NARROWEST)
    small = None if inset is None else _small(inset)
    indent = 0 if small is None else small.shape[1] + MARGIN
    words = _broken(title, lines, width - indent)
    text_height = sum(round(size * LEADING) for _, size, _ in words)
    head = max(text_height, 0 if small is None else small.shape[0])
    page = np.full((head + picture.shape[0] + 3 * MARGIN, width + 2 * MARGIN, 3), 255, np.uint8)
    page[head + 2 * MARGIN : -MARGIN, MARGIN : MARGIN + picture.shape[1]] = picture
    if small is not None:
        page[MARGIN : MARGIN + small.shape[0], MARGIN : MARGIN + small.shape[1]] = small
    image = Image.fromarray(page)
    draw, top = ImageDraw.Draw(image), MARGIN
    for text, size, colour in words:
        draw.text((MARGIN + indent, top), text, fill=colour, font=_font(size))
        top += round(size * LEADING)
    return np.asarray(image)


def png(picture: NDArray[np.uint8]) -> bytes:
    """A PNG file of RGB (H, W, 3), with one channel where all three are equal."""
    import cv2

    grey = bool((picture == picture[..., :1]).all())
    pixels = picture[..., 0] if grey else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".png", np.ascontiguousarray(pixels), [cv2.IMWRITE_PNG_COMPRESSION, COMPRESSION])
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of {picture.shape}")
    return data.tobytes()


def _broken(title: str, lines: Sequence[str], width: int) -> list[tuple[str, int, tuple[int, int, int]]]:
    kinds = [(title, TITLE_SIZE, INK), *((line, TEXT_SIZE, FAINT) for line in lines)]
    return [(part, size, colour) for text, size, colour in kinds for part in _wrapped(text, size, width)]


def _wrapped(text: str, size: int, width: int) -> list[str]:
    font = _font(size)
    parts: list[str] = []
    for word in text.split():
        if parts and font.getlength(f"{parts[-1]} {word}") <= width:
            parts[-1] = f"{parts[-1]} {word}"
        else:
            parts.append(word)
    return parts


def _font(size: int) -> "FreeTypeFont | ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    scale = INSET / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    how = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
