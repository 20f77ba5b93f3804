"""cnnkit data: data sets in their own files become what the other commands read."""

from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _output
from cnnkit.cli._command import Verb
from cnnkit.cli._data_check import check_command
from cnnkit.cli._options import PATH, json_option, overwrite_option, progress_option

IMAGE_FORMATS = ("idx", "fashion", "cifar", "digits")
BOX_FORMATS = ("coco", "voc", "yolo", "csv")


@click.group()
def data_command() -> None:
    """Convert data sets into what the other commands read; check them."""


@data_command.command("convert", cls=Verb)
@click.argument("source", metavar="SOURCE")
@click.argument("output", type=PATH, metavar="OUT")
@click.option(
    "--from",
    "source_format",
    type=click.Choice(IMAGE_FORMATS + BOX_FORMATS),
    help="What SOURCE is.  [default: recognised from its files; fashion must be said, its files look like MNIST's]",
)
@click.option("--to", type=click.Choice(BOX_FORMATS), help="The format that labelled boxes get.  [default: coco]")
@click.option("--split", metavar="NAME", help="Write this part alone: train, val or test.")
@click.option(
    "--holdout",
    type=click.IntRange(2),
    metavar="N",
    help="Set every N-th image aside: as test when there is one part, as val when there is a test part.  "
    "[default: 3 for the digits, else none]",
)
@click.option("--labels", type=PATH, help="A file with the class names, one a line, in place of the set's own.")
@click.option("--coarse", is_flag=True, help="CIFAR-100's 20 superclasses instead of its 100 classes.")
@click.option(
    "--images", type=PATH, help="Where the pictures of labelled boxes are.  [default: images, JPEGImages or SOURCE]"
)
@click.option("--copy-images", is_flag=True, help="Copy the pictures of labelled boxes beside their labels.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the scenes that are drawn.")
@overwrite_option
@progress_option
@json_option
def convert_command(
    source: str, output: Path, source_format: str | None, progress: str, as_json: bool, **options: Any
) -> None:
    """Write the data set in SOURCE in another form.

    Images in arrays become a folder of class folders, OUT/PART/CLASS/NUMBER.png: SOURCE is a
    folder of IDX files (MNIST, Fashion-MNIST; gzipped or not), of CIFAR-10's or CIFAR-100's
    binary version (or its .tar.gz), or sklearn:digits.

    Labelled boxes become labels in another format: SOURCE is a COCO .json, a folder of Pascal
    VOC's .xml files, a data.yaml or images/ beside labels/ (YOLO), or a .csv; or
    sklearn:digit-scenes, pictures of several digits that are drawn on the spot.

    Interrupted, the same command goes on; OUT appears when it is whole.
    """
    from cnnkit.data import convert

    with _output.progress("none" if as_json else progress, "convert") as report:
        done = convert(source, output, format=source_format, progress=report, **options)
    if as_json:
        facts = {"folder": str(done.folder), "format": done.format, "to": done.to, "n": done.n, "parts": done.parts}
        _output.emit_json({**facts, "notes": list(done.notes)})
        return
    for note in done.notes:
        _output.say(note)
    counted = ", ".join(f"{part} {n}" for part, n in done.parts.items())
    _output.say(f"{done.folder}: {done.n} images ({counted}), from {done.format} to {done.to}.")


data_command.add_command(check_command)
