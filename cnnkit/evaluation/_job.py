"""The order of the work: a run, its truth, the figures, the files."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cnnkit import data as datasets
from cnnkit import metrics
from cnnkit.data import Truth
from cnnkit.errors import UsageError
from cnnkit.evaluation._answers import answers_of, rows_of
from cnnkit.evaluation._facts import cost_of, model_facts, place, provider_facts, run_facts, speed_of, versions_of
from cnnkit.evaluation._join import Joined, join
from cnnkit.evaluation._measure import Measured, measure
from cnnkit.evaluation._source import Source, keys_of, open_source, refuse_other_images
from cnnkit.predictions import Run
from cnnkit.results import DataFacts, Intervals, Results, write_results
from cnnkit.spec import ClassificationOutput, ModelSpec


def evaluate(
    run_or_model: Path | str,
    data: Path | str,
    output: Path | str | None = None,
    *,
    truth: Path | str | None = None,
    truth_index: bool = False,
    split: str | None = None,
    class_map: Path | str | Mapping[str, str] | None = None,
    topk: Iterable[int] = (),
    bench: Path | None = None,
    resamples: int = metrics.RESAMPLES,
    seed: int = 0,
    report: bool = True,
    progress: Callable[[int, int], None] | None = None,
    **inference_options: Any,
) -> Results:
    """Score a run, or a model that is first run over `data`, against the truth.

    Args:
        run_or_model: a run folder, or an .onnx file, whose run then lies in `output`/run, else in a temporary folder.
        data: the labelled folder; its class folders are the truth unless `truth` is given.
        output: the folder for results.json, rows.parquet and the report; nothing is written without it.
        truth: a file of labels, `key,label`.
        truth_index: labels are positions in the model's class list.
        split: the part of `data` to score, or "all".
        class_map: other names for classes, as a file or a mapping.
        topk: further k to report beside 1 and 5.
        bench: what `bench --json` printed, for the speed.
        resamples: how often the images are drawn anew for the intervals that need it.
        seed: of the draws.
        report: write report.html and report.md beside the results.
        progress: called with (done, total) images while a model runs.
        **inference_options: what `inference.infer` takes; only with a model.

    Raises:
        DataError: no labels, unknown classes, a run of other images, no image with an answer.
        UsageError: inference options beside a run.
    """
    data, out = Path(data), None if output is None else Path(output)
    how = Intervals(resamples=resamples, seed=seed)
    with open_source(
        Path(run_or_model), data, out, split=split, progress=progress, options=inference_options
    ) as source:
        found = datasets.read_truth(
            data,
            classes=source.run.spec.classes,
            truth=None if truth is None else Path(truth),
            truth_index=truth_index,
            split=split,
            class_map=_names(class_map),
            keys=keys_of(source.run),
        )
        if truth is None:
            refuse_other_images(source.run, data, found)
        joined = join(source.run, found.labels)
        answers = answers_of(joined, found.labels, source=str(source.run.path))
        measured = measure(
            answers,
            source.run.spec.names,
            n_bad=_n_bad(joined),
            topk=_checked(topk),
            softmax=_is_softmax(source.run.spec),
            resamples=resamples,
            seed=seed,
        )
        results = _results(
            source, _keys_root(data, found), found, joined, measured, out, truth_file=truth, bench=bench, how=how
        )
        if out is not None:
            write_results(out, results, rows_of(joined, answers))
            if report:
                _report(out, results, rows_of(joined, answers), _keys_root(data, found), source.run)
    return results


def _keys_root(data: Path, truth: Truth) -> Path:
    """The folder that the run's keys are relative to."""
    return data if truth.prefix else truth.root


def _is_softmax(spec: ModelSpec) -> bool:
    return isinstance(spec.output, ClassificationOutput) and spec.output.activation == "softmax"


def _names(class_map: Path | str | Mapping[str, str] | None) -> Mapping[str, str] | None:
    return datasets.read_class_map(Path(class_map)) if isinstance(class_map, Path | str) else class_map


def _checked(topk: Iterable[int]) -> list[int]:
    wanted = sorted(set(topk))
    if wanted and wanted[0] < 1:
        raise UsageError(f"top-k needs a k of at least 1, got {wanted[0]}.")
    return wanted


def _n_bad(joined: Joined) -> int:
    return sum(joined.bad.values())


def _results(
    source: Source,
    root: Path,
    truth: Truth,
    joined: Joined,
    measured: Measured,
    output: Path | None,
    *,
    truth_file: Path | str | None,
    bench: Path | None,
    how: Intervals,
) -> Results:
    run = source.run
    return Results(
        task=run.spec.task,
        model=model_facts(run),
        run=run_facts(source, output),
        classes=run.spec.classes,
        data=DataFacts(
            root=place(root, output),
            part=truth.part,
            truth=None if truth_file is None else place(Path(truth_file), output),
            fingerprint=joined.fingerprint,
            n=int(joined.ok.sum()),
            n_bad=_n_bad(joined),
            bad=joined.bad,
            n_unlabelled=truth.n_unlabelled,
            n_outside_part=truth.n_outside_part,
            n_classes=len(run.spec.classes),
            n_classes_scored=measured.n_classes_scored,
        ),
        provider=provider_facts(run),
        versions=versions_of(run),
        cost=cost_of(source),
        speed=speed_of(run, bench),
        intervals=how,
        figures=measured.figures,
        per_class=measured.per_class,
        confusion=measured.confusion,
        curves=measured.curves,
        calibration=measured.calibration,
        operating_points=measured.operating_points,
        warnings=(*truth.notes, *(run.manifest.notes if run.manifest else ())),
    )


def _report(output: Path, results: Results, rows: Any, images_root: Path, run: Run) -> None:
    from cnnkit.report import write_report

    write_report(output, results, rows=rows, images_root=images_root, run=run)
