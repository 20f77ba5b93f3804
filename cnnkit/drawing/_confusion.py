"""Which class is taken for which: a grid for a few classes, a map for many."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from cnnkit.drawing._frame import render, short_names

LEVELS = 6  # shades besides none
LABEL = 16  # characters of a name that are shown
MAP_SIDE = 400


def confusion_grid(
    counts: ArrayLike,
    totals: ArrayLike,
    *,
    names: Sequence[str],
    name: str,
    title: str,
    description: str,
) -> Markup:
    """Draw counts (k, k), rows true and columns predicted, shaded by their share of the row's `totals` (k,).

    Each cell holds two texts, the count and the share in percent; the page shows one of them. An empty cell has
    neither. `totals` counts all images of a class, also those predicted as a class that is not drawn.

    Raises:
        ValueError: shapes that do not agree.
    """
    grid, whole = np.asarray(counts), np.asarray(totals)
    if grid.shape != (len(names), len(names)) or whole.shape != (len(names),):
        raise ValueError(f"{len(names)} names need counts ({len(names)}, {len(names)}), got {grid.shape}")
    shares = grid / np.maximum(whole[:, None], 1)
    side = float(np.clip(480 / max(len(names), 1), 20, 46))
    cells = [_cell(at, to, grid, shares, names, side) for at, to in np.argwhere(grid > 0).tolist()]
    heads: list[dict[str, Any]] = [
        {"label": short, "full": each, "at": side * at}
        for at, (each, short) in enumerate(zip(names, short_names(names, limit=LABEL), strict=True))
    ]
    return render(
        "confusion.svg",
        name=name,
        title=title,
        description=description,
        cells=cells,
        heads=heads,
        side=side,
        room=24 + 7.0 * max((len(head["label"]) for head in heads), default=0),
        extent=side * len(names),
    )


def _cell(
    at: int, to: int, grid: NDArray[Any], shares: NDArray[np.float64], names: Sequence[str], side: float
) -> dict[str, Any]:
    share = float(shares[at, to])
    return {
        "x": side * to,
        "y": side * at,
        "kind": "right" if at == to else "wrong",
        "level": level(share),
        "count": int(grid[at, to]),
        "share": f"{share * 100:.0f}" if share >= 0.005 else "<1",
        "text": f"{names[at]} predicted as {names[to]}: {int(grid[at, to])} ({share * 100:.1f} %)",
    }


def level(share: float) -> int:
    """Shade of a share in (0, 1]: 1 .. 6, steeper for small ones, since a confusion is small beside the diagonal."""
    return int(np.clip(np.ceil(np.sqrt(share) * LEVELS), 1, LEVELS))


def confusion_map(counts: ArrayLike, totals: ArrayLike, *, name: str, title: str, description: str) -> Markup:
    """Draw a whole matrix (C, C) as one picture, a dot a cell, dark where the share of the row's total is large.

    More classes than the picture has pixels share pixels; the largest share of them is shown, so nothing vanishes.
    """
    import cv2

    grid = np.asarray(counts)
    shares = np.sqrt(grid / np.maximum(np.asarray(totals)[:, None], 1))
    step = -(-len(grid) // MAP_SIDE)
    side = -(-len(grid) // step)
    padded = np.zeros((side * step, side * step))
    padded[: len(grid), : len(grid)] = shares
    pooled = padded.reshape(side, step, side, step).max(axis=(1, 3))
    # alpha alone varies, so the page's own colour shows through in both themes
    pixels = np.zeros((side, side, 4), dtype=np.uint8)
    pixels[..., :3] = (40, 110, 225)
    pixels[np.arange(side), np.arange(side), :3] = (190, 130, 50)
    pixels[..., 3] = np.where(pooled > 0, 70 + 185 * np.clip(pooled, 0, 1), 0)
    done, png = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError(f"OpenCV could not write a PNG of {pixels.shape}")
    return render(
        "confusion_map.svg",
        name=name,
        title=title,
        description=description,
        side=MAP_SIDE,
        classes=len(grid),
        source=f"data:image/png;base64,{b64encode(png.tobytes()).decode()}",
    )
