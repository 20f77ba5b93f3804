"""`cnnkit eval`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnkit.cli import _eval_data, _eval_gates, _eval_suite, _options, _output
from cnnkit.cli._command import Verb
from cnnkit.cli._quiet import without_decoder_talk
from cnnkit.cli._typed import typed_values

if TYPE_CHECKING:
    from cnnkit.results import Results

# what says how one data set is labelled: a suite says it itself
LABELS = ("truth", "truth_index", "split", "class_map", "multilabel", "threshold", "topk", "bench", *_eval_data.NAMES)


@click.command("eval", cls=Verb)
@click.argument("paths", nargs=-1, type=_options.PATH, metavar="RUN|MODEL|DETECTIONS DATA")
@click.option("-m", "--model", type=_options.PATH, help="RUN or MODEL, if not given by position.")
@click.option("--data", type=_options.PATH, help="DATA, if not given by position.")
@click.option("-o", "--output", type=_options.PATH, help="Results folder.  [default: results/MODEL-DATA]")
@click.option("--truth", type=_options.PATH, help="Labels that are no class folders: key,label, or a detector's boxes.")
@click.option("--truth-index", is_flag=True, help="The labels are positions in the model's class list, from 0.")
@click.option("--split", metavar="NAME|all", help="The part to score.  [default: test, else val]")
@click.option("--class-map", type=_options.PATH, help="A file that gives folders or labels their class names.")
@click.option("--multilabel", is_flag=True, help="An image may show any number of classes, as --truth FILE says.")
@click.option(
    "--threshold",
    type=_options.Number(0, 1),
    default=0.5,
    show_default=True,
    help="With --multilabel: a score that counts as given.",
)
@click.option("--topk", type=click.IntRange(1), multiple=True, help="A further k for top-k; may be repeated.")
@_options.scoring_boxes_options
@_eval_data.data_options
@click.option("--bench", type=_options.PATH, help="What `bench --json` printed, for the speed.")
@_eval_gates.gate_options
@_eval_suite.suite_options
@click.option(
    "--resamples",
    type=click.IntRange(100),
    default=1000,
    show_default=True,
    help="How often the images are drawn anew for the intervals that need it.",
)
@_options.seed_option
@click.option("--no-report", is_flag=True, help="Write no report.html and report.md.")
@_options.overwrite_option
@click.option(
    "--fast-decode",
    is_flag=True,
    help="Decode large JPEGs at a fraction, as infer does, and say what it costs: MODEL is run with and without.",
)
@_options.batch_options
@_options.device_options
@_options.spec_options
@_options.json_option
@_options.progress_option
def eval_command(
    paths: tuple[Path, ...],
    model: Path | None,
    data: Path | None,
    output: Path | None,
    fail_under: tuple[str, ...],
    fail_if_worse_than: str | None,
    summary: Path | None,
    suite: Path | None,
    update: bool,
    as_json: bool,
    progress: str,
    no_report: bool,
    resamples: int,
    seed: int,
    **options: Any,
) -> None:
    """Score a run, or a model on DATA, against the truth, with an interval on every figure.

    DATA is the labelled folder: its class folders are the truth, or --truth FILE. A MODEL is run
    over it first. The results folder gets results.json, rows.parquet, report.html and report.md;
    with --json and without -o nothing is written.

    For a detector the truth is boxes: a COCO .json, Pascal VOC's .xml, YOLO's labels or a .csv.
    DETECTIONS is another tool's COCO results file, scored against DATA without a model; it writes
    files only with -o.

    Classes that another tool gave to images are scored too: a CSV or Parquet file with key and a
    column for each class, or key,predicted[,p]; timm's results; Ultralytics' folder of text files.

    --suite FILE runs many models on many data sets and compares the figures with accepted values.
    """
    from cnnkit import evaluation

    if suite is not None:
        how = {"resamples": resamples, "seed": seed, "report": not no_report, **typed_values(options, but=LABELS)}
        _eval_suite.run(suite, output, update=update, summary=summary, as_json=as_json, progress=progress, options=how)
        return
    if update:
        raise click.UsageError("--update accepts the values of a suite: it needs --suite FILE.")
    source, labelled = _options.two_paths(paths, model, data, ("RUN|MODEL", "DATA"))
    output = output or _default_output(source, labelled, as_json=as_json)
    gates = _eval_gates.read_gates(fail_under, fail_if_worse_than, output)
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        _output.say(sentence)

    with without_decoder_talk(), _output.progress(progress, "eval") as report:
        results = evaluation.evaluate(
            source,
            labelled,
            output,
            resamples=resamples,
            seed=seed,
            details=as_json or output is not None,
            figures=gates.floors,
            report=not no_report,
            progress=report,
            say=say,
            **typed_values(options),
        )
    _tell(results, output, said, as_json=as_json)
    verdicts = _eval_gates.judge(results, gates, output, resamples=resamples, seed=seed)
    if verdicts.told:
        _output.say(verdicts.told)
    for note in verdicts.notes:
        _output.say(f"Note on the gate: {note}.")
    if summary is not None:
        _eval_gates.write_summary(summary, _eval_gates.results_summary(results, verdicts))
    verdicts.check()


def _default_output(source: Path, labelled: Path, *, as_json: bool) -> Path | None:
    """A file of detections is scored without a trace, as is anything with --json."""
    from cnnkit import evaluation

    if as_json or evaluation.is_results_file(source):
        return None
    return evaluation.default_output(source, labelled)


def _tell(results: "Results", output: Path | None, said: list[str], *, as_json: bool) -> None:
    from cnnkit.cli import _eval_detection, _eval_summary

    words = _eval_detection if results.task == "detection" else _eval_summary
    words.show(results, output, said=said)
    if as_json:
        _output.emit_json(results.to_dict())
