"""`cnnkit compare`."""

from pathlib import Path

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb


@click.command("compare", cls=Verb)
@click.argument("results", nargs=-1, type=_options.PATH, metavar="RESULT...")
@click.option("-o", "--output", type=_options.PATH, help="Folder for comparison.json, report.html and report.md.")
@click.option("--baseline", type=_options.PATH, help="The RESULT that others are compared with.  [default: the first]")
@click.option(
    "--margin",
    type=_options.Number(0, 100, min_open=True),
    metavar="POINTS",
    help="Also say whether each model is at most POINTS worse than the baseline: yes, no, cannot tell.",
)
@click.option(
    "--resamples",
    type=click.IntRange(100),
    default=1000,
    show_default=True,
    help="How often the images are drawn anew for the intervals that need it.",
)
@_options.seed_option
@click.option("--no-report", is_flag=True, help="Write no report.html and report.md.")
@_options.json_option
def compare_command(
    results: tuple[Path, ...],
    output: Path | None,
    baseline: Path | None,
    margin: float | None,
    resamples: int,
    seed: int,
    no_report: bool,
    as_json: bool,
) -> None:
    """Say which of several models is better on the same images, by how much, and how sure that is.

    RESULT is a results folder that `cnnkit eval` wrote. Images are paired by name and content:
    accuracy by the exact McNemar test, every other figure by a paired bootstrap, each difference
    with its 95 % interval. Other images, labels or classes are refused. Nothing is written without
    -o. The exit code does not depend on who wins: gates belong to `cnnkit eval`.
    """
    from cnnkit import evaluation
    from cnnkit.cli._compare_summary import show

    found = evaluation.compare(
        results,
        output,
        baseline=baseline,
        margin=margin,
        resamples=resamples,
        seed=seed,
        report=not no_report,
    )
    show(found, output)
    if as_json:
        _output.emit_json(found.to_dict())
