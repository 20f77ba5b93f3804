"""A heat map over a picture: where something is, and how much of it."""

import numpy as np
from numpy.typing import NDArray

Window = tuple[float, float, float, float]

LONGEST = 440  # pixels of the picture as shown
GAP = 14
STRONGEST = 0.85  # of a colour over the picture
UNSEEN = 0.35  # how much is left of what lies outside the window
WARM = ((255, 236, 140), (240, 110, 20), (150, 0, 20))
COLD = ((190, 225, 255), (50, 110, 220), (20, 20, 110))
BAR_HEIGHT, BAR_GAP, LABEL_SIZE = 12, 6, 13
NARROWEST_BAR = 420
FAINT = (87, 96, 106)


def heat_over(
    picture: NDArray[np.uint8], heat: NDArray[np.floating], window: Window, *, labels: tuple[str, str, str]
) -> NDArray[np.uint8]:
    """The picture, and beside it the picture in grey under its heat, with a bar that says what the colours mean.

    Args:
        picture: RGB (H, W, 3).
        heat: (h, w) in [-1, 1]: 0 is clear, 1 the strongest yellow to red, -1 the strongest blue.
        window: the part of the picture that the heat covers evenly, (left, top, right, bottom) in its pixels; it may
            reach outside. What lies outside it is dimmed.
        labels: what stands at -1, at 0 and at 1 of the bar; without blue in the heat the first is left out.

    Returns:
        RGB, both pictures with a longer side of 440 pixels or as many as a whole factor gives.
    """
    shown, scale = _shown(picture)
    spread, inside = _spread(heat, window, shown.shape[:2], scale)
    grey = np.repeat(shown.mean(axis=2, keepdims=True), 3, axis=2)
    colour, strength = _coloured(spread)
    hot = grey * (1 - strength) + colour * strength
    dimmed = 255 - (255 - shown) * UNSEEN
    left = np.where(inside, shown, dimmed)
    right = np.where(inside, hot, 255 - (255 - grey) * UNSEEN)
    space = np.full((shown.shape[0], GAP, 3), 255.0)
    pair = np.rint(np.concatenate([left, space, right], axis=1)).astype(np.uint8)
    bar = _bar(max(pair.shape[1], NARROWEST_BAR), labels, cold=bool((heat < 0).any()))
    beside = np.pad(pair, ((0, BAR_GAP), (0, bar.shape[1] - pair.shape[1]), (0, 0)), constant_values=255)
    return np.concatenate([beside, bar])


def _shown(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The picture at the size in which it is shown, and by how much it was enlarged."""
    import cv2

    longer = max(picture.shape[:2])
    if longer <= LONGEST:
        factor = LONGEST // longer
        return np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1), float(factor)
    scale = LONGEST / longer
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _spread(
    heat: NDArray[np.floating], window: Window, size: tuple[int, ...], scale: float
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """The heat at every pixel shown, (H, W, 1), bilinear between its own places; and which pixels it covers."""
    import cv2

    left, top, right, bottom = window
    y = ((np.arange(size[0]) + 0.5) / scale - top) / (bottom - top)
    x = ((np.arange(size[1]) + 0.5) / scale - left) / (right - left)
    across, down = np.meshgrid(x * heat.shape[1] - 0.5, y * heat.shape[0] - 0.5)
    spread = cv2.remap(
        np.ascontiguousarray(heat, np.float32),
        across.astype(np.float32),
        down.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = ((y >= 0) & (y <= 1))[:, None] & ((x >= 0) & (x <= 1))[None]
    return np.asarray(spread)[..., None], inside[..., None]


def _coloured(heat: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The colour of each (..., 1) value in [-1, 1], (..., 3), and how much of it covers what lies below, (..., 1)."""
    size = np.clip(np.abs(heat[..., 0]), 0, 1)
    stops = np.linspace(0, 1, len(WARM))
    ramps = [
        np.stack([np.interp(size, stops, [stop[band] for stop in ramp]) for band in range(3)], axis=-1)
        for ramp in (WARM, COLD)
    ]
    return np.where(heat >= 0, ramps[0], ramps[1]), STRONGEST * np.sqrt(size)[..., None]


def _bar(width: int, labels: tuple[str, str, str], *, cold: bool) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw, ImageFont

    values = np.linspace(-1 if cold else 0, 1, width)[None, :, None]
    colour, strength = _coloured(values)
    strip = np.rint(np.repeat(255 * (1 - strength) + colour * strength, BAR_HEIGHT, axis=0)).astype(np.uint8)
    image = Image.fromarray(np.pad(strip, ((0, LABEL_SIZE + 6), (0, 0), (0, 0)), constant_values=255))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(LABEL_SIZE)
    places = [(0, "la"), (width // 2, "ma"), (width - 1, "ra")] if cold else [(0, "la"), (width - 1, "ra")]
    for (at, anchor), label in zip(places, labels if cold else labels[1:], strict=True):
        draw.text((at, BAR_HEIGHT + 2), label, fill=FAINT, font=font, anchor=anchor)
    return np.asarray(image)
