"""Floors for figures, so that a build can fail."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from cnnkit.errors import UsageError
from cnnkit.results import Figure, Results

OF_ALL = "top1_accuracy_of_all"
PROPORTION = re.compile(
    r"(top\d+|exact_match)_accuracy(_ties_(best|worst))?"
)  # of images, so that its bounds are known
LOWER_IS_BETTER = ("_error", "_entropy", "_loss", "ece", "ece_equal_mass", "brier")
# a kind of results -> the figures that a floor can be set for
FLOORED = {
    "classification": (
        *("top1_accuracy", OF_ALL, "top5_accuracy", "exact_match_accuracy", "macro_f1", "macro_precision"),
        *("macro_recall", "micro_f1", "micro_precision", "micro_recall", "weighted_f1", "weighted_precision"),
        *("weighted_recall", "map", "roc_auc"),
    ),
    "detection": (
        *(f"coco_{name}" for name in ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100")),
        *("coco_ARs", "coco_ARm", "coco_ARl", "voc07_AP", "voc12_AP", "voc07_AP_no_plus_one", "voc12_AP_no_plus_one"),
        *("ultralytics_AP", "ultralytics_AP50"),
    ),
}
NUMBERED = {"classification": PROPORTION, "detection": re.compile(r"coco_AR\d+")}  # names with a number that was typed


def parse_floors(written: Sequence[str]) -> dict[str, float]:
    """`["top1_accuracy=0.75"]` to numbers.

    UsageError for another form, a floor that is no share, and a figure that is better when smaller or that no results
    have.
    """
    floors = {}
    for text in written:
        name, _, number = text.partition("=")
        try:
            floors[name] = float(number)
        except ValueError:
            raise UsageError(f"{text!r}: expected FIGURE=NUMBER, for instance top1_accuracy=0.75.") from None
        if name.endswith(LOWER_IS_BETTER):
            raise UsageError(_no_floor(name))
        if not 0 <= floors[name] <= 1:
            raise UsageError(f"{text!r}: figures are shares, from 0 to 1, such as 0.75 for 75 %.")
    for name in floors:
        if not any(_of(name, task) for task in FLOORED):
            raise UsageError(_unknown(name, [each for names in FLOORED.values() for each in names]))
    return floors


def refuse_other_figures(names: Iterable[str], task: str) -> None:
    """UsageError for a figure that results of this task do not have, before anything is scored."""
    wrong = next((name for name in names if not _of(name, task)), None)
    if wrong is not None:
        kind = "a detector" if task == "detection" else "a classifier"
        raise UsageError(f"no figure {wrong!r} is measured of {kind}; there are {', '.join(FLOORED[task])}.")


def failed_floors(results: Results, floors: Mapping[str, float]) -> list[str]:
    """A sentence for each figure below its floor, undefined or undecided; empty when all hold.

    A figure that reaches its floor is undecided where labelled images have no answer and it might not reach it with
    them: leaving out hard images must not pass a gate. A share of the images is the least with all of these wrong;
    of any other figure nothing is known but that it is not below 0.
    """
    unknown = [name for name in floors if name not in results.figures]
    if unknown:
        raise UsageError(f"no figure {unknown[0]!r} in these results; there are {', '.join(results.figures)}.")
    told = [
        _told(name, results.figures[name], floor) or _undecided(name, results, floor) for name, floor in floors.items()
    ]
    return [sentence for sentence in told if sentence]


def notes_on_floors(results: Results, floors: Mapping[str, float]) -> tuple[str, ...]:
    """How many labelled images the figures leave out that floors were given for; empty where there are none."""
    n_bad = results.data.n_bad
    names = [name for name in floors if name != OF_ALL]
    if not n_bad or not names:
        return ()
    hint = "" if OF_ALL not in results.figures else f"; {OF_ALL} counts them as wrong"
    have = "has no answer and is" if n_bad == 1 else "have no answer and are"
    return (f"{n_bad:,} of {_labelled(results):,} labelled images {have} not in {', '.join(names)}{hint}",)


def way_on(results: Results) -> str:
    """What whoever reads `undecided` can do: to leave an image out is their word, not the gate's."""
    if results.data.merely_unnamed:
        return "Have them answered, or take them out of the data"
    return "Mend these files, or take them out of the data with their labels"


def _of(name: str, task: str) -> bool:
    return name in FLOORED[task] or NUMBERED[task].fullmatch(name) is not None


def _no_floor(name: str) -> str:
    accuracy = "exact_match_accuracy" if name == "hamming_error" else f"{name.removesuffix('error')}accuracy"
    which = accuracy if name.endswith("_error") else "one that is better when larger, such as top1_accuracy or macro_f1"
    return f"{name} is better when smaller, so a floor says nothing. A gate can be on {which}."


def _unknown(name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name, names, n=1)
    meant = f"Did you mean {close[0]}?" if close else f"There are {', '.join(names)}."
    return f"no figure is called {name!r}. {meant}"


def _told(name: str, figure: Figure, floor: float) -> str:
    if figure.value is None:
        return f"{name} is undefined ({figure.note or 'nothing to measure it on'}), so it is not at least {floor:g}"
    if figure.value >= floor:
        return ""
    interval = "" if figure.low is None else f" (95 % interval {figure.low:.4f} to {figure.high:.4f})"
    return f"{name} is {figure.value:.4f}{interval}, under {floor:g}"


def _undecided(name: str, results: Results, floor: float) -> str:
    """For a figure that reaches its floor, perhaps only without the images that have no answer."""
    figure, n_bad, n = results.figures[name], results.data.n_bad, _labelled(results)
    if not n_bad or figure.value is None or name == OF_ALL or floor <= 0:
        return ""
    if not PROPORTION.fullmatch(name):
        might = f"with these it might be under {floor:g}"
    else:
        of_all = round(figure.value * results.data.n) / n  # images, so that a floor of just this share holds
        might = "" if of_all >= floor else f"with these as wrong it is {of_all:.4f}, under {floor:g}"
    have, gate = "has" if n_bad == 1 else "have", f", or gate on {OF_ALL}" if OF_ALL in results.figures else ""
    return might and (
        f"{name} is {figure.value:.4f} of {results.data.n:,} images, but {n_bad:,} of {n:,} labelled images {have} no "
        f"answer, and {might}: undecided. {way_on(results)}{gate}"
    )


def _labelled(results: Results) -> int:
    return results.data.n + results.data.n_bad
