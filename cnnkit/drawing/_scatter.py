"""Two measures against each other: which models are beaten by no other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cnnkit.drawing._frame import LEFT, RIGHT, Axis, Frame, render, shorten


@dataclass(frozen=True)
class Point:
    """One model; `low` and `high` are the interval of y; `best` marks a member of the front."""

    label: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None
    best: bool = False
    text: str = ""


def scatter_chart(points: Sequence[Point], *, name: str, title: str, description: str, x: Axis, y: Axis) -> Markup:
    """Draw labelled points with the interval of y; those marked `best` are joined by a stepped line."""
    frame = Frame(x, y)
    drawn = [_drawn(point, frame) for point in points]
    front = sorted((each for each in drawn if each["best"]), key=lambda each: float(str(each["x"])))
    _spread_labels(drawn, frame)
    steps = "".join(
        f"M{each['x']:.5g} {each['y']:.5g}" if at == 0 else f"H{each['x']:.5g}V{each['y']:.5g}"
        for at, each in enumerate(front)
    )
    return render(
        "scatter.svg", name=name, title=title, description=description, frame=frame, points=drawn, front=steps
    )


def _drawn(point: Point, frame: Frame) -> dict[str, object]:
    at = frame.left + float(frame.across(point.x))
    ends = [None if each is None else frame.top + float(frame.down(each)) for each in (point.low, point.high)]
    return {
        "label": shorten(point.label, 24),
        "text": point.text or point.label,
        "x": at,
        "y": frame.top + float(frame.down(point.y)),
        "low": ends[0],
        "high": ends[1],
        "best": point.best,
        "leftward": at > LEFT + (frame.width - LEFT - RIGHT) * 0.6,
    }


def _spread_labels(drawn: list[dict[str, object]], frame: Frame) -> None:
    """Move labels apart until none lies within a line's height of the one above it."""
    order = sorted(drawn, key=lambda each: float(str(each["y"])))
    free = frame.top + 10
    for each in order:
        free = max(float(str(each["y"])) - 6, free)
        each["label_y"] = float(np.clip(free, frame.top + 10, frame.top + frame.plot_height))
        free += 15
