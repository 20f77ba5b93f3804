"""The page's tables as rows of text."""

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from cnnkit import drawing
from cnnkit.predictions import Run
from cnnkit.report._detection_facts import detection_data_rows
from cnnkit.report._names import meaning
from cnnkit.report._outcomes import Outcomes
from cnnkit.report._summary import is_rough
from cnnkit.report._words import bytes_in_words, count, counted, percent, plain, span
from cnnkit.results import ClassFigures, Figure, Results, place_in_words

BAD_FILES = 100
SIGNIFICANT = 0.05
_COLUMNS = {"precision": "Precision", "recall": "Recall", "f1": "F1", "ap": "AP", "ap50": "AP50", "roc_auc": "ROC AUC"}

Row = dict[str, Any]


MAIN_FIGURES = {
    "top1_accuracy",
    "top5_accuracy",
    "top1_accuracy_of_all",
    "macro_f1",
    "map",
    "roc_auc",
    "cross_entropy",
    "ece",
    "ece_equal_width",
    "brier",
    "exact_match_accuracy",
}


def is_main(name: str, results: Results) -> bool:
    """Whether a figure stands in the first table; a detector's all do."""
    return results.task == "detection" or name in MAIN_FIGURES or "_ties_" in name


def figure_rows(results: Results) -> list[Row]:
    rows = []
    for name, figure in results.figures.items():
        words = meaning(name)
        shown = percent if words.share else plain
        rows.append(
            {
                "main": is_main(name, results),
                "label": words.label,
                "text": words.text,
                "note": figure.note or "",
                "value": shown(figure.value),
                "span": span(figure.low, figure.high, share=words.share),
                "mark": interval_of(figure) if words.share else "",
                "n": counted(figure.n_positives or 0, "object") if results.task == "detection" else count(figure.n),
                "method": _method(figure, results),
            }
        )
    return rows


def _method(figure: Figure, results: Results) -> str:
    if figure.method == "bootstrap" and results.intervals is not None:
        return f"bootstrap, {count(results.intervals.resamples)} resamples"
    return {"wilson": "Wilson"}.get(figure.method or "", figure.method or "")


def class_columns(results: Results) -> dict[str, str]:
    """The figures that at least one class has, by name, with their headings."""
    return {
        name: heading
        for name, heading in _COLUMNS.items()
        if any(getattr(each, name) is not None for each in results.per_class)
    }


def class_rows(results: Results, labels: Sequence[str]) -> list[Row]:
    """One row a class, the weakest first; classes without a figure come last."""
    columns = class_columns(results)
    by = "recall" if "recall" in columns else "ap"
    order = sorted(range(len(labels)), key=lambda at: _weakness(results.per_class[at], by))
    return [_class_row(at, labels[at], results.per_class[at], columns) for at in order]


def _weakness(each: ClassFigures, by: str) -> tuple[bool, float, int]:
    value = getattr(each, by)
    return value is None, value if value is not None else 0.0, -each.n


def _class_row(at: int, label: str, each: ClassFigures, columns: dict[str, str]) -> Row:
    cells = [{"text": count(each.n), "value": each.n, "span": ""}]
    if each.n_predicted is not None:
        cells.append({"text": count(each.n_predicted), "value": each.n_predicted, "span": ""})
    for name in columns:
        value = getattr(each, name)
        between = span(*each.intervals.get(name, (None, None)))
        cells.append({"text": percent(value), "value": "" if value is None else f"{value:.6g}", "span": between})
    note = each.note or ("few images" if each.n > 0 and is_rough(each) else "")
    return {"index": at, "label": label, "note": note, "cells": cells}


def class_headings(results: Results) -> list[str]:
    objects = "Objects" if results.task == "detection" else "Images"
    predicted = ["Predicted"] if any(each.n_predicted is not None for each in results.per_class) else []
    return [objects, *predicted, *class_columns(results).values()]


def operating_rows(results: Results) -> list[Row]:
    """For each wanted precision the confidence that gives it, or that none does."""
    return [
        {
            "wanted": f"{each.wanted_precision * 100:.6g}\u00a0%",
            "threshold": "none does" if each.threshold is None else f"{each.threshold:.4g}",
            "precision": percent(each.precision),
            "interval": span(each.low, each.high),
            "n": "" if each.n is None else count(each.n),
            "coverage": percent(each.coverage),
        }
        for each in results.operating_points
    ]


def interval_of(figure: Figure) -> Markup:
    return drawing.interval_mark(figure.value, figure.low, figure.high)


def p_in_words(p: float | None) -> str:
    if p is None:
        return "–"
    return "below 0.0001" if p < 0.0001 else f"{p:.2g}"


