"""Boxes and labels on a picture, to be looked at: readable at any size, a colour for each class."""

import colorsys
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

__all__ = ["class_colour", "draw_boxes", "draw_title"]

SMALLEST_SIDE = 320  # of the longer side: what is smaller is enlarged by a whole factor into hard pixels
LINE_SHARE, FONT_SHARE = 1 / 280, 1 / 34  # of the square root of the area
SMALLEST_FONT, LARGEST_FONT_SHARE = 12, 1 / 6  # the latter of the height
MANY, CROWDED = 25, 0.75  # from so many boxes on, lines and letters are smaller
GOLDEN = (math.sqrt(5) - 1) / 2  # hues that follow each other lie far apart, however many there are
SHADES = ((0.85, 1.0), (0.95, 0.72), (0.5, 1.0), (0.75, 0.86))  # saturation and value, in turn
DARK, LIGHT = (0, 0, 0), (255, 255, 255)
PADDING = 0.22  # around a label, of the letter size

Colour = tuple[int, int, int]
Corners = tuple[float, float, float, float]


def class_colour(label: int) -> Colour:
    """The colour of a class, the same in every picture.

    >>> class_colour(0), class_colour(1)
    ((255, 38, 38), (9, 60, 184))
    """
    saturation, value = SHADES[label % len(SHADES)]
    red, green, blue = colorsys.hsv_to_rgb(label * GOLDEN % 1, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def draw_boxes(
    picture: NDArray[np.uint8], boxes: ArrayLike, labels: Sequence[str], classes: Sequence[int]
) -> NDArray[np.uint8]:
    """Draw boxes with labels on a picture.

    Lines and letters grow with the picture; a picture with a longer side below 320 is enlarged by a whole factor. A
    label lies above its box, or where it covers no other: inside, below; the first boxes choose first and lie on top.

    Args:
        picture: (H, W, 3) RGB.
        boxes: (n, 4) xyxy in pixels of the picture, the surest first.
        labels: n texts; one that is wider than the picture is shortened in its middle.
        classes: n classes, for the colours.

    Returns:
        (H, W, 3) RGB, or enlarged.
    """
    from PIL import Image, ImageDraw

    factor = max(1, math.ceil(SMALLEST_SIDE / max(picture.shape[:2])))
    image = Image.fromarray(np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1) if factor > 1 else picture)
    draw, look = ImageDraw.Draw(image), _look_for(image.size, crowded=len(labels) > MANY)
    corners = [tuple(box) for box in (np.asarray(boxes, np.float64).reshape(-1, 4) * factor).tolist()]
    found = list(zip(corners, labels, classes, strict=True))
    for box, _, label in reversed(found):
        _outline(draw, box, class_colour(label), look)
    for place, text, label in reversed(list(_placed(found, look, image.size))):
        _write(draw, place, text, class_colour(label), look)
    return np.asarray(image)


def draw_title(picture: NDArray[np.uint8], text: str, label: int) -> NDArray[np.uint8]:
    """Write what a whole picture shows into its upper left corner, as `draw_boxes` writes labels."""
    height, width = picture.shape[:2]
    return draw_boxes(picture, [[-height, -width, -height, -width]], [text], [label])


@dataclass(frozen=True)
class _Look:
    line: int
    padding: int
    font: "FreeTypeFont | ImageFont"
    height: int  # of a label

    def width(self, text: str) -> int:
        return math.ceil(self.font.getlength(text)) + 2 * self.padding


def _look_for(size: tuple[int, int], *, crowded: bool) -> _Look:
    from PIL import ImageFont

    width, height = size
    side = math.sqrt(width * height) * (CROWDED if crowded else 1)
    letters = max(SMALLEST_FONT, min(round(side * FONT_SHARE), round(height * LARGEST_FONT_SHARE)))
    font, padding = ImageFont.load_default(letters), max(1, round(letters * PADDING))
    return _Look(max(1, round(side * LINE_SHARE)), padding, font, letters + 2 * padding)


def _outline(draw: "ImageDraw", box: Corners, colour: Colour, look: _Look) -> None:
    """A line of the class's colour, with a dark one around it that shows on what has the same colour."""
    left, top, right, bottom = (round(side) for side in box)
    right, bottom = max(right - 1, left), max(bottom - 1, top)  # the last pixel inside
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=DARK, width=1)
    draw.rectangle((left, top, right, bottom), outline=colour, width=look.line)


def _placed(
    found: Sequence[tuple[Any, str, int]], look: _Look, size: tuple[int, int]
) -> Iterator[tuple[Corners, str, int]]:
    """Where each label goes, which covers labels before it as little as can be."""
    taken = np.zeros((0, 4))
    for box, text, label in found:
        shown = _shortened(text, look, size[0])
        places = np.array(list(_places(box, look.width(shown), look.height, size)))
        covered = _shared(places, taken).sum(axis=1) if len(taken) else np.zeros(len(places))
        place = places[int(covered.argmin())]
        taken = np.concatenate([taken, place[None]])
        yield tuple(place.tolist()), shown, label


def _places(box: Corners, width: int, height: int, size: tuple[int, int]) -> Iterator[Corners]:
    """Above, inside, below, inside below, and the same at the box's right; all moved into the picture."""
    left, top, right, bottom = box
    for x in (left, right - width):
        for y in (top - height, top, bottom, bottom - height):
            x1 = min(max(x, 0), max(size[0] - width, 0))
            y1 = min(max(y, 0), max(size[1] - height, 0))
            yield x1, y1, x1 + width, y1 + height


def _shared(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=2))


def _shortened(text: str, look: _Look, width: int) -> str:
    """The beginning and the end, where the score stands."""
    if look.width(text) <= width:
        return text
    for cut in range(1, len(text) - 6):
        shorter = f"{text[: len(text) - 6 - cut].rstrip()}…{text[-5:]}"
        if look.width(shorter) <= width:
            return shorter
    return text[-4:]


def _write(draw: "ImageDraw", place: Corners, text: str, colour: Colour, look: _Look) -> None:
    left, top, right, bottom = (round(side) for side in place)
    draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)
    red, green, blue = colour
    ink = DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else LIGHT
    draw.text((left + look.padding, (top + bottom) / 2), text, fill=ink, font=look.font, anchor="lm")
