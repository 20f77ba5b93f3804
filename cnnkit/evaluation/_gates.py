"""Floors for figures, so that a build can fail."""

import re
from collections.abc import Mapping, Sequence

from cnnkit.errors import UsageError
from cnnkit.results import Figure, Results

TOP_K = re.compile(r"top\d+_accuracy")
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
    """A sentence for each figure below its floor, undefined or undecided; empty when all hold.

    A top-k accuracy is undecided where it reaches its floor on the images that have an answer, and would not with those
    that have none counted as wrong: leaving out hard images must not pass a gate.
    """
    unknown = [name for name in floors if name not in results.figures]
    if unknown:
        raise UsageError(f"no figure {unknown[0]!r} in these results; there are {', '.join(results.figures)}.")
    told = [
        _told(name, results.figures[name], floor) or _undecided(name, results, floor) for name, floor in floors.items()
    ]
    return [sentence for sentence in told if sentence]


def _told(name: str, figure: Figure, floor: float) -> str:
    if figure.value is None:
        return f"{name} is undefined ({figure.note or 'nothing to measure it on'}), so it is not at least {floor:g}"
    if figure.value >= floor:
        return ""
    interval = "" if figure.low is None else f" (95 % interval {figure.low:.4f} to {figure.high:.4f})"
    return f"{name} is {figure.value:.4f}{interval}, under {floor:g}"


def notes_on_floors(results: Results, floors: Mapping[str, float]) -> tuple[str, ...]:
    """How many labelled images the figures leave out that floors were given for; empty where there are none."""
    n_bad = results.data.n_bad
    names = [name for name in floors if name != "top1_accuracy_of_all"]
    if not n_bad or not names:
        return ()
    hint = "" if "top1_accuracy_of_all" not in results.figures else "; top1_accuracy_of_all counts them as wrong"
    have = "has no answer and is" if n_bad == 1 else "have no answer and are"
    return (f"{n_bad:,} of {_labelled(results):,} labelled images {have} not in {', '.join(names)}{hint}",)


def _undecided(name: str, results: Results, floor: float) -> str:
    """For a top-k accuracy that reaches its floor only without the images that have no answer."""
    figure, n_bad = results.figures[name], results.data.n_bad
    if not n_bad or figure.value is None or not TOP_K.fullmatch(name):
        return ""
    n = _labelled(results)
    of_all = round(figure.value * results.data.n) / n  # images, so that a floor of just this share holds
    if of_all >= floor:
        return ""
    have = "has" if n_bad == 1 else "have"
    return (
        f"{name} is {figure.value:.4f} of {results.data.n:,} images, but {n_bad:,} of {n:,} labelled images {have} no "
        f"answer, and with these as wrong it is {of_all:.4f}, under {floor:g}: undecided. Answer them, or gate on "
        f"top1_accuracy_of_all"
    )


def _labelled(results: Results) -> int:
    return results.data.n + results.data.n_bad
