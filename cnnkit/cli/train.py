"""`cnnkit train`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb

if TYPE_CHECKING:
    from cnnkit.training import EpochRecord


class _Initial(click.ParamType[str | float]):
    """`he`, `xavier` or a standard deviation."""

    name = "initial"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | float:
        if value in ("he", "xavier") or isinstance(value, float):
            return value  # type: ignore[no-any-return]
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is neither he, xavier nor a standard deviation such as 0.01", param, ctx)


class _ClassWeights(click.ParamType[str | Mapping[str, float]]):
    """`balanced`, or a JSON file."""

    name = "class weights"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | Mapping[str, float]:
        if value == "balanced" or isinstance(value, Mapping):
            return value  # type: ignore[no-any-return]
        try:
            read: Mapping[str, float] = json.loads(Path(value).read_bytes())
        except (OSError, ValueError) as error:
            self.fail(f"{value!r} is neither balanced nor a JSON file of weights by class name: {error}", param, ctx)
        return read


input_options = _options.together(
    click.option("--imgsz", type=int, help="Height and width of the network's input."),
    click.option("--channels", type=click.Choice(["RGB", "GRAY"]), help="Colour or grey, for the course's networks."),
    click.option("--preset", help="Preprocessing by name: imagenet, imagenet-caffe, tf, raw, ultralytics."),
    click.option(
        "--resize", type=click.Choice(["shortest", "exact", "letterbox"]), help="How a picture gets its size."
    ),
    click.option("--interpolation", metavar="IMPL:FILTER", help="The resize's arithmetic, such as pillow:bilinear."),
    click.option("--mean", type=_options.Numbers(), help="Taken off the values, in the network's channel order."),
    click.option("--std", type=_options.Numbers(), help="Divided by then."),
)

fit_options = _options.together(
    click.option("--epochs", type=int, help="Passes over the images.  [default: the network's own, else 20]"),
    click.option("-b", "--batch-size", type=int, help="Images in a batch.  [default: the network's own, else 32]"),
    click.option("--optimizer", type=click.Choice(["adam", "adamw", "sgd", "adagrad"]), help="How weights move."),
    click.option("--lr", type=float, help="Learning rate.  [default: the network's own, else 0.001]"),
    click.option("--momentum", type=float, help="Of --optimizer sgd."),
    click.option("--schedule", type=click.Choice(["constant", "cosine", "step"]), help="Of the learning rate."),
    click.option("--warmup", type=float, help="Epochs in which the learning rate climbs."),
    click.option("--step-epochs", type=int, help="Schedule step: after so many epochs ..."),
    click.option("--step-factor", type=float, help="... the learning rate is multiplied by this."),
    click.option("--label-smoothing", type=float, help="Share of each label given to all classes."),
    click.option(
        "--class-weights",
        type=_ClassWeights(),
        metavar="balanced|FILE.json",
        help="What mistakes on each class cost: balanced by their counts, or a file of weights by name.",
    ),
    click.option("--l1", type=float, help="Strength of the L1 penalty on weights."),
    click.option("--l2", type=float, help="Weight decay."),
    click.option("--holdout", type=float, help="Share of each class kept back where DATA has no val part."),
    click.option("--early-stop", type=int, help="Epochs without a lower held-out loss; the best epoch is kept."),
    click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), help="Mixed precision, fp16 on CUDA."),
)

augmentation_options = _options.together(
    click.option("--resized-crop", type=float, help="Crop at random, at least this share of the area, and resize."),
    click.option("--crop-padding", type=int, help="Crop at random after adding a black border of so many pixels."),
    click.option("--flip", type=float, help="Probability of a mirror image, left and right."),
    click.option("--vertical-flip", type=float, help="Probability of a mirror image, top and bottom."),
    click.option("--rotate", type=float, help="Degrees, either way."),
    click.option("--translate", type=float, help="Share of the sides, either way."),
    click.option("--zoom", type=float, help="By a factor of up to 1 - this and 1 + this."),
    click.option("--shear", type=float, help="Degrees, either way."),
    click.option("--brightness", type=float, help="By a factor, likewise."),
    click.option("--contrast", type=float, help="By a factor, likewise."),
    click.option("--saturation", type=float, help="By a factor, likewise."),
    click.option("--hue", type=float, help="Share of the colour circle, either way."),
)


@click.command("train", cls=Verb)
@click.argument("data", type=_options.PATH)
@click.option("-o", "--output", type=_options.PATH, required=True, help="The checkpoint to write, such as model.pt.")
@click.option(
    "--task",
    type=click.Choice(["classification", "detection"]),
    help="What is learned: classes from class folders, or boxes.  [default: what --net is for]",
)
@click.option(
    "--net",
    metavar="NAME",
    help="digits, simple_convnet, keras_mnist, fashion, cifar, cifar_improved, lenet5; or torchvision's resnet18 etc.; "
    "detector finds boxes.  [default with --task detection: detector]",
)
@click.option("--weights", type=_options.PATH, help="Start from these: a checkpoint, .pth or .safetensors.")
@click.option("--initial", type=_Initial(), metavar="he|xavier|STD", help="Initial weights of digits, simple_convnet.")
@fit_options
@input_options
@augmentation_options
@click.option("--engine", type=click.Choice(["torch", "numpy"]), help="PyTorch, or the CNN written out.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda[:N]", help="Where to train.")
@click.option("-j", "--workers", type=click.IntRange(1), help="Readers, and threads.  [default: the cores in reach]")
@_options.seed_option
@_options.overwrite_option
@_options.progress_option
@_options.json_option
def train_command(
    data: Path,
    output: Path,
    task: Literal["classification", "detection"] | None,
    net: str | None,
    device: str,
    workers: int | None,
    overwrite: bool,
    progress: str,
    as_json: bool,
    **recipe: Any,
) -> None:
    """Train a network on DATA, class folders or labelled boxes, and write a checkpoint that export reads.

    Where DATA has the parts train and val, it learns from the one and scores each epoch on the
    other. What is not given is the network's own: its input, its optimizer and learning rate, and
    no augmentation. A run that was broken off goes on when the same command is given again.

    With --task detection DATA holds labelled boxes: COCO's JSON, Pascal VOC's XML, YOLO's text
    files or CSV, with the pictures beside them. --resized-crop, --translate, --zoom and the
    mirrors move boxes with their pixels.
    """
    from cnnkit import training

    with _output.progress(progress, "train") as report:
        record = training.train(
            data,
            output,
            net=net,
            task=task,
            device=device,
            workers=workers,
            overwrite=overwrite,
            progress=report,
            on_epoch=lambda epoch, seconds_left: _output.say(_line(epoch, seconds_left)),
            say=_output.say,
            **recipe,
        )
    if as_json:
        _output.emit_json(record.to_dict())
    else:
        _output.say(
            f"Trained {record.recipe.net} on {record.data.n} images. "
            f"Epoch {record.kept_epoch}: {_figures(record.kept)}."
        )


def _line(epoch: "EpochRecord", seconds_left: float) -> str:
    return f"epoch {epoch.epoch}: {_figures(epoch)}; {epoch.seconds:.1f} s, {_duration(seconds_left)} left"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _figures(epoch: "EpochRecord") -> str:
    parts = [f"loss {epoch.train_loss:.4f}"]
    if epoch.train_accuracy is not None:
        parts.append(f"accuracy {epoch.train_accuracy:.4f}")
    if epoch.val_loss is not None:
        parts.append(f"held out {epoch.val_loss:.4f}")
    if epoch.val_accuracy is not None:
        parts.append(f"{epoch.val_accuracy:.4f}")
    if epoch.val_ap50 is not None:
        parts.append(f"AP50 {epoch.val_ap50:.4f}")
    return ", ".join(parts)
