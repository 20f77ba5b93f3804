"""What charts share: axes, ticks, the frame's measures and the template engine."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

LEFT, RIGHT, TOP, BOTTOM = 76.0, 24.0, 12.0, 46.0
WIDTH, HEIGHT = 428.0, 300.0
LEGEND_LINE = 20.0
SERIES = 6


@dataclass(frozen=True)
class Axis:
    """One direction of a chart: what it measures, from `low` to `high`; `percent` writes 0.25 as 25 %."""

    label: str
    low: float = 0.0
    high: float = 1.0
    percent: bool = False
    logarithmic: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"axis {self.label!r} runs from {self.low} to {self.high}: low must lie below high")
        if self.logarithmic and self.low <= 0:
            raise ValueError(f"axis {self.label!r} is logarithmic and starts at {self.low}: it must start above 0")

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """Share of the way from `low` to `high`; NaN stays NaN."""
        array = np.asarray(values, dtype=np.float64)
        if self.logarithmic:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(np.log(array / self.low) / math.log(self.high / self.low))
        return np.asarray((array - self.low) / (self.high - self.low))

    def ticks(self) -> list[tuple[float, str]]:
        """Round values between `low` and `high`, each as its place in [0, 1] and its text."""
        values = _powers(self.low, self.high) if self.logarithmic else _round_steps(self.low, self.high)
        return [(float(self.place(value)), self.text(value)) for value in values]

    def text(self, value: float) -> str:
        return (f"{value * 100:.6g}\u00a0%" if self.percent else _plain(value)).replace("-", "−")


@dataclass(frozen=True)
class Frame:
    """Where the plot lies in its SVG, in user units."""

    x: Axis
    y: Axis
    legend: int = 0

    width: float = WIDTH
    left: float = LEFT
    top: float = TOP

    @property
    def height(self) -> float:
        return HEIGHT + LEGEND_LINE * self.legend

    @property
    def plot_width(self) -> float:
        return self.width - self.left - RIGHT

    @property
    def plot_height(self) -> float:
        return HEIGHT - TOP - BOTTOM

    @property
    def data(self) -> str:
        """Left, top, width, height of the plot, then the ends of both axes: what a script needs to read values."""
        measures = (self.left, self.top, self.plot_width, self.plot_height)
        return " ".join(f"{value:.6g}" for value in (*measures, self.x.low, self.x.high, self.y.low, self.y.high))

    def across(self, values: ArrayLike) -> NDArray[np.float64]:
        return self.x.place(values) * self.plot_width

    def down(self, values: ArrayLike) -> NDArray[np.float64]:
        return (1 - self.y.place(values)) * self.plot_height


def path(across: NDArray[np.float64], down: NDArray[np.float64], *, step: float = 0.5) -> str:
    """An SVG path through the points, (n,) each in user units; points nearer than `step` to the last one are left out.

    A NaN breaks the line. The first and the last point of each stretch are kept.
    """
    parts: list[str] = []
    last: tuple[float, float] | None = None
    held: tuple[float, float] | None = None
    for point in zip(across.tolist(), down.tolist(), strict=True):
        if math.isnan(point[0]) or math.isnan(point[1]):
            parts += _to("L", held)
            last = held = None
        elif last is None:
            parts += _to("M", point)
            last, held = point, None
        elif abs(point[0] - last[0]) < step and abs(point[1] - last[1]) < step:
            held = point
        else:
            parts += _to("L", point)
            last, held = point, None
    return "".join(parts + _to("L", held))


def _to(command: str, point: tuple[float, float] | None) -> list[str]:
    return [] if point is None else [f"{command}{point[0]:.5g} {point[1]:.5g}"]


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def short_names(names: Sequence[str], *, limit: int) -> list[str]:
    """Cut names to `limit` characters: the end, or the middle of those that would look alike without their end."""
    short = [shorten(name, limit) for name in names]
    times = Counter(short)
    head = limit // 2 - 1
    return [
        f"{name[:head]}…{name[head + 1 - limit :]}" if times[cut] > 1 and len(name) > limit else cut
        for name, cut in zip(names, short, strict=True)
    ]


def render(template: str, **facts: Any) -> Markup:
    """Fill a template; the engine escapes every fact, so what comes out is markup."""
    return Markup(_engine().get_template(template).render(**facts))


@cache
def _engine() -> jinja2.Environment:
    engine = jinja2.Environment(
        loader=jinja2.PackageLoader("cnnkit.drawing"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    engine.filters["n"] = lambda value: f"{value:.5g}"
    return engine


def _plain(value: float) -> str:
    if value and abs(value) >= 1e5:
        return f"{value:.3g}".replace("e+0", "e").replace("e+", "e")
    return f"{value:.6g}"


def _round_steps(low: float, high: float, *, wanted: int = 6) -> list[float]:
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
        values = [factor * 10.0**power for power in exponents for factor in factors]
        inside: Sequence[float] = [value for value in values if low * 0.999 <= value <= high * 1.001]
        if len(inside) >= 3:
            return list(inside)
    return _round_steps(low, high)
