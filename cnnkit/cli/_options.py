"""Options that several commands share, spelt once."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)


class Numbers(click.ParamType[tuple[float, ...]]):
    """`0.485,0.456,0.406`, or one number."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not numbers with commas between them, such as 0.485,0.456,0.406", param, ctx)


class _Size(click.ParamType[tuple[int, int]]):
    """`224`, or `height x width` as 192x256."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        sides = str(value).lower().split("x")
        if len(sides) > 2 or not all(side.isdigit() and int(side) > 0 for side in sides):
            self.fail(f"{value!r} is not a size such as 224, or height x width as 192x256", param, ctx)
        return int(sides[0]), int(sides[-1])


class Number(click.FloatRange):
    """A finite number in a range: NaN is beyond neither end, so click alone lets it through, as it does infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Apply several options in the order in which the help shows them."""

    def apply(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


def model_and_data(what_data: str) -> Callable[[F], F]:
    """MODEL and DATA by position, or as -m/--model and --data. Resolve them with `two_paths`."""
    return together(
        click.argument("paths", nargs=-1, type=PATH, metavar=f"MODEL {what_data}"),
        click.option("-m", "--model", type=PATH, help="MODEL, if not given by position."),
        click.option("--data", type=PATH, help=f"{what_data}, if not given by position."),
    )


def one_path(paths: tuple[Path, ...], option: Path | None, name: str) -> Path:
    """What was given by position or as an option, once."""
    given = [*paths, *([option] if option is not None else [])]
    if len(given) != 1:
        raise click.UsageError(f"Missing {name}." if not given else f"One {name} is taken; {given[1]} is left over.")
    return given[0]


def two_paths(
    paths: tuple[Path, ...], first: Path | None, second: Path | None, names: tuple[str, str]
) -> tuple[Path, Path]:
    """Fill what was not given as an option from the positions; anything missing or left over is wrong usage."""
    left = list(paths)
    one = first if first is not None else (left.pop(0) if left else None)
    two = second if second is not None else (left.pop(0) if left else None)
    if one is None or two is None:
        raise click.UsageError(f"Missing {names[0] if one is None else names[1]}.")
    if left:
        raise click.UsageError(f"One {names[0]} and one {names[1]} are taken; {left[0]} is left over.")
    return one, two


device_options = together(
    click.option(
        "--device", metavar="auto|cpu|cuda[:N]|openvino|tensorrt", help="Where to run; auto is CUDA, else the CPU."
    ),
    click.option("--providers", help="onnxruntime providers by (partial) name, comma separated, instead of --device."),
    click.option("--allow-fallback", is_flag=True, help="Go on when the device that was asked for cannot be had."),
    click.option(
        "--precision",
        type=click.Choice(["fp32", "bf16", "fp16", "int8"]),
        help="The least precise arithmetic that the provider may use.  [default: fp32]",
    ),
    click.option("--threads", type=click.IntRange(1), help="Intra-op threads of a worker.  [default: 1]"),
)

place_options = together(
    click.option("--device", "devices", multiple=True, help="Where the file is run; repeatable.  [default: cpu]"),
    click.option("--providers", help="onnxruntime providers by (partial) name, comma separated: a place more."),
)

batch_options = together(
    click.option(
        "-b", "--batch-size", type=click.IntRange(1), help="Images in a batch.  [default: 32, or the model's own]"
    ),
    click.option("-j", "--workers", type=click.IntRange(1), help="Workers.  [default: the cores that cnnkit may use]"),
)

spec_options = together(
    click.option("--spec", type=PATH, help="A model spec as JSON, instead of the one in the file."),
    click.option("--preset", help="Preprocessing by name: imagenet, imagenet-caffe, tf, raw, ultralytics, yolox."),
    click.option("--labels", type=PATH, help="Class names in the order of the outputs: a line each, or JSON."),
    click.option("--imgsz", type=_Size(), help="Size of the input: 224, or height x width as 192x256."),
    click.option("--resize-size", type=click.IntRange(1), help="What the resize aims at: the short side, or both."),
    click.option(
        "--resize", type=click.Choice(["shortest", "exact", "letterbox", "none"]), help="How a picture gets its size."
    ),
    click.option("--interpolation", metavar="IMPL:FILTER", help="The resize's arithmetic, such as pillow:bilinear."),
    click.option("--align", type=click.Choice(["center", "top_left"]), help="Where a letterboxed picture lies."),
    click.option("--fill", type=click.IntRange(0, 255), help="The grey around a letterboxed picture."),
    click.option("--channel-order", type=click.Choice(["RGB", "BGR"]), help="The order in which the model takes them."),
    click.option("--scale", type=float, help="What a pixel is multiplied with first."),
    click.option("--mean", type=Numbers(), help="Taken off then, in the model's channel order: 0.485,0.456,0.406."),
    click.option("--std", type=Numbers(), help="Divided by last, in the model's channel order."),
    click.option(
        "--activation", type=click.Choice(["softmax", "sigmoid", "none"]), help="What turns outputs into scores."
    ),
    click.option("--background/--no-background", default=None, help="Output 0 is a background, not a class."),
    click.option("--decoder", help="How a detector's output is read."),
    click.option(
        "--conf",
        type=Number(0, 1),
        help="Keep a detector's boxes from this score on.  [default: the model's, 0.25; 0.001 in eval]",
    ),
    click.option("--iou", type=Number(0, 1), help="How far two kept boxes of a class may overlap.  [default: 0.65]"),
    click.option("--max-detections", type=click.IntRange(1), help="Boxes that an image has at most.  [default: 100]"),
    click.option("--agnostic/--per-class", default=None, help="Boxes of other classes rule a box out too, or not."),
    click.option(
        "--box-form",
        metavar="FORM[:unit]",
        help="Boxes that are an output of their own: xyxy, yxyx, xywh or cxcywh; :unit in parts of the picture.",
    ),
    click.option("--output-name", help="The output that holds the scores, of several."),
)
SPEC_NAMES = (
    *("spec", "preset", "labels", "imgsz", "resize_size", "resize", "interpolation", "align", "fill"),
    *("channel_order", "scale", "mean", "std", "activation", "background", "decoder", "output_name"),
    *("conf", "iou", "max_detections", "agnostic", "box_form"),
)

scoring_boxes_options = together(
    click.option(
        "--protocol",
        type=click.Choice(["coco", "voc07", "voc12", "all"]),
        help="Detectors: how boxes are scored.  [default: coco; voc12 for Pascal VOC's own labels]",
    ),
    click.option("--table", "tables", is_flag=True, help="Detectors: precision and recall row by row, for each class."),
    click.option(
        "--ignore-unknown-images",
        is_flag=True,
        help="Leave out a file's detections in images that the truth does not list.",
    ),
)

progress_option = click.option(
    "--progress",
    type=click.Choice(["auto", "bar", "plain", "none"]),
    default="auto",
    show_default=True,
    help="How to show progress, on stderr.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout, and nothing else there.")
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what is there.")
seed_option = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of every random choice."
)
