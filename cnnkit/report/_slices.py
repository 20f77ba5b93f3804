"""Groups of images on the page and in words."""

from typing import Any

from cnnkit.report._names import meaning
from cnnkit.report._tables import SIGNIFICANT, interval_of, p_in_words
from cnnkit.report._words import NBSP, count, counted, listed, percent, plain, span
from cnnkit.results import Figure, Results, Slice, SlicedBy

NAMED = 3

FISHER = (
    "Images that share a property against all the others: Fisher's exact test, corrected for the number of slices "
    "(Holm). A slice that is not marked may differ all the same: its interval says by how much."
)
PERMUTATION = (
    "Images that share a property against all the others. Average precision comes out higher on fewer images, so a "
    "slice is held against random slices of as many images: \u201cby chance\u201d is what these have above their "
    "rest, \u201cdifference\u201d what this slice has beyond that, p the share of them that differ at least as much, "
    "corrected for the number of slices (Holm). A slice that is not marked may differ all the same: the interval of "
    "its difference says by how much. A slice that shows other classes has another average precision for that alone."
)

Row = dict[str, Any]


def slice_intro(results: Results) -> str:
    """What the slices are held against, and how."""
    return PERMUTATION if results.task == "detection" else FISHER


def slice_rows(results: Results) -> list[Row]:
    """One row a slice; those that differ from the rest beyond chance are marked."""
    return [_row(each) for each in results.slices]


def _row(each: Slice) -> Row:
    words = meaning(each.measure)
    shown = percent if words.share else plain
    rest, p = each.rest, each.p_value
    notes = ["differs from the rest"] if differs(each) else []
    notes += [each.figure.note] if each.figure.note else []
    return {
        "by": each.by,
        "label": each.value,
        "measure": words.label,
        "n": count(each.figure.n),
        "objects": "" if each.n_classes is None else count(each.figure.n_positives or 0),
        "classes": "" if each.n_classes is None else counted(each.n_classes, "class", "classes"),
        "value": shown(each.figure.value),
        "sort": "" if each.figure.value is None else f"{each.figure.value:.8g}",
        "span": span(each.figure.low, each.figure.high, share=words.share),
        "mark": interval_of(each.figure) if words.share else "",
        "rest": shown(rest.value) if rest else "–",
        "by_chance": _signed(each.by_chance),
        "by_chance_sort": "" if each.by_chance is None else f"{each.by_chance:.8g}",
        "difference": points(each.difference),
        "between": _between(each.difference),
        "difference_sort": "" if each.difference is None else f"{each.difference.value or 0:.8g}",
        "p": p_in_words(p),
        "p_sort": "" if p is None else f"{p:.8g}",
        "note": "; ".join(notes),
        "stands_out": differs(each),
    }


def slice_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Headings and rows, where there are no columns to sort by."""
    rows = slice_rows(results)
    boxes = results.task == "detection"
    headings = ["Slice", "Images", *(["Objects"] if boxes else []), "Figure", "Value", "All others"]
    headings += [*(["By chance"] if boxes else []), "Difference", "p, corrected"]
    return headings, [_cells(row, boxes=boxes) for row in rows]


def _cells(row: Row, *, boxes: bool) -> list[str]:
    cells = [f"{row['by']}: {row['label']}", row["n"]]
    cells += [f"{row['objects']} ({row['classes']})"] if boxes else []
    cells += [row["measure"], f"{row['value']} ({row['span']})" if row["span"] else row["value"], row["rest"]]
    cells += [row["by_chance"]] if boxes else []
    cells += [f"{row['difference']} ({row['between']})" if row["between"] else row["difference"]]
    return [*cells, "; ".join(filter(None, [row["p"], row["note"]]))]


def differs(each: Slice) -> bool:
    return each.p_value is not None and each.p_value < SIGNIFICANT


def points(difference: Figure | None) -> str:
    """`+1.2 points`."""
    return _signed(None if difference is None else difference.value)


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.1f}{NBSP}points".replace("-", "\u2212")


def _between(difference: Figure | None) -> str:
    if difference is None or difference.low is None or difference.high is None:
        return ""
    return f"{100 * difference.low:+.1f} to {100 * difference.high:+.1f}".replace("-", "\u2212")


def slice_notes(results: Results) -> list[str]:
    """What each property is, where it comes from and which images have none of it."""
    return [_note(each) for each in results.sliced_by]


def _note(each: SlicedBy) -> str:
    unit = f" ({each.unit})" if each.unit else ""
    told = [f"{each.by}{unit}: {counted(each.n, 'image')}"]
    told += [f"{count(each.n_without)} without a value, in none of its slices"] if each.n_without else []
    told += [f"cut at {listed([f'{edge:.6g}' for edge in each.edges])}"] if each.edges else []
    told += [f"{counted(each.n_unknown, 'row')} of {each.source} about other images"] if each.n_unknown else []
    return f"{', '.join(told)}."


def slice_sentence(results: Results) -> str:
    """The slices that stand out, the worst first; or that none does."""
    tested = [each for each in results.slices if each.p_value is not None and each.difference is not None]
    if not tested:
        return ""
    found = sorted(filter(differs, tested), key=_worst_first)
    groups = counted(len(tested), "group")
    if not found:
        return f"None of {groups} of images that were tested differs from the other images beyond chance."
    named = [_in_words(each) for each in found[:NAMED]]
    more = f"; {count(len(found) - NAMED)} more differ" if len(found) > NAMED else ""
    return f"Of {groups} of images {count(len(found))} {_verb(len(found))} beyond chance: {listed(named)}{more}."


def _verb(number: int) -> str:
    return "differs from the others" if number == 1 else "differ from the others"


def _worst_first(each: Slice) -> float:
    return each.difference.value or 0 if each.difference else 0


def _in_words(each: Slice) -> str:
    against = percent(each.rest.value) if each.rest else "–"
    if each.by_chance is not None:
        beyond = f"{points(each.difference)} beyond chance"
        return f"{each.by} {each.value} (AP {percent(each.figure.value)} against {against} elsewhere, {beyond})"
    return f"{each.by} {each.value} ({percent(each.figure.value)} right against {against} elsewhere)"
