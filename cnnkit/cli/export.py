from pathlib import Path
from typing import Literal

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb
from cnnkit.cli._verification import in_words


@click.command(cls=Verb)
@click.argument("source")
@click.option("-o", "--output", type=_options.PATH, help="The file to write.  [default: exported/NAME.onnx]")
@click.option(
    "--images", type=_options.PATH, help="Verify on these.  [default: those of the training record, else two photos]"
)
@click.option("--no-verify", is_flag=True, help="Write the file without comparing it with its source.")
@click.option("--opset", type=click.IntRange(7), default=18, show_default=True, help="Version of the operators.")
@click.option(
    "--dynamic",
    type=click.Choice(["batch", "none", "all"]),
    default="batch",
    show_default=True,
    help="Axes that stay open: the batch; none; the batch, height and width.",
)
@_options.overwrite_option
@_options.json_option
def export_command(
    source: str,
    output: Path | None,
    images: Path | None,
    no_verify: bool,
    opset: int,
    dynamic: Literal["batch", "none", "all"],
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write a trained network as one .onnx file that knows how to read an image.

    SOURCE is a checkpoint that `cnnkit train` wrote. The file is compared with its source on real images, from the
    bytes of the image files to the decision, before it takes its name: out of tolerance is exit code 1 and no file.
    """
    from cnnkit import exporting, verification

    done = exporting.export_source(
        verification.open_source(source),
        output,
        images=images,
        opset=opset,
        dynamic=dynamic,
        check=not no_verify,
        overwrite=overwrite,
        say=_output.say,
    )
    if as_json:
        _output.emit_json({"path": str(done.path), **done.spec.to_dict()})
        return
    checked = in_words(done.verification) if done.verification else "not verified, as asked"
    _output.say(f"Verified: {checked}" if done.verification else f"The file is {checked}.")
    _output.say(f"Exported by the {done.exporter} exporter, opset {opset}: {done.path}")
