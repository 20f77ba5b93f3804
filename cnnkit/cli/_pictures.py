"""The pictures of `cnnkit inspect`: kernels, feature maps, where a decision comes from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnkit.cli import _options, _output
from cnnkit.errors import UsageError

if TYPE_CHECKING:
    from cnnkit.inspection import Drawing
    from cnnkit.pipeline import Model

picture_options = _options.together(
    click.option("--filters", type=_options.PATH, metavar="PNG", help="Draw the kernels of the first convolution."),
    click.option(
        "--features", type=_options.PATH, metavar="IMAGE", help="Draw what a layer makes of a picture, to -o."
    ),
    click.option("--layer", metavar="NAME", help="With --features: the layer.  [default: the first convolution]"),
    click.option(
        "--explain", type=_options.PATH, metavar="IMAGE", help="Draw where a classifier's decision comes from, to -o."
    ),
    click.option("--class", "class_name", metavar="NAME", help="With --explain: the class.  [default: the best one]"),
    click.option("-o", "--output", type=_options.PATH, metavar="PNG", help="The picture that is drawn."),
)


PICTURES = ("filters", "features", "explain")


def asks_for_picture(options: dict[str, Any]) -> bool:
    """Whether a picture, or something that only a picture takes, was typed."""
    return any(options[name] is not None for name in (*PICTURES, "layer", "class_name", "output"))


def draw(
    model: str,
    *,
    filters: Path | None,
    features: Path | None,
    explain: Path | None,
    layer: str | None,
    class_name: str | None,
    output: Path | None,
    overwrite: bool,
    progress: str,
    as_json: bool,
    **how: Any,
) -> None:
    """Draw the one picture that was asked for, and say what is on it."""
    asked = {"--filters": filters, "--features": features, "--explain": explain}
    path = _checked_output(asked, output, layer=layer, class_name=class_name, overwrite=overwrite)
    _check_model(model)
    if filters is not None:
        drawn = _filters(Path(model), how)
    else:
        opened = _opened(Path(model), how)
        drawn = _features(opened, features, layer) if features else _explained(opened, explain, class_name, progress)
    drawn.save(path)
    if as_json:
        _output.emit_json({"picture": str(path), **drawn.facts})
        return
    for line in (drawn.title, *drawn.lines, f"Wrote {path}"):
        _output.say(line)


def _checked_output(
    asked: dict[str, Path | None], output: Path | None, *, layer: str | None, class_name: str | None, overwrite: bool
) -> Path:
    given = [name for name, value in asked.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} draw one picture each: give one of them at a time.")
    for option, value, goes_with in (("--layer", layer, "--features"), ("--class", class_name, "--explain")):
        if value is not None and given != [goes_with]:
            raise UsageError(f"{option} goes with {goes_with} IMAGE.")
    if not given:
        raise UsageError("-o names the picture: --features IMAGE or --explain IMAGE says of what.")
    if asked["--filters"] is not None and output is not None:
        raise UsageError("--filters names the picture itself: leave out -o.")
    path = asked["--filters"] or output
    if path is None:
        raise UsageError(f"{given[0]} needs to know where the picture goes: -o out.png.")
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path}: pictures are written as PNG; give a name that ends in .png.")
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: is there already. Give --overwrite to replace it, or another name.")
    return path


def _check_model(model: str) -> None:
    from cnnkit import models

    is_named = model in models.NETWORKS or not (Path(model).suffix or Path(model).exists())
    if is_named or Path(model).suffix.lower() in (".pt", ".pth"):
        raise UsageError(
            f"{model}: pictures are drawn from .onnx files. `cnnkit export {model} -o model.onnx` makes one."
        )


def _opened(path: Path, how: dict[str, Any]) -> "Model":
    from cnnkit import pipeline

    opened = pipeline.open_model(path, **{name: value for name, value in how.items() if value is not None})
    for note in opened.notes:
        _output.say(note)
    return opened


def _filters(path: Path, how: dict[str, Any]) -> "Drawing":
    """Kernels need no preprocessing; of what was typed only the order of the channels matters."""
    from cnnkit import inspection

    typed = how["spec"] is not None or how["preset"] is not None
    return inspection.draw_filters(
        path, channels=_opened(path, how).spec.input.channels if typed else how["channel_order"]
    )


def _features(opened: "Model", image: Path, layer: str | None) -> "Drawing":
    from cnnkit import inspection

    return inspection.draw_features(opened, image, layer=layer)


def _explained(opened: "Model", image: Path | None, class_name: str | None, progress: str) -> "Drawing":
    from cnnkit import inspection

    assert image is not None
    with _output.progress(progress, "hide and look", unit="patches") as report:
        return inspection.explain(opened, image, class_name=class_name, progress=report).draw()
