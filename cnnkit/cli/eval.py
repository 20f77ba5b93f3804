"""`cnnkit eval`."""

from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _eval_gates, _eval_suite, _options, _output
from cnnkit.cli._command import Verb


@click.command("eval", cls=Verb)
@click.argument("paths", nargs=-1, type=_options.PATH, metavar="RUN|MODEL DATA")
@click.option("-m", "--model", type=_options.PATH, help="RUN or MODEL, if not given by position.")
@click.option("--data", type=_options.PATH, help="DATA, if not given by position.")
@click.option("-o", "--output", type=_options.PATH, help="Results folder.  [default: results/MODEL-DATA]")
@click.option("--truth", type=_options.PATH, help="A file of labels (key,label) for images without class folders.")
@click.option("--truth-index", is_flag=True, help="The labels are positions in the model's class list, from 0.")
@click.option("--split", metavar="NAME|all", help="The part to score.  [default: test, else val]")
@click.option("--class-map", type=_options.PATH, help="A file that gives folders or labels their class names.")
@click.option("--multilabel", is_flag=True, help="An image may show any number of classes, as --truth FILE says.")
@click.option(
    "--threshold", type=float, default=0.5, show_default=True, help="With --multilabel: a score that counts as given."
)
@click.option("--topk", type=click.IntRange(1), multiple=True, help="A further k for top-k; may be repeated.")
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
    truth: Path | None,
    truth_index: bool,
    split: str | None,
    class_map: Path | None,
    multilabel: bool,
    threshold: float,
    topk: tuple[int, ...],
    bench: Path | None,
    resamples: int,
    seed: int,
    **inference: Any,
) -> None:
    """Score a run, or a model on DATA, against the truth, with an interval on every figure.

    DATA is the labelled folder: its class folders are the truth, or --truth FILE. A MODEL is run
    over it first. The results folder gets results.json, rows.parquet, report.html and report.md;
    with --json and without -o nothing is written.

    --suite FILE runs many models on many data sets and compares the figures with accepted values.
    """
    from cnnkit import evaluation
    from cnnkit.cli._eval_summary import show

    if suite is not None:
        how = {"resamples": resamples, "seed": seed, "report": not no_report, **_typed(inference)}
        _eval_suite.run(suite, output, update=update, summary=summary, as_json=as_json, progress=progress, options=how)
        return
    if update:
        raise click.UsageError("--update accepts the values of a suite: it needs --suite FILE.")
    source, labelled = _options.two_paths(paths, model, data, ("RUN|MODEL", "DATA"))
    if output is None and not as_json:
        output = evaluation.default_output(source, labelled)
    gates = _eval_gates.read_gates(fail_under, fail_if_worse_than, output)
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        _output.say(sentence)

    with _output.progress(progress, "infer") as report:
        results = evaluation.evaluate(
            source,
            labelled,
            output,
            truth=truth,
            truth_index=truth_index,
            split=split,
            class_map=class_map,
            multilabel=multilabel,
            threshold=threshold,
            topk=topk,
            bench=bench,
            resamples=resamples,
            seed=seed,
            report=not no_report,
            progress=report,
            say=say,
            **_typed(inference),
        )
    show(results, output, said=said)
    if as_json:
        _output.emit_json(results.to_dict())
    verdicts = _eval_gates.judge(results, gates, output, resamples=resamples, seed=seed)
    if verdicts.told:
        _output.say(verdicts.told)
    if summary is not None:
        _eval_gates.write_summary(summary, _eval_gates.results_summary(results, verdicts))
    verdicts.check()


def _typed(options: dict[str, Any]) -> dict[str, Any]:
    """What was given on the command line: what was not is the job's to choose."""
    context = click.get_current_context()
    command_line = click.core.ParameterSource.COMMANDLINE
    return {name: value for name, value in options.items() if context.get_parameter_source(name) is command_line}
