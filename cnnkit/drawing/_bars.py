"""Bars: named shares with their intervals, and histograms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from cnnkit.drawing._frame import Axis, Frame, render, short_names

ROW = 24.0
ROW_AND_NAME = 42.0
NAMES = 150.0
MARGIN = 8.0
VALUES = 62.0


@dataclass(frozen=True)
class Bar:
    """One row: its value, the interval round it and what stands at its right end."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    text: str = ""


def interval_bars(
    bars: Sequence[Bar],
    *,
    name: str,
    title: str,
    description: str,
    axis: Axis,
    dots: bool = False,
    above: bool = False,
) -> Markup:
    """Draw one horizontal bar a row, its interval as a whisker. A value of None leaves the row empty.

    `dots` draws a point in place of the bar and a line at 0, for what may lie on either side of it. `above` writes the
    label on a line of its own above the bar: for long ones.
    """
    left, row, limit = (MARGIN, ROW_AND_NAME, 60) if above else (NAMES, ROW, 20)
    width = 420.0 - left - VALUES
    height = row * len(bars) + 30
    rows = [
        {
            "label": short,
            "full": bar.label,
            "text": bar.text,
            "top": at * row,
            "length": _length(bar.value, axis, width),
            "low": _length(bar.low, axis, width),
            "high": _length(bar.high, axis, width),
        }
        for at, (bar, short) in enumerate(zip(bars, short_names([bar.label for bar in bars], limit=limit), strict=True))
    ]
    ticks = [(left + place * width, text) for place, text in axis.ticks()]
    return render(
        "bars.svg",
        name=name,
        title=title,
        description=description,
        rows=rows,
        ticks=ticks,
        left=left,
        right=left + width,
        height=height,
        row=ROW,
        head=row - ROW,
        zero=left + float(axis.place(0)) * width if dots else None,
    )


def histogram(
    counts: ArrayLike,
    edges: ArrayLike,
    *,
    name: str,
    title: str,
    description: str,
    x_label: str,
    y_label: str = "Images",
    percent: bool = False,
) -> Markup:
    """Draw counts (n,) over the bins between `edges` (n + 1,)."""
    heights, borders = np.asarray(counts, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    if heights.ndim != 1 or len(heights) == 0 or borders.shape != (len(heights) + 1,):
        raise ValueError(f"a histogram of {heights.shape} counts needs (n + 1,) edges, got {borders.shape}")
    highest = max(float(heights.max()), 1.0)
    frame = Frame(
        Axis(x_label, float(borders[0]), float(borders[-1]), percent=percent), Axis(y_label, 0, highest * 1.05)
    )
    lefts, tops = frame.across(borders[:-1]), frame.down(heights)
    widths = np.diff(frame.across(borders))
    bars = [
        {
            "x": frame.left + left,
            "y": frame.top + top,
            "width": max(width - 1, 0.5),
            "height": frame.plot_height - top,
            "text": f"{frame.x.text(low)} to {frame.x.text(high)}: {count:g}",
        }
        for left, top, width, low, high, count in zip(
            lefts, tops, widths, borders[:-1], borders[1:], heights, strict=True
        )
    ]
    return render("histogram.svg", name=name, title=title, description=description, frame=frame, bars=bars)


def _length(value: float | None, axis: Axis, width: float) -> float | None:
    if value is None or value != value:
        return None
    return float(np.clip(axis.place(value), 0, 1)) * width
