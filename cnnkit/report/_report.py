"""From results to report.html and report.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import drawing
from cnnkit.files import write_text
from cnnkit.predictions import Run
from cnnkit.report import _charts, _detection_facts, _tables
from cnnkit.report._about_data import data_content, data_sentences
from cnnkit.report._confusions import Pair, classes_to_draw, largest_pairs
from cnnkit.report._detection_charts import detection_charts
from cnnkit.report._detections import groups_of_detections
from cnnkit.report._gallery import Group, groups_of_label_sets, groups_of_outcomes
from cnnkit.report._markdown import markdown
from cnnkit.report._names import class_labels, data_name
from cnnkit.report._outcomes import Outcomes, outcomes_from_rows
from cnnkit.report._page import page
from cnnkit.report._summary import headline, sentences
from cnnkit.report._thresholds import Thresholds, thresholds_of
from cnnkit.report._words import count, percent
from cnnkit.report.drawn import DrawnBoxes
from cnnkit.results import Results

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BACKGROUND = "background"  # of a detector's confusions
BACKGROUND_CAPTION = (
    " Background as a column: objects that no detection was paired with; as a row: detections that were paired with no "
    "object, those in the wrong place and those that found one again among them."
)
MAP_FROM = 60  # with more classes than these a map of all of them stands beside the grid


@dataclass(frozen=True)
class Facts:
    """What the sections of a page are made of."""

    results: Results
    labels: list[str]
    rows: "pa.Table"
    outcomes: Outcomes | None
    matrix: "NDArray[np.int64] | None"
    pairs: list[Pair]
    root: Path | None
    run: Run | None
    drawn: DrawnBoxes | None

    @property
    def names(self) -> list[str]:
        """Of the rows of the confusion matrix."""
        background = self.matrix is not None and len(self.matrix) > len(self.labels)
        return [*self.labels, BACKGROUND] if background else self.labels


def write_report(
    folder: Path,
    results: Results,
    *,
    rows: "pa.Table",
    images_root: Path | None,
    run: Run | None = None,
    drawn: DrawnBoxes | None = None,
) -> Path:
    """Write report.html and report.md into `folder` and return the path of the page.

    `rows` is the table of rows.parquet, `images_root` the folder that its keys are relative to (None: a page without
    pictures). `run` adds why files could not be read and the command, `drawn` the boxes on a detector's pictures. Equal
    input gives equal bytes.
    """
    facts = _facts(results, rows, images_root, run, drawn)
    path = folder / "report.html"
    write_text(path, html(facts))
    write_text(folder / "report.md", markdown(results, facts.labels, facts.pairs, facts.run))
    return path


def _facts(results: Results, rows: "pa.Table", root: Path | None, run: Run | None, drawn: DrawnBoxes | None) -> Facts:
    single = results.task == "classification" and not results.multilabel
    matrix = results.confusion.matrix() if results.confusion is not None else None
    return Facts(
        results=results,
        labels=class_labels(results.classes),
        rows=rows,
        outcomes=outcomes_from_rows(rows) if single else None,
        matrix=matrix,
        pairs=largest_pairs(matrix, n_classes=len(results.classes)) if matrix is not None else [],
        root=root,
        run=run,
        drawn=drawn,
    )


def html(facts: Facts) -> str:
    results, labels = facts.results, facts.labels
    thresholds = thresholds_of(results, facts.rows, facts.outcomes)
    content: dict[str, Any] = {
        "sentences": [*sentences(results, labels, facts.pairs), *data_sentences(results)],
        "warnings": results.warnings,
        "figures": _tables.figure_rows(results),
        "galleries": _galleries(facts),
        "confusion": _confusion(facts),
        "class_charts": _charts.class_charts(results, labels),
        "columns": _tables.class_headings(results),
        "classes": _tables.class_rows(results, labels),
        "curves": (detection_charts if results.task == "detection" else _charts.curve_charts)(results, labels),
        "errors": _detection_facts.error_rows(results),
        "errors_from": _detection_facts.errors_from(results),
        "thresholds": _charts.threshold_chart(thresholds) if thresholds else None,
        "noun": thresholds.noun if thresholds else "",
        "operating_points": _tables.operating_rows(results),
        "calibration": _charts.calibration_charts(results),
        **data_content(results, labels, facts.root),
        "data": _tables.data_rows(results),
        "bad_files": _tables.bad_files(results, facts.outcomes, facts.run),
        "bad_summary": _tables.bad_summary(results),
        "provenance": _tables.provenance_rows(results, facts.run),
        "labels": labels,
    }
    return page(
        "report.html",
        title=f"{results.model.name} on {data_name(results)}",
        kind=f"cnnkit eval: {results.model.name} on {data_name(results)}",
        heading=headline(results),
        sections=_sections(content),
        facts=_script_facts(facts, thresholds),
        **content,
    )


def _sections(content: dict[str, Any]) -> list[tuple[str, str]]:
    candidates = (
        ("summary", "In words", True),
        ("figures", "Figures", True),
        ("mistakes", "Images", content["galleries"]),
        ("errors", "Kinds of error", content["errors"]),
        ("confusion", "Confusions", content["confusion"]),
        ("classes", "Classes", True),
        ("curves", "Curves", content["curves"]),
        ("threshold", "Threshold", content["thresholds"]),
        ("calibration", "Confidence", content["calibration"]),
        ("slices", "Slices", content["slices"]),
        ("health", "Labels", content["health"]),
        ("data", "What was scored", True),
        ("provenance", "Where it comes from", True),
    )
    return [(id_, label) for id_, label, there in candidates if there]


def _galleries(facts: Facts) -> list[Group]:
    if facts.outcomes is not None:
        return groups_of_outcomes(facts.outcomes, facts.labels, facts.root)
    if facts.results.multilabel:
        return groups_of_label_sets(facts.rows, facts.labels, facts.root)
    return groups_of_detections(facts.rows, facts.labels, facts.root, facts.drawn)


def _confusion(facts: Facts) -> dict[str, Any] | None:
    matrix, labels = facts.matrix, facts.names
    if matrix is None or len(labels) < 2:
        return None
    n_classes, totals = len(facts.labels), matrix.sum(axis=1)
    chosen = classes_to_draw(matrix[:n_classes, :n_classes], facts.pairs)
    whole = len(chosen) == n_classes
    which = "All classes" if whole else f"The {len(chosen)} classes of the largest confusions, of {count(n_classes)}"
    background = list(range(n_classes, len(labels)))
    which += ", and the background" if background else ""
    chosen = [*chosen, *background]
    grid = drawing.confusion_grid(
        matrix[chosen][:, chosen],
        totals[chosen],
        names=[labels[at] for at in chosen],
        name="confusion-grid",
        title="Confusion matrix",
        description=f"{which}. Rows are true classes, columns predicted ones. The largest confusions are in the table.",
    )
    between = matrix[: len(facts.labels), : len(facts.labels)]
    off = int(between.sum() - between.trace())
    listed = sum(pair.count for pair in facts.pairs)
    return {
        "grid": grid,
        "classes": count(n_classes),
        "caption": f"{which}. A row is a true class, a column what it was taken for. The stronger the colour, "
        "the larger the share of the row." + (BACKGROUND_CAPTION if background else ""),
        "map": _map(matrix, labels) if len(labels) > MAP_FROM else None,
        "pairs": [_pair(each, labels) for each in facts.pairs],
        "more": f"These are {count(listed)} of {count(off)} wrong answers." if listed < off else "",
    }


def _map(matrix: "NDArray[np.int64]", labels: Sequence[str]) -> str:
    return drawing.confusion_map(
        matrix,
        matrix.sum(axis=1),
        name="confusion-map",
        title=f"Confusion matrix of all {count(len(labels))} classes",
        description="Rows are true classes from top to bottom, columns predicted ones from left to right.",
    )


def _pair(each: Pair, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "true": labels[each.true],
        "predicted": labels[each.predicted],
        "count": count(each.count),
        "share": percent(each.share),
        "value": f"{each.share:.6g}",
        "back": count(each.back),
    }


def _script_facts(facts: Facts, thresholds: Thresholds | None) -> dict[str, Any]:
    """What the script cannot read off the page: all cells of the confusion matrix and the counts by threshold."""
    cells = facts.results.confusion.cells if facts.results.confusion else ()
    return {
        "labels": facts.labels,
        "names": facts.names,
        "short": drawing.short_names(facts.names, limit=16),
        "cells": [number for cell in cells for number in cell],
        "thresholds": None
        if thresholds is None
        else {
            "at": [float(f"{value:.4g}") for value in thresholds.thresholds],
            "answered": thresholds.answered.tolist(),
            "right": thresholds.right.tolist(),
            "total": thresholds.total.tolist(),
            "noun": thresholds.noun,
        },
    }
