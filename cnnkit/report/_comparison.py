"""From compared models to report.html and report.md."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnkit import drawing
from cnnkit.files import write_text
from cnnkit.report import _tables
from cnnkit.report._charts import Chart
from cnnkit.report._detector_pairs import detector_section, detectors_in_markdown, headings
from cnnkit.report._gallery import Caption, Group, pictures
from cnnkit.report._markdown import bullets, escape, table
from cnnkit.report._names import class_labels, data_name, meaning
from cnnkit.report._page import page
from cnnkit.report._thumbnails import Wanted
from cnnkit.report._tradeoff import known_costs, tradeoff_charts
from cnnkit.report._words import NBSP, counted, listed, percent, plain, span
from cnnkit.report.compared import ClassChange, ComparedModel, Comparison, Difference, Flip, Pairing
from cnnkit.results import Figure

MEASURES = (
    "top1_accuracy",
    "top5_error",
    "exact_match_accuracy",
    "coco_AP",
    "coco_AP50",
    "voc12_AP",
    "map",
    "macro_f1",
    "ece",
)
FLIPS = 42
CHANGES = 200

Row = dict[str, Any]


def write_comparison(folder: Path, comparison: Comparison, *, images_root: Path | None) -> Path:
    """Write report.html and report.md into `folder` and return the path of the page.

    `images_root` is the folder that the keys of the flips are relative to; None makes a page without pictures.

    Raises:
        ValueError: no model, or two of one name.
    """
    names = [each.name for each in comparison.models]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"models to compare need names of their own, got {names}")
    path = folder / "report.html"
    write_text(path, html(comparison, images_root))
    write_text(folder / "report.md", markdown(comparison))
    return path


def html(comparison: Comparison, root: Path | None) -> str:
    models, sentences = comparison.models, [each.replace(" %", f"{NBSP}%") for each in comparison.sentences]
    labels = class_labels(models[0].results.classes)
    content: dict[str, Any] = {
        "sentences": sentences,
        "notes": _notes(comparison),
        "columns": _headings(models),
        "models": [_model_row(each, models) for each in models],
        "tradeoffs": tradeoff_charts(models),
        "differences": [_difference_row(each) for each in comparison.differences],
        "difference_charts": difference_charts(comparison.differences),
        "pairings": [_pairing(each, at, labels, root) for at, each in enumerate(comparison.pairings)],
        "detectors": [
            {**detector_section(each, at, labels, root, len(comparison.detectors)), "columns": headings(each.objects)}
            for at, each in enumerate(comparison.detectors)
        ],
        "provenance": [(each.name, _provenance(each)) for each in models],
        "labels": labels,
    }
    return page(
        "comparison.html",
        title=f"{listed(names_of(models))} on {data_name(models[0].results)}",
        kind=f"cnnkit compare: {counted(len(models), 'model')} on {data_name(models[0].results)}",
        heading=sentences[0] if sentences else f"{listed(names_of(models))} compared",
        sections=_sections(content),
        facts={"labels": labels, "short": [], "cells": [], "thresholds": None},
        **content,
    )


def names_of(models: Sequence[ComparedModel]) -> list[str]:
    return [each.name for each in models]


def _sections(content: dict[str, Any]) -> list[tuple[str, str]]:
    candidates = (
        ("summary", "In words", True),
        ("models", "Models", True),
        ("tradeoff", "Quality against cost", content["tradeoffs"]),
        ("differences", "Differences", content["differences"]),
        ("flips", "Images that flip", content["pairings"]),
        ("objects", "Objects that differ", content["detectors"]),
        ("provenance", "Where it comes from", True),
    )
    return [(id_, label) for id_, label, there in candidates if there]


def _notes(comparison: Comparison) -> list[str]:
    return [*comparison.notes, *(f"{each.name}: {note}" for each in comparison.models for note in each.notes)]


def _measures(models: Sequence[ComparedModel]) -> list[str]:
    return [name for name in MEASURES if any(name in each.results.figures for each in models)]


def _headings(models: Sequence[ComparedModel]) -> list[str]:
    return [*(meaning(name).label for name in _measures(models)), *(cost.label for cost in known_costs(models))]


def _model_row(model: ComparedModel, models: Sequence[ComparedModel]) -> Row:
    figures = [_figure_cell(name, model.results.figures.get(name)) for name in _measures(models)]
    costs = []
    for cost in known_costs(models):
        value = cost.value(model.results)
        text = "–" if value is None else plain(value / cost.unit)
        costs.append({"text": text, "value": "" if value is None else f"{value:.8g}", "span": "", "mark": ""})
    return {"label": model.name, "cells": [*figures, *costs]}


def _figure_cell(name: str, figure: Figure | None) -> Row:
    if figure is None or figure.value is None:
        return {"text": "–", "value": "", "span": "", "mark": ""}
    share = meaning(name).share
    return {
        "text": percent(figure.value) if share else plain(figure.value),
        "value": f"{figure.value:.8g}",
        "span": span(figure.low, figure.high, share=share),
        "mark": _tables.interval_of(figure) if share else "",
    }


def _difference_row(each: Difference) -> Row:
    share = meaning(each.measure).share
    return {
        "pair": f"{each.second} against {each.first}",
        "measure": meaning(each.measure).label,
        "value": points(each.value, share=share),
        "sort": f"{each.value:.8g}",
        "span": "none" if each.low is None or each.high is None else between(each.low, each.high, share=share),
        "p": _tables.p_in_words(each.p),
        "p_sort": "" if each.p is None else f"{each.p:.8g}",
        "n": f"{each.n:,}",
        "method": each.method,
        "sentence": each.sentence,
    }


def points(value: float, *, share: bool) -> str:
    """`+1.2 points`: a difference of shares is never written in percent, which would read as a ratio."""
    return f"{signed(value * 100)}{NBSP}points" if share else f"{value:+.4g}".replace("-", "−")


def between(low: float, high: float, *, share: bool) -> str:
    first = signed(low * 100) if share else points(low, share=False)
    return f"{first} to {points(high, share=share)}"


def signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def difference_charts(differences: Sequence[Difference]) -> list[Chart]:
    """One chart a measure: the intervals of the differences round 0, in points."""
    shares = dict.fromkeys(each.measure for each in differences if meaning(each.measure).share)
    return [_difference_chart(name, [each for each in differences if each.measure == name]) for name in shares]


def _difference_chart(measure: str, differences: Sequence[Difference]) -> Chart:
    bars = [
        drawing.Bar(
            f"{each.second} − {each.first}",
            each.value * 100,
            None if each.low is None else each.low * 100,
            None if each.high is None else each.high * 100,
            signed(each.value * 100),
        )
        for each in differences
    ]
    ends = [abs(end) for bar in bars for end in (bar.value, bar.low, bar.high) if end is not None]
    reach = max([*ends, 0.1]) * 1.1
    svg = drawing.interval_bars(
        bars,
        name=f"difference-{measure}",
        title=f"Differences in {meaning(measure).label}, percentage points",
        description="; ".join(each.sentence for each in differences),
        axis=drawing.Axis("percentage points", -reach, reach),
        dots=True,
        above=True,
    )
    caption = "In percentage points; right of the line the first named is better. An interval over it decides nothing."
    if not meaning(measure).up:
        caption = caption.replace("right of", "left of")
    return Chart(f"difference-{measure}", svg, f"Difference in {meaning(measure).label}", caption)


def _pairing(pair: Pairing, at: int, labels: Sequence[str], root: Path | None) -> Row:
    changes = sorted(pair.classes, key=lambda each: (each.second_right - each.first_right) / max(each.n, 1))
    moved = [each for each in changes if each.second_right != each.first_right]
    return {
        "heading": f"{pair.first} and {pair.second}",
        "first": pair.first,
        "second": pair.second,
        "counts": [
            ("Both right", f"{pair.both_right:,}"),
            (f"Only {pair.first} right", f"{pair.only_first:,}"),
            (f"Only {pair.second} right", f"{pair.only_second:,}"),
            ("Both wrong", f"{pair.both_wrong:,}"),
            ("The same answer", f"{pair.same_answer:,} of {pair.n:,} ({percent(pair.same_answer / max(pair.n, 1))})"),
        ],
        "groups": _flip_groups(pair, at, labels, root),
        "changes": [_change_row(each, labels) for each in moved[:CHANGES]],
    }


def _flip_groups(pair: Pairing, at: int, labels: Sequence[str], root: Path | None) -> list[Group]:
    groups = []
    for side, winner, loser, total in (
        ("first", pair.first, pair.second, pair.only_first),
        ("second", pair.second, pair.first, pair.only_second),
    ):
        fitting = [flip for flip in pair.flips if (flip.first == flip.label) == (side == "first")]
        chosen = sorted(fitting, key=_sureness_of_the_wrong)[:FLIPS]
        wanted = [Wanted(flip.key, flip.digest) for flip in chosen]
        captions = [_flip_caption(flip, pair, labels) for flip in chosen]
        groups.append(
            Group(
                f"flips-{at}-{side}",
                f"{winner} is right, {loser} is wrong",
                f"{counted(len(chosen), 'image')} of {total:,}, the surest wrong answers first.",
                "No such image.",
                pictures(wanted, captions, root),
            )
        )
    return groups


def _sureness_of_the_wrong(flip: Flip) -> tuple[float, str]:
    return -((flip.second_confidence if flip.first == flip.label else flip.first_confidence) or 0.0), flip.key


def _flip_caption(flip: Flip, pair: Pairing, labels: Sequence[str]) -> Caption:
    lines = (
        ("labelled", labels[flip.label], ""),
        (f"{pair.first}:", labels[flip.first], percent(flip.first_confidence)),
        (f"{pair.second}:", labels[flip.second], percent(flip.second_confidence)),
    )
    return Caption(lines, tuple(dict.fromkeys((flip.label, flip.first, flip.second))))


def _change_row(each: ClassChange, labels: Sequence[str]) -> Row:
    change = (each.second_right - each.first_right) / max(each.n, 1)
    return {
        "label": labels[each.label],
        "n": f"{each.n:,}",
        "first": f"{each.first_right:,}",
        "second": f"{each.second_right:,}",
        "change": points(change, share=True),
        "sort": f"{change:.8g}",
    }


def _provenance(model: ComparedModel) -> list[tuple[str, str]]:
    return [*_tables.data_rows(model.results), *_tables.provenance_rows(model.results, None)]


def markdown(comparison: Comparison) -> str:
    models = comparison.models
    rows = [[each.name, *(_cell(cell) for cell in _model_row(each, models)["cells"])] for each in models]
    differences = [_difference_row(each) for each in comparison.differences]
    parts = [
        f"# {escape(comparison.sentences[0] if comparison.sentences else listed(names_of(models)))}",
        escape(f"{counted(len(models), 'model')} on {data_name(models[0].results)}"),
        bullets([*comparison.sentences[1:], *_notes(comparison)]),
        table(["Model", *_headings(models)], rows),
        "## Differences" if differences else "",
        table(
            ["Pair", "Measure", "Difference", "95 % interval", "p", "Images", "Method"],
            [[row[key] for key in ("pair", "measure", "value", "span", "p", "n", "method")] for row in differences],
        )
        if differences
        else "",
        *(_pairing_in_words(each) for each in comparison.pairings),
        *detectors_in_markdown(comparison.detectors, class_labels(models[0].results.classes)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(cell: Row) -> str:
    return f"{cell['text']} ({cell['span']})" if cell["span"] else str(cell["text"])


def _pairing_in_words(pair: Pairing) -> str:
    return bullets(
        [
            f"{pair.first} and {pair.second}: both right {pair.both_right:,}, only {pair.first} {pair.only_first:,}, "
            f"only {pair.second} {pair.only_second:,}, both wrong {pair.both_wrong:,}; "
            f"the same answer on {percent(pair.same_answer / max(pair.n, 1))}."
        ]
    )
