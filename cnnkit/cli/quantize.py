"""`cnnkit quantize`."""

from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb
from cnnkit.cli._typed import refuse_typed
from cnnkit.errors import CheckFailed


@click.command("quantize", cls=Verb)
@click.argument("paths", nargs=-1, type=_options.PATH, metavar="MODEL")
@click.option("-m", "--model", type=_options.PATH, help="MODEL, if not given by position.")
@click.option("--calib", type=_options.PATH, required=True, help="A folder of images like those that will be run.")
@click.option(
    "--data", type=_options.PATH, help="Labelled images that decide; without them a classifier's changed decisions do."
)
@click.option("-o", "--output", type=_options.PATH, help="The int8 file.  [default: MODEL-int8.onnx beside it]")
@click.option(
    "--max-drop",
    type=_options.Number(0, 100, max_open=True),
    default=1.0,
    show_default=True,
    help="Percentage points that may be lost.",
)
@click.option(
    "--method",
    type=click.Choice(["minmax", "entropy", "percentile"]),
    default="minmax",
    show_default=True,
    help="How ranges are taken from what tensors hold.",
)
@click.option("--samples", type=click.IntRange(1), default=300, show_default=True, help="Images that calibrate.")
@click.option("--reduce-range", is_flag=True, help="7-bit weights: sums cannot saturate on CPUs without VNNI.")
@click.option("--accept-undecided", is_flag=True, help="Write the file although the images are too few to decide.")
@click.option("--split", metavar="NAME|all", help="The part of --data to score.  [default: test, else val]")
@click.option("--class-map", type=_options.PATH, help="A file that gives folders their class names.")
@_options.seed_option
@_options.overwrite_option
@_options.spec_options
@_options.json_option
@_options.progress_option
def quantize_command(
    paths: tuple[Path, ...], model: Path | None, data: Path | None, as_json: bool, progress: str, **options: Any
) -> None:
    """Write an int8 copy of a model, if it is shown to be as good.

    The gate passes when the upper end of the paired 95 % interval of the drop in top-1 accuracy, for
    a detector in coco_AP, is within --max-drop. Exit code 1, and nothing written, when it is not, or
    when these images cannot decide it (200 can never show less than 1.9 points, 3,000 show 0.5 when
    2 % of decisions change). A detector needs --data: boxes as COCO, Pascal VOC, YOLO or a .csv.
    """
    from cnnkit import quantization

    source = _options.one_path(paths, model, "MODEL")
    if data is None:
        refuse_typed(("split", "class_map"), "goes with --data, a labelled folder.")
    done: quantization.Quantization | None = None
    try:
        with _output.progress(progress, "choose what stays float", unit="nodes") as report:
            done = quantization.quantize(source, labelled=data, progress=report, say=_output.say, **options)
    except CheckFailed as error:
        done = error.record
        raise
    finally:
        if as_json and done is not None:
            _output.emit_json({"passed": bool(done), **done.model_dump(mode="json")})
