"""Options and words of `cnnkit eval` about the data: groups of images, and what speaks against labels."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cnnkit.cli import _options, _output

if TYPE_CHECKING:
    from cnnkit.results import Figure, Results, Slice

NAMES = ("slices", "slice_by", "label_health", "trained_on")
SLICES_SHOWN = 20
SIGNIFICANT = 0.05
COLUMNS = ("slice", "images", "accuracy", "minus the rest, points", "p")
LEGEND = ("p: Fisher's exact test, corrected by Holm over all slices; * below 0.05.",)
BOX_COLUMNS = ("slice", "images", "objects", "AP", "difference, points", "p")
BOX_LEGEND = (
    "Difference: from the other images, less what random slices of as many have: AP is higher on fewer images.",
    "p: the share of these that differ as much (permutation test), corrected by Holm over all slices; * below 0.05.",
)
DOUBTED_UP_TO = 0.2  # a share of labels; beyond, the model is weak rather than the labels

data_options = _options.together(
    click.option(
        "--slices",
        type=_options.PATH,
        metavar="FILE.csv",
        help="Tell the accuracy, or AP, by attributes of images: key and a column for each.",
    ),
    click.option(
        "--slice-by",
        type=click.Choice(["folder", "size", "aspect", "brightness", "blur", "jpeg_quality"]),
        multiple=True,
        help="Tell it by a property of the images; may be repeated. All but folder read them again.",
    ),
    click.option(
        "--label-health",
        is_flag=True,
        help="Read the images again and name those that are there twice, here or in the train part, by their pixels.",
    ),
    click.option(
        "--trained-on",
        type=_options.PATH,
        metavar="DIR",
        help="With --label-health: the images that the model was trained on.  [default: the train part of DATA]",
    ),
)


def show(results: "Results") -> None:
    """Print slices, and what speaks against the labels."""
    if results.slices:
        _show_slices(results)
    for line in _health(results):
        _output.say(line)


def _show_slices(results: "Results") -> None:
    told = [each for each in results.slices if each.rest is not None]
    order = sorted(range(len(told)), key=lambda at: _rank(told[at], at))
    shown = sorted(order[:SLICES_SHOWN])
    boxes = results.task == "detection"
    if shown:
        columns, row = (BOX_COLUMNS, _box_slice) if boxes else (COLUMNS, _slice)
        headings = [told[0].measure if each == "AP" else each for each in columns]
        _output.table(headings, [row(told[at]) for at in shown], title="Slices against all other images")
    if len(order) > len(shown):
        _output.say(f"{len(order) - len(shown)} more slices, further from differing, are in the results.")
    if shown:
        for line in BOX_LEGEND if boxes else LEGEND:
            _output.say(line)
    for line in (*_alike(results), *_without(results)):
        _output.say(line)


def _box_slice(each: "Slice") -> list[str]:
    return [
        _name(each),
        str(each.figure.n),
        str(each.figure.n_positives or 0),
        "–" if each.figure.value is None else f"{each.figure.value:.4f}",
        _points(each.difference),
        _p(each),
    ]


def _rank(each: "Slice", at: int) -> tuple[float, int]:
    return (2.0 if each.p_value is None else each.p_value), at


def _slice(each: "Slice") -> list[str]:
    return [_name(each), str(each.figure.n), _percent(each.figure.value), _points(each.difference), _p(each)]


def _name(each: "Slice") -> str:
    few = f" ({each.figure.note})" if each.figure.note else ""
    return f"{each.by}: {each.value}{few}"


def _p(each: "Slice") -> str:
    p = "–" if each.p_value is None else "< 0.0001" if each.p_value < 0.0001 else f"{each.p_value:.4f}"
    return f"{p} *" if each.p_value is not None and each.p_value < SIGNIFICANT else p


def _alike(results: "Results") -> Iterator[str]:
    alike = [f"{each.by} ({each.value})" for each in results.slices if each.rest is None]
    if alike:
        yield f"The same for every image: {', '.join(alike)}."


def _health(results: "Results") -> Iterator[str]:
    from cnnkit.results import place_in_words

    health = results.health
    if health is None:
        return
    if health.n_suspects and health.n_suspects <= DOUBTED_UP_TO * results.data.n:
        first, names = health.suspects[0], results.names
        yield (
            f"Labels that the model speaks against: {health.n_suspects} of {results.data.n}, the surest {first.key} "
            f"(labelled {names[first.label]}, rather {names[first.suggested]}, p {first.p_suggested:.2f})"
        )
    if health.n_suspects is None and health.compared == "pixels":
        yield health.NOT_DOUBTED
    if health.n_trained_on:
        yield f"Scored images that the model was trained on too: {health.n_trained_on}. The figures flatter it."
    if health.n_extra or health.n_conflicts:
        labels = f", {health.n_conflicts} pictures under different labels" if health.n_conflicts else ""
        yield f"The same picture twice: {health.n_extra} images show what another shows{labels}. The report names them."
    if health.compared == "pixels":
        place = place_in_words(health.trained_on) if health.trained_on else ""
        others = f" and {health.n_trained_on_read} of {place}" if place else ""
        near = "near ones not looked for" if health.n_near is None else f"{health.n_near} pairs nearly the same"
        yield f"Compared by pixels: {health.n_read} scored images{others}; {near}."


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _points(difference: "Figure | None") -> str:
    if difference is None or difference.value is None or difference.low is None or difference.high is None:
        return "–"
    return f"{100 * difference.value:+.1f} ({100 * difference.low:+.1f} to {100 * difference.high:+.1f})"


def _without(results: "Results") -> Iterator[str]:
    for each in results.sliced_by:
        told = [f"{each.n_without} images without a value, in no slice of it"] if each.n_without else []
        told += [f"{each.n_unknown} rows of {each.source} about images that are not scored"] if each.n_unknown else []
        if told:
            yield f"{each.by}: {'; '.join(told)}."
