from pathlib import Path
from typing import Any, Literal

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb
from cnnkit.cli._sources import open_both, source_options
from cnnkit.cli._verification import in_words


@click.command(cls=Verb)
@click.argument("source")
@click.option("-o", "--output", type=_options.PATH, help="The file to write.  [default: exported/NAME.onnx]")
@source_options
@click.option(
    "--images", type=_options.PATH, help="Verify on these.  [default: those of the training record, else two photos]"
)
@click.option("--no-verify", is_flag=True, help="Write the file without comparing it with its source.")
@click.option("--locate", "find_fault", is_flag=True, help="Out of tolerance: find the first module and node at fault.")
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
    calib: Path | None,
    data: Path | None,
    max_drop: float,
    accept_undecided: bool,
    fuse: bool,
    fuse_order: Literal["RGB", "BGR"],
    as_json: bool,
    **options: Any,
) -> None:
    """Write a trained network as one .onnx file that knows how to read an image.

    SOURCE is a checkpoint of `cnnkit train`; your own model as package.module:make with --weights, --labels and
    --transform; a .pt2 file of torch.export; timm:NAME or torchvision:NAME; or the name of a network with --weights.

    The file is compared with its source on real images, from the bytes of the image files to the decision, before it
    takes its name: out of tolerance is exit code 1 and no file.

    A fused file takes uint8 pixels (1, height, width, 3) of any size, so that any runtime gets cnnkit's answer without
    cnnkit: its resize is within one level of Pillow's. Its verification has the tolerances of fp16.
    """
    from cnnkit import exporting

    gate = exporting.Gate(calib, data, max_drop, accept_undecided)
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
