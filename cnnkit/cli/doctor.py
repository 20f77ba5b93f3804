"""`cnnkit doctor`."""

from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb

SHOWN = 8


@click.command("doctor", cls=Verb)
@click.option("-m", "--model", type=_options.PATH, help="A classifier whose accuracy is poor.")
@click.option("--data", type=_options.PATH, help="A labelled folder that it does poorly on.")
@click.option("--truth", type=_options.PATH, help="A file of labels (key,label) for images without class folders.")
@click.option("--truth-index", is_flag=True, help="The labels are positions in the model's class list, from 0.")
@click.option("--split", metavar="NAME|all", help="The part to score.  [default: test, else val]")
@click.option("--class-map", type=_options.PATH, help="A file that gives folders or labels their class names.")
@click.option("--limit", type=click.IntRange(1), default=300, show_default=True, help="Images that each trial runs on.")
@_options.seed_option
@_options.spec_options
@_options.json_option
@_options.progress_option
def doctor_command(
    model: Path | None, data: Path | None, as_json: bool, progress: str, limit: int, seed: int, **options: Any
) -> None:
    """Look at this machine, or with --model and --data at why a model's accuracy is poor.

    The machine: versions, providers that really open a session, cores, conflicting packages; each
    problem comes with its mend, and exit code 1 says that something keeps cnnkit from working.

    The model: BGR for RGB, 0..255 for 0..1, another mean and std, another resize, another order of
    classes are tried on labelled images, and the one that restores the accuracy is named.
    """
    if (model is None) != (data is None):
        raise click.UsageError("--model and --data go together.")
    if model is None or data is None:
        _machine(as_json)
        return
    from cnnkit import doctor

    with _output.progress(progress, "try", unit="trials") as report:
        found = doctor.try_suspects(model, data, limit=limit, seed=seed, progress=report, **options)
    if as_json:
        _output.emit_json(found.to_dict())
        return
    rows = [[f"{trial.top1_accuracy:.3f}", trial.change, trial.flags] for trial in (found.as_is, *found.trials[:SHOWN])]
    _output.table(["top-1", "with", "flags"], rows)
    _output.say(found.sentence())


def _machine(as_json: bool) -> None:
    from cnnkit import doctor

    found = doctor.diagnose()
    if as_json:
        _output.emit_json(found.to_dict())
    else:
        _output.say(f"cnnkit {found.cnnkit}, Python {found.python}, {found.platform}")
        _output.say(f"cores: {found.cores} ({found.cores_reason}); that many workers with one thread each by default")
        _output.table(["package", "version"], [[name, version or "-"] for name, version in found.versions.items()])
        rows = [[check.name, "yes" if check.opens else "no", check.detail] for check in found.providers]
        _output.table(["provider", "opens", "detail"], rows)
        for finding in found.findings:
            _output.say(f"{finding.level}: {finding.what}\n  mend: {finding.mend}")
        if not found.findings:
            _output.say("Nothing wrong was found.")
    if not found:
        raise click.exceptions.Exit(1)
