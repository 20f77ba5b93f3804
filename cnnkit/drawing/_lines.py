"""Curves: precision against recall, loss against epoch, any y against x, with a band for the doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from cnnkit.drawing._frame import SERIES, Axis, Frame, path, render, shorten


@dataclass(frozen=True)
class Line:
    """One curve, x and y (n,); `low` and `high` (n,) bound its band. A NaN breaks the line.

    A `faint` line is thin and grey, a `hidden` one not seen until a script picks it; neither stands in the legend.
    `series` is its colour, from 1; by its place among the lines when None.
    """

    label: str
    x: ArrayLike
    y: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    dots: bool = False
    style: Literal["plain", "faint", "hidden"] = "plain"
    series: int | None = None


def line_chart(
    lines: Sequence[Line],
    *,
    name: str,
    title: str,
    description: str,
    x: Axis,
    y: Axis,
    diagonal: bool = False,
    step: float = 0.5,
    legend: bool = False,
) -> Markup:
    """Draw curves over common axes; more than one get a legend, one alone with `legend`. `diagonal` adds y = x, dashed.

    Points nearer than `step` user units to their neighbour are left out: the chart is 428 units wide.

    Raises:
        ValueError: x, y or a band of disagreeing lengths.
    """
    named = sum(line.style == "plain" for line in lines)
    frame = Frame(x, y, legend=named if named > 1 or legend else 0)
    drawn = [_drawn(line, frame, at, step) for at, line in enumerate(lines)]
    return render(
        "lines.svg",
        name=name,
        title=title,
        description=description,
        frame=frame,
        lines=drawn,
        dotted=[{"series": each["series"], "path": each["dots"]} for each in drawn if each["dots"]],
        entries=[each for each in drawn if each["style"] == "plain"][: frame.legend],
        diagonal=_diagonal(frame) if diagonal else None,
    )


def _drawn(line: Line, frame: Frame, at: int, step: float) -> dict[str, Any]:
    across, down = frame.across(line.x), frame.down(line.y)
    if across.shape != down.shape or across.ndim != 1:
        raise ValueError(f"line {line.label!r}: x has shape {across.shape}, y {down.shape}; both must be (n,)")
    points = zip(across.tolist(), down.tolist(), strict=True)
    dots = "".join(f"M{a:.5g} {b:.5g}h0" for a, b in points if a == a and b == b) if line.dots else ""
    return {
        "series": line.series or at % SERIES + 1,
        "style": line.style,
        "label": shorten(line.label, 50),
        "path": path(across, down, step=step),
        "band": _band(line, frame),
        "dots": dots,
    }


def _band(line: Line, frame: Frame) -> str | None:
    if line.low is None or line.high is None:
        return None
    across, low, high = frame.across(line.x), frame.down(line.low), frame.down(line.high)
    if not across.shape == low.shape == high.shape:
        raise ValueError(f"line {line.label!r}: the band has shapes {low.shape} and {high.shape}, x {across.shape}")
    known = ~(np.isnan(across) | np.isnan(low) | np.isnan(high))
    if not known.any():
        return None
    there, back = across[known], across[known][::-1]
    return path(np.concatenate([there, back]), np.concatenate([low[known], high[known][::-1]])) + "Z"


def _diagonal(frame: Frame) -> str:
    ends = [max(frame.x.low, frame.y.low), min(frame.x.high, frame.y.high)]
    return path(frame.across(ends), frame.down(ends))
