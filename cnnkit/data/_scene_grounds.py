"""What lies behind the digits of a scene, and ink that shows on it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

GREY_SHARE = 0.3  # of the scenes
LEAST_CONTRAST = 80.0  # levels of brightness between ink and the ground under it
NOISE = 8  # levels, either way, at most
INK_TRIES = 20

Colours = NDArray[np.float64]  # (H, W, 3), 0 to 255
Draw = Callable[[int, int, Callable[[], Colours], np.random.Generator], Colours]


def draw_ground(height: int, width: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """RGB (height, width, 3): one colour, a gradient, stripes or blotches, with noise; some of them grey.

    Only sums and products are used, so that the pixels do not depend on a machine's sines.
    """
    grey = random.random() < GREY_SHARE

    def colour() -> Colours:
        drawn = random.uniform(0.0, 255.0, 3)
        return np.full(3, drawn[0]) if grey else drawn

    ground = _GROUNDS[int(random.integers(len(_GROUNDS)))](height, width, colour, random)
    noise = random.integers(-NOISE, NOISE + 1, (height, width, 1 if grey else 3)) * random.random()
    return np.clip(ground + noise, 0, 255).round().astype(np.uint8)


def blend_ink(place: NDArray[np.uint8], ink: NDArray[np.uint8], random: np.random.Generator) -> None:
    """Lay ink (h, w), 0 to 255, over pixels (h, w, 3) in place, in a colour that differs from them in brightness."""
    ground = _brightness(place.reshape(-1, 3).mean(axis=0))
    grey = bool((place == place[..., :1]).all())
    cover = ink[:, :, None].astype(np.int64)
    colour = _ink_colour(ground, random, grey=grey)
    place[:] = ((255 - cover) * place + cover * colour + 127) // 255


def _ink_colour(ground: float, random: np.random.Generator, *, grey: bool) -> NDArray[np.int64]:
    for _ in range(INK_TRIES):
        drawn = random.integers(0, 256, 3)
        colour = np.full(3, drawn[0]) if grey else drawn
        if abs(_brightness(colour) - ground) >= LEAST_CONTRAST:
            return colour
    return np.full(3, 0 if ground > 127 else 255)


def _brightness(colour: NDArray[np.generic]) -> float:
    """The Y of ITU-R BT.601, as Pillow's grey."""
    red, green, blue = (float(value) for value in colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _flat(height: int, width: int, colour: Callable[[], Colours], random: np.random.Generator) -> Colours:
    return np.tile(colour(), (height, width, 1))


def _gradient(height: int, width: int, colour: Callable[[], Colours], random: np.random.Generator) -> Colours:
    down, right = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    first, second, third = colour(), colour(), colour()
    return np.asarray(first + (second - first) * down / 2 + (third - first) * right / 2)


def _stripes(height: int, width: int, colour: Callable[[], Colours], random: np.random.Generator) -> Colours:
    """Two colours that are half as far apart as they were drawn, so that ink still stands out."""
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    down, right = int(random.integers(0, 3)), int(random.integers(1, 3))
    period = int(random.integers(6, 25))
    on = ((down * rows + right * columns) // period % 2)[:, :, None]
    first, second = colour(), colour()
    return np.asarray(first + (second - first) * on / 2)


def _blotches(height: int, width: int, colour: Callable[[], Colours], random: np.random.Generator) -> Colours:
    from PIL import Image

    few = random.integers(0, 256, (int(random.integers(3, 9)), int(random.integers(3, 9))), dtype=np.uint8)
    mixed = np.asarray(Image.fromarray(few).resize((width, height), Image.Resampling.BICUBIC))[:, :, None] / 255
    first, second = colour(), colour()
    return np.asarray(first + (second - first) * mixed / 2)


_GROUNDS: tuple[Draw, ...] = (_flat, _gradient, _stripes, _blotches)
