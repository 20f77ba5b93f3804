"""Floors for figures, so that a build can fail."""

from collections.abc import Mapping, Sequence

from cnnkit.errors import UsageError
from cnnkit.results import Figure, Results

LOWER_IS_BETTER = ("_error", "_entropy", "_loss", "ece", "ece_equal_mass", "brier")


def parse_floors(written: Sequence[str]) -> dict[str, float]:
    """`["top1_accuracy=0.75"]` to numbers. UsageError for another form, or a figure that is better when smaller."""
    floors = {}
    for text in written:
        name, sign, number = text.partition("=")
        try:
            floors[name] = float(number)
        except ValueError:
            raise UsageError(f"{text!r}: expected FIGURE=NUMBER, for instance top1_accuracy=0.75.") from None
        if not sign or name.endswith(LOWER_IS_BETTER):
            raise UsageError(f"{name} is better when smaller, so a floor says nothing. Name its accuracy instead.")
    return floors


def failed_floors(results: Results, floors: Mapping[str, float]) -> list[str]:
    """A sentence for each figure below its floor, or undefined; empty when all hold."""
    unknown = [name for name in floors if name not in results.figures]
    if unknown:
        raise UsageError(f"no figure {unknown[0]!r} in these results; there are {', '.join(results.figures)}.")
    told = [_told(name, results.figures[name], floor) for name, floor in floors.items()]
    return [sentence for sentence in told if sentence]


def _told(name: str, figure: Figure, floor: float) -> str:
    if figure.value is None:
        return f"{name} is undefined ({figure.note or 'nothing to measure it on'}), so it is not at least {floor:g}"
    if figure.value >= floor:
        return ""
    interval = "" if figure.low is None else f" (95 % interval {figure.low:.4f} to {figure.high:.4f})"
    return f"{name} is {figure.value:.4f}{interval}, under {floor:g}"
