"""The report for places that show Markdown: a build's summary, a merge request, a wiki."""

import re
from collections.abc import Sequence
from typing import Any

from cnnkit.predictions import Run
from cnnkit.report import _tables
from cnnkit.report._about_data import data_sentences
from cnnkit.report._confusions import Pair
from cnnkit.report._health import KINDS
from cnnkit.report._names import data_name
from cnnkit.report._slices import slice_notes, slice_table
from cnnkit.report._summary import headline, sentences
from cnnkit.report._words import count, percent
from cnnkit.results import Results, SamePicture

CONFUSIONS = 20
CLASSES = 100
SUSPECTS = 20


def markdown(results: Results, labels: Sequence[str], pairs: Sequence[Pair], run: Run | None) -> str:
    parts = [
        f"# {escape(headline(results))}",
        escape(f"{results.model.name} on {data_name(results)}"),
        bullets([*sentences(results, labels, pairs), *data_sentences(results), *results.warnings]),
        "## Figures",
        table(
            ["Figure", "Value", "95 % interval", "Rests on", "Method"],
            [
                [row["label"], row["value"], row["span"] or "none", row["n"], row["method"] + _note(row)]
                for row in _tables.figure_rows(results)
            ],
        ),
        *_confusions(labels, pairs),
        *_classes(results, labels),
        *_slices(results),
        *_health(results, labels),
        "## What was scored",
        bullets([f"{label}: {value}" for label, value in _tables.data_rows(results)]),
        "## Where it comes from",
        bullets([f"{label}: {value}" for label, value in _tables.provenance_rows(results, run)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _note(row: dict[str, Any]) -> str:
    return f"; {row['note']}" if row["note"] else ""


def _confusions(labels: Sequence[str], pairs: Sequence[Pair]) -> list[str]:
    if not pairs:
        return []
    rows = [
        [labels[each.true], labels[each.predicted], count(each.count), percent(each.share), count(each.back)]
        for each in pairs[:CONFUSIONS]
    ]
    return [
        "## Largest confusions",
        table(["True class", "Taken for", "Times", "Share of the true class", "Other way round"], rows),
    ]


def _classes(results: Results, labels: Sequence[str]) -> list[str]:
    rows = _tables.class_rows(results, labels)
    heading = "## Classes" if len(rows) <= CLASSES else f"## The {CLASSES} weakest of {count(len(rows))} classes"
    cells = [[row["label"], *(_cell(cell) for cell in row["cells"])] for row in rows[:CLASSES]]
    return [heading, table(["Class", *_tables.class_headings(results)], cells)]


def _slices(results: Results) -> list[str]:
    headings, rows = slice_table(results)
    return ["## Slices", bullets(slice_notes(results)), table(headings, rows)] if rows else []


def _health(results: Results, labels: Sequence[str]) -> list[str]:
    health = results.health
    suspects = health.suspects[:SUSPECTS] if health else ()
    rows = [
        [
            each.key,
            f"{labels[each.label]} ({percent(each.p)})",
            f"{labels[each.suggested]} ({percent(each.p_suggested)})",
        ]
        for each in suspects
    ]
    groups = health.duplicates[:SUSPECTS] if health else ()
    same = [f"{KINDS[group.kind]}: {', '.join(_image(each) for each in group.images)}" for group in groups]
    parts = ["## Labels"] if rows or same else []
    if rows and health:
        parts.append(f"{count(health.n_suspects or 0)} labels that the model speaks against, the surest first:")
        parts.append(table(["Image", "Labelled", "Rather"], rows))
    return [*parts, "The same picture twice:", bullets(same)] if same else parts


def _image(each: SamePicture) -> str:
    where = "trained on, " if each.trained_on else ""
    return f"{each.key} ({where}{each.label})" if where or each.label else each.key


def _cell(cell: dict[str, Any]) -> str:
    return f"{cell['text']} ({cell['span']})" if cell["span"] else str(cell["text"])


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(
        f"| {' | '.join(cell if at == 1 else escape(cell) for cell in line)} |" for at, line in enumerate(lines)
    )


def bullets(items: Sequence[str]) -> str:
    return "\n".join(f"- {escape(item)}" for item in items)


def escape(text: str) -> str:
    """Keep a name from acting as markup: one line, and every sign that Markdown or HTML could take for its own."""
    one_line = re.sub(r"[^\S\u00a0]+", " ", text)
    return re.sub(r"([\\`*_\[\]<>|~#&])", _entity, one_line)


def _entity(found: re.Match[str]) -> str:
    named = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}
    return named.get(found[1], f"\\{found[1]}")