def data_rows(results: Results) -> list[tuple[str, str]]:
    data = results.data
    what = "objects" if results.detection else "images"
    return [
        ("Images scored", count(data.n)),
        ("With a label, without an answer", _bad_in_words(results)),
        ("Without a label, left out", count(data.n_unlabelled)),
        ("Outside the scored part, left out", count(data.n_outside_part)),
        (f"Classes with {what}, of all", f"{count(data.n_classes_scored)} of {count(data.n_classes)}"),
        *(detection_data_rows(results.detection) if results.detection else ()),
        ("Folder", _place(data.root)),
        ("Part", data.part or "none: the whole folder"),
        ("Truth", _place(data.truth) if data.truth else "names of the class folders"),
        ("Fingerprint of the images", data.fingerprint),
    ]


def _place(path: str) -> str:
    words = place_in_words(path)
    return words if words == path else f"{words} (from this page: {path})"


def _bad_in_words(results: Results) -> str:
    kinds = ", ".join(f"{name.replace('_', ' ')} {count(number)}" for name, number in sorted(results.data.bad.items()))
    return f"{count(results.data.n_bad)} ({kinds})" if kinds else count(results.data.n_bad)


def bad_files(results: Results, outcomes: Outcomes | None, run: Run | None) -> list[Row]:
    """Files with a label and no answer, each with the sentence that the run holds, when it is there."""
    if outcomes is None:
        return []
    positions = ((outcomes.label >= 0) & (outcomes.predicted < 0)).nonzero()[0][:BAD_FILES]
    keys = [outcomes.key(at) for at in positions.tolist()]
    reasons = _reasons(run, set(keys)) if keys and run is not None else {}
    unnamed = results.data.merely_unnamed
    unknown = "the file of answers does not name it" if unnamed else "not known here: the run is gone"
    return [{"key": key, "why": reasons.get(key, unknown)} for key in keys]


def bad_summary(results: Results) -> str:
    files = counted(min(results.data.n_bad, BAD_FILES), "file")
    return f"The {files} {'without an answer' if results.data.merely_unnamed else 'that could not be read'}"


def _reasons(run: Run, keys: set[str]) -> dict[str, str]:
    found = {}
    for batch in run.batches(["key", "status", "error"]):
        bad = batch.filter(_not_ok(batch))
        for row in bad.to_pylist():
            if row["key"] in keys:
                found[row["key"]] = row["error"] or row["status"]
    return found


def _not_ok(batch: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.not_equal(pc.cast(batch.column("status"), pa.string()), "ok")


def provenance_rows(results: Results, run: Run | None) -> list[tuple[str, str]]:
    rows = [
        ("Model", results.model.name),
        ("sha256 of the model file", results.model.sha256 or "not known: predictions of another tool"),
        ("Hash of its spec", results.model.spec_hash or "not known"),
        ("Run", _place(results.run.path) if results.run.path else "not kept"),
        ("sha256 of the run's manifest", results.run.sha256),
        ("Provider", results.provider.name if results.provider else "not known"),
        ("Precision", results.provider.precision if results.provider else "not known"),
        *_cost_rows(results),
        *_speed_rows(results),
        *[(f"Version of {name}", version) for name, version in sorted(results.versions.items())],
        *[(f"Protocol: {name.replace('_', ' ')}", str(value)) for name, value in results.protocol.items()],
    ]
    if results.intervals is not None:
        made = f"{count(results.intervals.resamples)} resamples, seed {results.intervals.seed}"
        rows.append((f"Intervals of {results.intervals.level * 100:.6g}\u00a0% by bootstrap", made))
    command = _command(run)
    return [*rows, ("Command", command)] if command else rows


def _cost_rows(results: Results) -> list[tuple[str, str]]:
    cost = results.cost
    rows = [
        ("Size of the model file", None if cost.size_bytes is None else bytes_in_words(cost.size_bytes)),
        ("Parameters", None if cost.parameters is None else count(cost.parameters)),
        ("Multiply-adds for one image", None if cost.multiply_adds is None else count(cost.multiply_adds)),
    ]
    return [(label, value) for label, value in rows if value is not None]


THROUGHPUT = {
    "run": "Throughput of this run",
    "files": "Throughput from files",
    "model": "Throughput of the model alone",
    None: "Throughput",
}


def _speed_rows(results: Results) -> list[tuple[str, str]]:
    speed = results.speed
    memory = speed.peak_memory_bytes
    rows = [
        ("Latency, half of the images (p50)", speed.latency_ms_p50, "ms"),
        ("Latency, 95 of 100 images (p95)", speed.latency_ms_p95, "ms"),
        (THROUGHPUT[speed.images_per_s_of], speed.images_per_s, "images/s"),
    ]
    shown = [(label, f"{plain(value)}\u00a0{unit}") for label, value, unit in rows if value is not None]
    shown += [("Peak memory", bytes_in_words(memory))] if memory is not None else []
    return [*shown, ("Speed measured on", "a machine too noisy to trust it")] if speed.noisy else shown


def _command(run: Run | None) -> str | None:
    """What was typed, from run.json; a run that lost that file has none."""
    try:
        facts = json.loads((run.path / "run.json").read_bytes()) if run is not None else {}
    except (OSError, ValueError):
        return None
    command = facts.get("command")
    return " ".join(command) if isinstance(command, list) else command
