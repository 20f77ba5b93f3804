"""Quality against cost: which models are beaten by no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from cnnkit import drawing
from cnnkit.comparison import pareto_front
from cnnkit.report._charts import Chart
from cnnkit.report._names import HEADLINES, meaning
from cnnkit.report._words import listed, percent, plain
from cnnkit.report.compared import ComparedModel
from cnnkit.results import RATE_LABELS, RateOf, Results

CHARTS = 3


@dataclass(frozen=True)
class Cost:
    """Something that a model costs; `less` says that a smaller value is better."""

    name: str
    label: str
    unit: float
    value: Callable[[Results], float | None]
    less: bool = True


def _rate(results: Results, of: RateOf | None) -> float | None:
    return results.speed.rate(of)


COSTS = (
    Cost("latency-p50", "Latency p50, ms", 1, lambda each: each.speed.latency_ms_p50),
    Cost("latency-p95", "Latency p95, ms", 1, lambda each: each.speed.latency_ms_p95),
    *(
        Cost(f"throughput-{of}" if of else "throughput", label.capitalize(), 1, partial(_rate, of=of), less=False)
        for of, label in RATE_LABELS.items()
    ),
    Cost("memory", "Peak memory, MB", 1e6, lambda each: each.speed.peak_memory_bytes),
    Cost("size", "File size, MB", 1e6, lambda each: each.cost.size_bytes),
    Cost("parameters", "Parameters, millions", 1e6, lambda each: each.cost.parameters),
    Cost("multiply-adds", "Multiply-adds, millions", 1e6, lambda each: each.cost.multiply_adds),
)


def common_measure(models: Sequence[ComparedModel]) -> str | None:
    """The headline figure that every model has."""
    return next((name for name in HEADLINES if all(_value(each, name) is not None for each in models)), None)


def _value(model: ComparedModel, measure: str) -> float | None:
    figure = model.results.figures.get(measure)
    return None if figure is None else figure.value


def known_costs(models: Sequence[ComparedModel]) -> list[Cost]:
    """Those that at least one model states, in the order of the table."""
    return [cost for cost in COSTS if any(cost.value(each.results) is not None for each in models)]


def tradeoff_charts(models: Sequence[ComparedModel]) -> list[Chart]:
    """Quality against each cost that every model states, at most three; none for a single model."""
    measure = common_measure(models)
    complete = [cost for cost in COSTS if all(cost.value(each.results) is not None for each in models)]
    if measure is None or len(models) < 2:
        return []
    return [_chart(models, measure, cost) for cost in complete[:CHARTS]]


def _chart(models: Sequence[ComparedModel], measure: str, cost: Cost) -> Chart:
    costs = [float(cost.value(each.results) or 0.0) for each in models]
    figures = [each.results.figures[measure] for each in models]
    values = [figure.value or 0.0 for figure in figures]
    sign = 1 if cost.less else -1
    best = pareto_front([(sign * a, b) for a, b in zip(costs, values, strict=True)])
    points = [
        drawing.Point(
            each.name,
            spent / cost.unit,
            value,
            figure.low,
            figure.high,
            best=on_front,
            text=f"{each.name}: {meaning(measure).label} {percent(value)}, {cost.label} {plain(spent / cost.unit)}",
        )
        for each, spent, value, figure, on_front in zip(models, costs, values, figures, best, strict=True)
    ]
    named = [each.name for each, on_front in zip(models, best, strict=True) if on_front]
    svg = drawing.scatter_chart(
        points,
        name=f"tradeoff-{cost.name}",
        title=f"{meaning(measure).label} against {cost.label}",
        description="; ".join(point.text for point in points),
        x=_axis(cost.label, [each / cost.unit for each in costs]),
        y=_quality_axis(meaning(measure).label, points),
    )
    caption = f"Not beaten in both: {listed(named)}. The whisker is the 95\u00a0% interval."
    return Chart(f"tradeoff-{cost.name}", svg, f"{meaning(measure).label} against {cost.label}", caption)


def _axis(label: str, values: Sequence[float]) -> drawing.Axis:
    """From 0, or on a logarithmic scale where the costs lie far apart."""
    low, high = min(values), max(values)
    if low > 0 and high / low > 20:
        return drawing.Axis(label, low / 1.6, high * 1.6, logarithmic=True)
    return drawing.Axis(label, 0, max(high * 1.1, 1e-9))


def _quality_axis(label: str, points: Sequence[drawing.Point]) -> drawing.Axis:
    lows = [point.y if point.low is None else point.low for point in points]
    highs = [point.y if point.high is None else point.high for point in points]
    room = max((max(highs) - min(lows)) * 0.12, 0.005)
    return drawing.Axis(label, max(min(lows) - room, 0.0), max(min(max(highs) + room, 1.0), 0.01), percent=True)
