from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb
from cnnkit.cli._sources import open_both, source_options
from cnnkit.cli._verification import in_words
from cnnkit.errors import CheckFailed


@click.command(cls=Verb)
@click.argument("model", type=_options.PATH)
@click.option("--against", "source", required=True, help="What the file was made from, as `cnnkit export` takes it.")
@source_options
@click.option(
    "--images", type=_options.PATH, help="Compare on these.  [default: those of the training record, else two photos]"
)
@click.option("--limit", type=click.IntRange(1), default=32, show_default=True, help="How many images.")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16", "int8"]),
    help="Whose tolerances hold.  [default: what the file says it was written in, else fp32]",
)
@_options.place_options
@click.option(
    "--witness",
    type=click.Choice(["numpy", "onnx"]),
    help="Execute the graph a third time: by cnnkit's own NumPy layers, or by the onnx package.",
)
@click.option("--locate", "find_fault", is_flag=True, help="Out of tolerance: find the first module and node at fault.")
@_options.spec_options
@_options.json_option
def verify_command(
    model: Path,
    source: str,
    weights: Path | None,
    allow_pickle: bool,
    transform: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare an .onnx file with what it was made from, from the bytes of image files to the decision.

    The same pixels go through both, one image at a time and in batches; with --transform the source's own
    preprocessing is compared, too. Reported are the largest and mean absolute and relative difference, the cosine, how
    often the best and the five best classes agree, and the largest change of a probability.

    Tolerances: fp32: differences up to 1e-4 x (1 + the largest |output|), every decision the same save ties; fp16:
    1e-2, and 99% of the decisions; int8: 95% of the decisions. Out of tolerance is exit code 1.
    """
    from cnnkit import verification

    opened, prepares = open_both(source, weights, transform, allow_pickle=allow_pickle)
    for note in opened.notes:
        _output.say(note)
    found = verification.verify_file(model, opened, transform=prepares, **options)
    if as_json:
        _output.emit_json(found.to_dict())
    else:
        for line in in_words(found):
            _output.say(line)
    if not found.passed:
        raise CheckFailed(f"{model} does not do what {source} does.")
