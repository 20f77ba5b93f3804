"""`cnnkit demo`."""

from pathlib import Path
from typing import Literal

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb

WORDS = {"top1_accuracy": "top-1 accuracy", "coco_AP50": "AP at an IoU of 0.5 (COCO)"}


@click.command("demo", cls=Verb)
@click.option(
    "-o",
    "--output",
    type=_options.PATH,
    default=Path("demo"),
    show_default=True,
    help="Folder that everything is written to.",
)
@click.option(
    "--task",
    type=click.Choice(["classification", "detection"]),
    default="classification",
    show_default=True,
    help="Tell single digits apart, or find the digits in drawn scenes.",
)
@_options.seed_option
def demo_command(output: Path, task: Literal["classification", "detection"], seed: int) -> None:
    """Do the main job from nothing, on scikit-learn's 1,797 real handwritten digits.

    Writes them as an image folder, trains a small CNN, exports and verifies it, runs it over the
    test part and scores it. With --task detection the images are scenes of several digits, the
    network is a small detector, and its answers are drawn on some of them. Each step is shown as
    the command that does the same by itself; the last line is the path of the report.
    """
    from cnnkit import demo

    done = demo.run_demo(output, task=task, seed=seed, say=lambda step: _output.say(f"$ {step}"), tell=_output.say)
    _output.say(f"{WORDS[done.figure]} {done.value:.4f}; open the report in a browser:")
    click.echo(done.report)
