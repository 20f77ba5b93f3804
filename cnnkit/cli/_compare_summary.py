"""A comparison as a person reads it in a terminal."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from cnnkit.cli import _output
from cnnkit.comparison import ComparedResults, ComparisonResults, PairedDifference
from cnnkit.results import RATE_LABELS, Figure, RateOf

FIGURES = {
    "top1_accuracy": "accuracy",
    "exact_match_accuracy": "exact match",
    "coco_AP": "AP",
    "coco_AP50": "AP50",
    "top5_error": "top-5 error",
    "map": "mAP",
    "ece": "ECE",
}


def _rate(each: ComparedResults, of: RateOf | None) -> float | None:
    return each.speed.rate(of)


COSTS: dict[str, tuple[float, Callable[[ComparedResults], float | None]]] = {
    "latency p50, ms": (1, lambda each: each.speed.latency_ms_p50),
    "latency p95, ms": (1, lambda each: each.speed.latency_ms_p95),
    **{label: (1, partial(_rate, of=of)) for of, label in RATE_LABELS.items()},
    "peak memory, MB": (1e6, lambda each: each.speed.peak_memory_bytes),
    "file size, MB": (1e6, lambda each: each.cost.size_bytes),
    "parameters, millions": (1e6, lambda each: each.cost.parameters),
    "multiply-adds, millions": (1e6, lambda each: each.cost.multiply_adds),
}


def show(found: ComparisonResults, output: Path | None) -> None:
    """Print the table of models, the sentences, the other differences, what could not be compared, the files."""
    _show_models(found)
    for sentence in found.sentences:
        _output.say(sentence)
    others = [each for each in found.differences if each.measure != found.measure]
    if others:
        columns = ["other figures", "of", "difference", "95 % interval", "p"]
        _output.table(columns, [_difference(each) for each in others])
    for note in (*found.notes, *(f"{each.name}: {note}" for each in found.models for note in each.notes)):
        _output.say(f"Note: {note}.")
    if output is not None:
        _output.say(f"Comparison: {output}")


def _show_models(found: ComparisonResults) -> None:
    """A row a figure or cost, a column a model: names are long and there are few of them."""
    rows = [
        [label, *(_figure(each.figures.get(name)) for each in found.models)]
        for name, label in FIGURES.items()
        if any(_known(each.figures.get(name)) for each in found.models)
    ]
    rows += [
        [label, *(_cost(of(each), unit) for each in found.models)]
        for label, (unit, of) in COSTS.items()
        if any(of(each) is not None for each in found.models)
    ]
    title = f"{len(found.models)} models on the same {found.n:,} images"
    _output.table(["", *(each.name for each in found.models)], rows, title=title)


def _known(figure: Figure | None) -> bool:
    return figure is not None and figure.value is not None


def _figure(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{100 * figure.value:.2f} %"
    return f"{100 * figure.value:.2f} % ({100 * figure.low:.2f} to {100 * figure.high:.2f})"


def _cost(value: float | None, unit: float) -> str:
    if value is None:
        return "–"
    return f"{value / unit:,.3g}" if value / unit < 1000 else f"{value / unit:,.0f}"


def _difference(each: PairedDifference) -> list[str]:
    interval = "–" if each.low is None else f"{each.low:+.4f} to {each.high:+.4f}"
    p = "–" if each.p_corrected is None else "< 0.001" if each.p_corrected < 0.001 else f"{each.p_corrected:.3f}"
    return [each.measure, f"{each.second} − {each.first}", f"{each.value:+.4f}", interval, p]
