"""`cnnkit demo`."""

from pathlib import Path

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb


@click.command("demo", cls=Verb)
@click.option(
    "-o",
    "--output",
    type=_options.PATH,
    default=Path("demo"),
    show_default=True,
    help="Folder that everything is written to.",
)
@_options.seed_option
def demo_command(output: Path, seed: int) -> None:
    """Do the main job from nothing, on scikit-learn's 1,797 real handwritten digits.

    Writes them as an image folder, trains a small CNN, exports and verifies it, runs it over the
    test part and scores it. Each step is shown as the command that does the same by itself; the
    last line is the path of the report.
    """
    from cnnkit import demo

    done = demo.run_demo(output, seed=seed, say=lambda step: _output.say(f"$ {step}"))
    _output.say(f"top-1 accuracy {done.top1_accuracy:.4f}; open the report in a browser:")
    click.echo(done.report)
