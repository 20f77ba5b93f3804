"""The order of the work: a run, its truth, the figures, the files."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cnnkit import metrics
from cnnkit.data import read_class_map
from cnnkit.errors import UsageError
from cnnkit.evaluation._classification import score_labels
from cnnkit.evaluation._detection_files import is_results_file, score_file, write_file_results
from cnnkit.evaluation._detection_run import score_boxes
from cnnkit.evaluation._examined import examined
from cnnkit.evaluation._facts import (
    check_bench,
    cost_of,
    model_facts,
    notes_on_speed,
    place,
    provider_facts,
    run_facts,
    speed_of,
    versions_of,
)
from cnnkit.evaluation._fast_decode import with_decode_cost
from cnnkit.evaluation._fitting import refuse_place
from cnnkit.evaluation._foreign import score_answers
from cnnkit.evaluation._foreign_files import is_answers_file, refuse_exports_of_ours
from cnnkit.evaluation._multilabel import score_label_sets
from cnnkit.evaluation._replacing import refuse_to_replace
from cnnkit.evaluation._scored import Asked, Scored
from cnnkit.evaluation._source import Source, open_source
from cnnkit.predictions import Run
from cnnkit.results import DataFacts, Intervals, Results, write_results

# the kind of truth -> what scores it
SCORERS: dict[str, Callable[[Run, Asked], Scored]] = {
    "classification": score_labels,
    "multilabel": score_label_sets,
    "detection": score_boxes,
}


def evaluate(
    run_or_model: Path | str,
    data: Path | str,
    output: Path | str | None = None,
    *,
    truth: Path | str | None = None,
    truth_index: bool = False,
    split: str | None = None,
    class_map: Path | str | Mapping[str, str] | None = None,
    multilabel: bool = False,
    threshold: float | None = None,
    topk: Iterable[int] = (),
    protocol: str | None = None,
    max_detections: int | None = None,
    ignore_unknown_images: bool = False,
    tables: bool = False,
    details: bool = True,
    slices: Path | str | None = None,
    slice_by: Iterable[str] = (),
    label_health: bool = False,
    trained_on: Path | str | None = None,
    bench: Path | None = None,
    figures: Iterable[str] = (),
    resamples: int = metrics.RESAMPLES,
    seed: int = 0,
    report: bool = True,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
    **inference_options: Any,
) -> Results:
    """Score a run, a model that is first run over `data`, or a COCO results file, against the truth.

    Args:
        run_or_model: a run folder, or an .onnx file, whose run then lies in `output`/run, else in a temporary folder,
            or another tool's detections, a .json.
        data: the labelled folder; its class folders are the truth unless `truth` is given. For detectors labelled
            boxes in any of `data.BOX_FORMATS`; with `truth` the folder of the pictures.
        output: the folder for results.json, rows.parquet and the report; nothing is written without it.
        truth: a file of labels, `key,label`; for detectors labelled boxes.
        truth_index: labels are positions in the model's class list.
        split: the part of `data` to score, or "all".
        class_map: other names for classes, as a file or a mapping.
        multilabel: an image may show any number of classes; `truth` then says which.
        threshold: of a score, from which on a label counts as given, 0.5 when not given; for `multilabel`.
        topk: further k to report beside 1 and 5.
        protocol: coco, voc07, voc12 or all; for detectors. None: as the truth's format has it.
        max_detections: COCO's last limit, for an image and class, and of a model that is run for an image.
        ignore_unknown_images: detections of a file in images that the truth does not list are left out.
        tables: precision and recall row by row.
        details: curves, confusions and kinds of error even of very many detections.
        slices: a CSV of attributes, `key` and a column for each; the figure is also told for each of their values.
        slice_by: further properties to group images by, of `evaluation.SLICE_BY`; all but the folder read the images.
        label_health: read the images again and look for the same picture twice, by pixels, here and in `trained_on`.
        trained_on: the images that the model was trained on; the part `train` of `data` when not given.
        bench: what `bench --json` printed, for the speed.
        figures: names that the results are to have; one that no such model has is refused before it is run.
        resamples: how often the images are drawn anew for the intervals that need it.
        seed: of the draws.
        report: write report.html and report.md beside the results.
        overwrite: results of another model or of other data in `output` are replaced, and a run in `output`/run.
        progress: called with (done, total) images while a model runs, and anew while images are read again.
        say: called with sentences worth reading on the way.
        **inference_options: what `inference.infer` takes; only with a model.

    Raises:
        DataError: no labels, unknown classes, a run of other images, no image with an answer; `output` holds other
            results and no `overwrite`.
        UsageError: inference options beside a run.
    """
    data, out = Path(data), None if output is None else Path(output)
    refuse_place(out, data)
    heard: dict[str, Any] = {"progress": progress, "say": say}
    asked = Asked(
        data=data,
        truth=None if truth is None else Path(truth),
        truth_index=truth_index,
        split=split,
        class_map=_names(class_map),
        topk=_checked(topk),
        threshold=_checked_threshold(threshold),
        multilabel=multilabel,
        resamples=resamples,
        seed=seed,
        protocol=protocol,
        max_detections=max_detections,
        ignore_unknown_images=ignore_unknown_images,
        tables=tables,
        details=details,
        slices=None if slices is None else Path(slices),
        slice_by=tuple(dict.fromkeys(slice_by)),
        label_health=label_health,
        trained_on=None if trained_on is None else Path(trained_on),
        figures=tuple(figures),
        **{name: hear for name, hear in heard.items() if hear is not None},
    )
    path = Path(run_or_model)
    how: dict[str, Any] = {"report": report, "options": inference_options}
    refuse_exports_of_ours(path)
    if bench is not None and (is_answers_file(path) or is_results_file(path)):
        raise UsageError(f"--bench tells the speed of a model, and {path} is another tool's answers: leave it out.")
    if is_answers_file(path) or is_results_file(path):
        if not overwrite:
            refuse_to_replace(out, data, asked.truth, name=path.stem)
        return (_evaluate_answers if is_answers_file(path) else _evaluate_file)(path, asked, out, **how)
    return _evaluate_run(path, asked, out, bench=bench, heard={**heard, "overwrite": overwrite}, **how)


def _evaluate_run(
    path: Path,
    asked: Asked,
    output: Path | None,
    *,
    bench: Path | None,
    report: bool,
    options: dict[str, Any],
    heard: dict[str, Any],
) -> Results:
    """Of a run, or of a model that is run first."""
    check_bench(bench, path)
    if asked.max_detections is not None and not path.is_dir():
        options = {**options, "max_detections": asked.max_detections}
    with open_source(path, asked, output, options=options, **heard) as source:
        asked.say(f"Scoring {source.run.plan.n} images in {len(source.run.spec.classes)} classes.")
        scorer = _scorer(source.run, multilabel=asked.multilabel)
        scored = scorer(source.run, asked)
        results = _results(source, scored, asked, output, bench=bench)
        results = with_decode_cost(
            results, source, scored, asked, options=options, score=lambda run: scorer(run, asked)
        )
        if output is not None:
            write_results(output, results, scored.rows)
            if report:
                _report(output, results, scored, source.run)
    return results


def _evaluate_file(
    path: Path, asked: Asked, output: Path | None, *, report: bool, options: Mapping[str, Any]
) -> Results:
    if options:
        raise UsageError(f"{path} is a file of detections: {', '.join(options)} would change nothing.")
    results, boxes = score_file(path, asked, output)
    if output is not None:
        write_file_results(output, results, boxes, asked, report=report)
    return results


def _evaluate_answers(
    path: Path, asked: Asked, output: Path | None, *, report: bool, options: Mapping[str, Any]
) -> Results:
    labels, stray = options.get("labels"), [name for name in options if name != "labels"]
    if stray:
        raise UsageError(f"{path} is a file of answers: {', '.join(stray)} would change nothing.")
    results, rows, root = score_answers(path, asked, output, labels=labels)
    results = examined(results, rows, root, output, asked)
    if output is not None:
        write_results(output, results, rows)
        if report:
            from cnnkit.report import write_report

            write_report(output, results, rows=rows, images_root=root)
    return results


def _scorer(run: Run, *, multilabel: bool) -> Callable[[Run, Asked], Scored]:
    return SCORERS["multilabel" if multilabel else run.spec.task]


def _checked_threshold(threshold: float | None) -> float | None:
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"--threshold {threshold:g}: a score that counts as given lies from 0 to 1.")
    return threshold


def _names(class_map: Path | str | Mapping[str, str] | None) -> Mapping[str, str] | None:
    return read_class_map(Path(class_map)) if isinstance(class_map, Path | str) else class_map


def _checked(topk: Iterable[int]) -> tuple[int, ...]:
    wanted = sorted(set(topk))
    if wanted and wanted[0] < 1:
        raise UsageError(f"top-k needs a k of at least 1, got {wanted[0]}.")
    return tuple(wanted)


def _results(source: Source, scored: Scored, asked: Asked, output: Path | None, *, bench: Path | None) -> Results:
    run = source.run
    results = Results(
        task=run.spec.task,
        model=model_facts(run),
        run=run_facts(source, output),
        classes=run.spec.classes,
        data=DataFacts(
            root=place(scored.keys_root, output),
            part=scored.part,
            truth=place(truth, output) if (truth := asked.truth or scored.truth) else None,
            fingerprint=scored.fingerprint,
            n=scored.n,
            n_bad=sum(scored.bad.values()),
            bad=scored.bad,
            n_unlabelled=scored.n_unlabelled,
            n_outside_part=scored.n_outside_part,
            n_classes=len(run.spec.classes),
            n_classes_scored=scored.n_classes_scored,
        ),
        provider=provider_facts(run),
        versions=versions_of(run),
        cost=cost_of(source),
        speed=speed_of(run, bench),
        intervals=Intervals(resamples=asked.resamples, seed=asked.seed),
        warnings=(*scored.notes, *(run.manifest.notes if run.manifest else ()), *notes_on_speed(run, bench)),
        **scored.measured,
    )
    if scored.sliced is not None:
        return scored.sliced(results)
    return examined(results, scored.rows, scored.keys_root, output, asked)


def _report(output: Path, results: Results, scored: Scored, run: Run) -> None:
    from cnnkit.report import write_report

    drawn = scored.drawn() if scored.drawn else None
    write_report(output, results, rows=scored.rows, images_root=scored.keys_root, run=run, drawn=drawn)
