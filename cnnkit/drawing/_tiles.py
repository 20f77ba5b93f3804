"""Many small pictures as one: kernels, feature maps."""

import math

import numpy as np
from numpy.typing import NDArray

GAP = 3
PAPER, FAINT = 255, 120
TILE_SIDES = ((2, 420), (6, 260), (16, 160), (64, 96), (256, 60), (1024, 36))  # so many tiles, so many pixels each
SMALLEST_TILE = 20
WIDE = 4 / 3  # of the whole grid
NUMBER_SIZE = 12


def signed_levels(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Take each (n, ...) picture by itself to grey levels with zero in the middle.

    0 becomes 128, the value that is furthest from it 1 or 255. A picture of zeros is 128 all over; what is not a
    number counts as 0.

    >>> signed_levels(np.array([[-2.0, 0.0, 1.0], [0.0, 0.0, 0.0]])).tolist()
    [[1, 128, 192], [128, 128, 128]]
    """
    values, largest = _with_largest(values)
    return np.asarray(128 + np.rint(127 * values / largest), np.uint8)


def unsigned_levels(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Take each (n, ...) picture of values from 0 up by itself to 0 .. 255; a picture of zeros stays black.

    >>> unsigned_levels(np.array([[0.0, 1.0, 4.0], [0.0, 0.0, 0.0]])).tolist()
    [[0, 64, 255], [0, 0, 0]]
    """
    values, largest = _with_largest(values)
    return np.asarray(np.rint(255 * np.clip(values / largest, 0, 1)), np.uint8)


def tile_grid(tiles: NDArray[np.uint8], *, columns: int | None = None) -> NDArray[np.uint8]:
    """Lay pictures side by side, in rows, each row with the number of its first picture before it, from 0.

    Small pictures are enlarged by a whole factor into hard pixels, large ones shrunk by area.

    Args:
        tiles: (n, h, w) grey or (n, h, w, 3) RGB, n >= 1.
        columns: pictures in a row, and rows are numbered by themselves; None for a grid a little wider than high.

    Returns:
        (H, W, 3) RGB.
    """
    if tiles.ndim not in (3, 4) or tiles.dtype != np.uint8 or not tiles.size:
        raise ValueError(f"tiles are uint8 (n, h, w) or (n, h, w, 3), got {tiles.dtype} {tiles.shape}")
    colour = tiles if tiles.ndim == 4 else np.repeat(tiles[..., None], 3, axis=3)
    shown = np.stack([_fitted(tile, _tile_side(len(tiles))) for tile in colour])
    n, height, width, _ = shown.shape
    in_row = min(n, columns or _columns(n, height / width))
    rows, step = math.ceil(n / in_row), 1 if columns else in_row
    margin = _number_width(rows * step) if rows > 1 else 0
    grid = np.full((rows * (height + GAP) - GAP, margin + in_row * (width + GAP) - GAP, 3), PAPER, np.uint8)
    for at, tile in enumerate(shown):
        top, left = at // in_row * (height + GAP), margin + at % in_row * (width + GAP)
        grid[top : top + height, left : left + width] = tile
    return _numbered(grid, [(row * (height + GAP), row * step) for row in range(rows)]) if margin else grid


def _with_largest(values: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    clean = np.nan_to_num(np.asarray(values, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    largest = np.abs(clean).reshape(len(clean), -1).max(axis=1).reshape(-1, *[1] * (clean.ndim - 1))
    return clean, np.where(largest > 0, largest, 1.0)


def _tile_side(n: int) -> int:
    return next((side for most, side in TILE_SIDES if n <= most), SMALLEST_TILE)


def _fitted(tile: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    import cv2

    longer = max(tile.shape[:2])
    if longer <= side:
        factor = max(1, side // longer)
        return np.repeat(np.repeat(tile, factor, axis=0), factor, axis=1)
    height, width = (max(1, round(each * side / longer)) for each in tile.shape[:2])
    return np.asarray(cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _columns(n: int, slimness: float) -> int:
    """About as many as make the grid WIDE, rather so many that the last row is full."""
    ideal = math.sqrt(n * WIDE * slimness)
    near = range(max(1, math.ceil(ideal * 0.7)), math.ceil(ideal * 1.3) + 1)
    return min(near, key=lambda columns: (-n % columns, abs(columns - ideal)))


def _number_width(n: int) -> int:
    return 8 * len(str(n - 1)) + 6


def _numbered(grid: NDArray[np.uint8], rows: list[tuple[int, int]]) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(grid)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(NUMBER_SIZE)
    for top, number in rows:
        draw.text((0, top), str(number), fill=(FAINT,) * 3, font=font)
    return np.asarray(picture)
