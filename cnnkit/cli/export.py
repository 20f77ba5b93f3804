from pathlib import Path
from typing import Any, Literal

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb
from cnnkit.cli._sources import open_both, source_options
from cnnkit.cli._typed import refuse_typed
from cnnkit.cli._verification import in_words

FOR_INT8 = ("calib", "data", "max_drop", "accept_undecided", "split", "class_map", "method", "samples")


@click.command(cls=Verb)
@click.argument("source")
@click.option("-o", "--output", type=_options.PATH, help="The file to write.  [default: exported/NAME.onnx]")
@source_options
@click.option(
    "--images", type=_options.PATH, help="Verify on these.  [default: those of the training record, else two photos]"
)
@click.option("--no-verify", is_flag=True, help="Write the file without comparing it with its source.")
@click.option("--locate", "find_fault", is_flag=True, help="Out of tolerance: find the first module and node at fault.")
@_options.place_options
@click.option("--opset", type=click.IntRange(7), default=18, show_default=True, help="Version of the operators.")
@click.option(
    "--dynamic",
    type=click.Choice(["batch", "none", "all"]),
    default="batch",
    show_default=True,
    help="Axes that stay open: the batch; none; the batch, height and width.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="Of weights and arithmetic; int8 needs --calib.",
)
@click.option("--half", "precision", flag_value="fp16", help="The same as --precision fp16.")
@click.option("--int8", "precision", flag_value="int8", help="The same as --precision int8.")
@click.option("--calib", type=_options.PATH, help="With int8: a folder of images like those that will be run.")
@click.option("--data", type=_options.PATH, help="With int8: a labelled folder that decides whether it is good enough.")
@click.option(
    "--max-drop",
    type=_options.Number(0, 100, max_open=True),
    default=1.0,
    show_default=True,
    help="With int8: percentage points that may be lost.",
)
@click.option("--accept-undecided", is_flag=True, help="With int8: write it although the images are too few to decide.")
@click.option("--split", metavar="NAME|all", help="With int8: the part of --data to score.  [default: test, else val]")
@click.option("--class-map", type=_options.PATH, help="With int8: a file that gives the folders of --data their names.")
@click.option(
    "--method",
    type=click.Choice(["minmax", "entropy", "percentile"]),
    default="minmax",
    show_default=True,
    help="With int8: how ranges are taken from what tensors hold.",
)
@click.option(
    "--samples", type=click.IntRange(1), default=300, show_default=True, help="With int8: images that calibrate."
)
@click.option("--half-io", is_flag=True, help="With fp16: inputs and outputs too.")
@click.option("--fuse", is_flag=True, help="Preprocessing and activation inside the graph: raw pixels in, scores out.")
@click.option(
    "--fuse-order",
    type=click.Choice(["RGB", "BGR"]),
    default="RGB",
    show_default=True,
    help="Channel order of the pixels that a fused file takes.",
)
@_options.spec_options
@_options.overwrite_option
@_options.json_option
def export_command(
    source: str,
    output: Path | None,
    weights: Path | None,
    allow_pickle: bool,
    transform: str | None,
    no_verify: bool,
    opset: int,
    fuse: bool,
    fuse_order: Literal["RGB", "BGR"],
    as_json: bool,
    **options: Any,
) -> None:
    """Write a trained network as one .onnx file that knows how to read an image.

    SOURCE is a checkpoint of `cnnkit train`; your own model as package.module:make with --weights, --labels and
    --transform; a .pt2 file of torch.export; timm:NAME or torchvision:NAME; or the name of a network with --weights,
    which wins over a folder of that name (./digits).

    The file is compared with its source on real images, from the bytes of the image files to the decision, before it
    takes its name: out of tolerance is exit code 1 and no file.

    A fused file takes uint8 pixels (1, height, width, 3) of any size, so that any runtime gets cnnkit's answer without
    cnnkit: its resize is within one level of Pillow's. Its verification has the tolerances of fp16.
    """
    from cnnkit import exporting

    gate = exporting.Gate(
        labelled=options.pop("data"), **{name: options.pop(name) for name in FOR_INT8 if name != "data"}
    )
    _refuse_idle(options["precision"], gate.labelled, fuse=fuse, no_verify=no_verify)
    exporting.check_request(output, precision=options["precision"], gate=gate, overwrite=options["overwrite"])
    opened, prepares = open_both(source, weights, transform, allow_pickle=allow_pickle)
    done = exporting.export_source(
        opened,
        output,
        transform=prepares,
        transform_name=transform,
        opset=opset,
        fuse=fuse_order if fuse else None,
        gate=gate,
        check=not no_verify,
        say=_output.say,
        **options,
    )
    if as_json:
        _output.emit_json({"path": str(done.path), **done.spec.to_dict()})
        return
    for line in in_words(done.verification) if done.verification else ["Not verified, as asked."]:
        _output.say(line)
    _output.say(f"Exported by the {done.exporter} exporter, opset {opset}: {done.path}")


def _refuse_idle(precision: str, labelled: Path | None, *, fuse: bool, no_verify: bool) -> None:
    """Refuse what was typed and would change nothing."""
    if precision != "int8":
        refuse_typed(FOR_INT8, "goes with --precision int8.")
    if labelled is None:
        refuse_typed(("split", "class_map"), "goes with --data, a labelled folder.")
    if not fuse:
        refuse_typed(("fuse_order",), "goes with --fuse.")
    if no_verify:
        refuse_typed(("images", "find_fault", "devices", "providers"), "says how to verify; leave out --no-verify.")
