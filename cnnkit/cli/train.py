"""`cnnkit train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb

if TYPE_CHECKING:
    from cnnkit.training import EpochRecord


@click.command("train", cls=Verb)
@click.argument("data", type=_options.PATH)
@click.option("-o", "--output", type=_options.PATH, required=True, help="The checkpoint to write, such as model.pt.")
@click.option("--net", required=True, metavar="NAME", help="A network of cnnkit.models, such as digits or resnet18.")
@click.option("--epochs", type=int, help="Passes over the training images.")
@click.option("--lr", type=float, help="Learning rate.")
@click.option("-b", "--batch-size", type=int, help="Images in a batch.")
@click.option("--holdout", type=float, help="Share of each class kept back where DATA has no val part.")
@click.option("--imgsz", type=int, help="Height and width of the network's input.")
@click.option("--preset", help="Preprocessing by name instead of the network's own, such as imagenet.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:N]", help="Where to train.")
@click.option("-j", "--workers", type=click.IntRange(1), help="Readers of images.  [default: the cores in reach]")
@_options.seed_option
@_options.overwrite_option
@_options.progress_option
def train_command(
    data: Path,
    output: Path,
    net: str,
    device: str,
    workers: int | None,
    overwrite: bool,
    progress: str,
    **settings: Any,
) -> None:
    """Train a network on DATA, a folder of class folders, and write a checkpoint that export reads.

    DATA with the parts train and val is learned from the one and scored on the other after each
    epoch. What is not given is the network's own: its input, its optimizer and learning rate.
    """
    from cnnkit import training

    with _output.progress(progress, "train") as report:
        record = training.train(
            data,
            output,
            net=net,
            device=device,
            workers=workers,
            overwrite=overwrite,
            progress=report,
            on_epoch=lambda epoch: _output.say(_line(epoch)),
            say=_output.say,
            **settings,
        )
    last = record.epochs[-1]
    _output.say(f"Trained {net} on {record.data.n} images for {last.epoch} epochs: {_figures(last)}.")


def _line(epoch: "EpochRecord") -> str:
    return f"epoch {epoch.epoch}: {_figures(epoch)}, {epoch.seconds:.1f} s"


def _figures(epoch: "EpochRecord") -> str:
    shown = f"loss {epoch.train_loss:.4f}, accuracy {epoch.train_accuracy:.4f}"
    if epoch.val_loss is None or epoch.val_accuracy is None:
        return shown
    return f"{shown}; val loss {epoch.val_loss:.4f}, accuracy {epoch.val_accuracy:.4f}"
