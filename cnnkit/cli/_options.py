"""Options that several commands share, spelt once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)


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
        "--device",
        default="auto",
        show_default=True,
        metavar="auto|cpu|cuda[:N]|openvino|tensorrt",
        help="Where to run.",
    ),
    click.option("--providers", help="onnxruntime providers by (partial) name, comma separated, instead of --device."),
    click.option("--allow-fallback", is_flag=True, help="Go on when the device that was asked for cannot be had."),
    click.option("--threads", type=click.IntRange(1), help="Intra-op threads of a worker."),
)

batch_options = together(
    click.option(
        "-b", "--batch-size", type=click.IntRange(1), help="Images in a batch.  [default: 32, or the model's own]"
    ),
    click.option("-j", "--workers", type=click.IntRange(1), help="Workers.  [default: the cores that cnnkit may use]"),
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
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random choice.")
