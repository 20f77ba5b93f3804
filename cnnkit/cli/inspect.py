from typing import TYPE_CHECKING, Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb
from cnnkit.cli._pictures import asks_for_picture, draw, picture_options
from cnnkit.cli._typed import refuse_typed
from cnnkit.cli._verification import recorded

if TYPE_CHECKING:
    from cnnkit.graphs import Layer, TensorFacts
    from cnnkit.inspection import Inspection
    from cnnkit.spec import ModelSpec

N_CLASSES_SHOWN = 10
FOR_PICTURES = ("device", "providers", "allow_fallback", "precision", "threads")
COLUMNS = ["Layer", "Operator", "Output", "Window", "Parameters", "Multiply-adds", "Sees"]


@click.command(cls=Verb)
@click.argument("model")
@click.option(
    "--classes", type=click.IntRange(1), default=1000, show_default=True, help="Classes of a network by name."
)
@picture_options
@_options.device_options
@_options.spec_options
@_options.overwrite_option
@_options.progress_option
@_options.json_option
def inspect_command(model: str, classes: int, as_json: bool, **picture: Any) -> None:
    """Show what is in a file: how it reads an image, its classes, its layers and what they cost.

    MODEL is an .onnx file, a checkpoint of `cnnkit train`, or the name of a network (resnet18), which wins over a
    folder of that name (./resnet18). With --filters, --features or --explain a picture is drawn instead, of any .onnx
    file; --device to --threads are for these. The options from --spec on say how a file reads an image, as in infer.

    The layer table is for one image of the spec's size. Window: kernel, s stride, p padding, d dilation. Sees: the
    receptive field in pixels of the input. Multiply-adds count convolutions and matrix products; pooling,
    normalisation, activations and biases count nothing.
    """
    from cnnkit import inspection

    if asks_for_picture(picture):
        draw(model, as_json=as_json, **picture)
        return
    refuse_typed(FOR_PICTURES, "goes with --features or --explain; without a picture nothing is run.")
    found = inspection.inspect(model, classes=classes, **{name: picture[name] for name in _options.SPEC_NAMES})
    for note in found.notes:
        _output.say(note)
    if as_json:
        _output.emit_json(found.to_dict())
        return
    for name, text in _facts(found):
        _output.say(f"{name:15} {text}")
    for line in _aligned([COLUMNS, *(_row(layer) for layer in found.summary.layers)]):
        _output.say(line)


def _facts(found: "Inspection") -> list[tuple[str, str]]:
    summary = found.summary
    made_by = f", made by {summary.producer}" if summary.producer else ""
    lines = [("Model", f"{found.path or found.name}")]
    if found.path is not None:
        lines.append(("File", f"{summary.size_bytes:,} bytes, opset {summary.opset}{made_by}"))
    lines += [("Input", _tensor(value)) for value in summary.inputs]
    lines += [("Output", _tensor(value)) for value in summary.outputs]
    lines += _spec(found.spec) if found.spec else [("Spec", "none: the file does not say how to read an image")]
    if found.quantizes_dynamically:
        lines.append(("Batches", "one activation scale per batch: an answer depends on the images beside it"))
    cost = "unknown" if summary.multiply_adds is None else f"{summary.multiply_adds:,} at one image"
    return [*lines, ("Parameters", f"{summary.parameters:,}"), ("Multiply-adds", cost)]


def _tensor(value: "TensorFacts") -> str:
    shape = "?" if value.shape is None else ", ".join("?" if axis is None else str(axis) for axis in value.shape)
    return f"{value.name}: {value.dtype} ({shape})"


def _spec(spec: "ModelSpec") -> list[tuple[str, str]]:
    height, width = spec.input.size
    alpha = "dropped" if spec.decode.alpha == "drop" else f"laid over {spec.decode.alpha}"
    sides = "of any size, one at a time" if spec.input.any_size else f"{height}x{width} (height x width)"
    lines = [
        ("Takes", f"{spec.input.channels} {sides}, {spec.input.layout}, {spec.input.dtype}"),
        ("Decode", f"EXIF orientation {'applied' if spec.decode.exif else 'ignored'}, alpha {alpha}"),
    ]
    operations = [op.model_dump() for op in spec.preprocess]
    if spec.input.any_size:
        operations = [dict(op) for op in spec.provenance.get("fused", {}).get("preprocess", [])]
        lines.append(("Prepares", "itself, inside the graph:"))
    lines += [("Preprocessing" if at == 0 else "", _fields(op)) for at, op in enumerate(operations)]
    lines.append(("Gives", f"{spec.task}, {_fields(spec.output.model_dump(exclude_none=True))}"))
    names = ", ".join(spec.names[:N_CLASSES_SHOWN]) + (", ..." if len(spec.classes) > N_CLASSES_SHOWN else "")
    lines.append(("Classes", f"{len(spec.classes)}: {names}"))
    lines += [("Made from", str(spec.provenance["source"]))] if "source" in spec.provenance else []
    return [*lines, *recorded(spec), ("Spec hash", spec.spec_hash)]


def _fields(fields: dict[str, Any]) -> str:
    """`resize size=256 mode=shortest`: the operation's name, then its fields."""
    first = str(fields.pop("op", ""))
    return " ".join([*([first] if first else []), *(f"{name}={_plain(value)}" for name, value in fields.items())])


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_plain(each) for each in value) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _aligned(rows: list[list[str]]) -> list[str]:
    """Columns two spaces apart, the first two to the left, numbers to the right; no frame, so that lines can be cut."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = "<<<<>>>"
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(layer: "Layer") -> list[str]:
    return [
        layer.module or layer.name,
        layer.op,
        "?"
        if layer.output_shape is None
        else "x".join("?" if axis is None else str(axis) for axis in layer.output_shape),
        _window(layer),
        f"{layer.parameters:,}" if layer.parameters else "",
        "?" if layer.multiply_adds is None else f"{layer.multiply_adds:,}" if layer.multiply_adds else "",
        "x".join(map(str, layer.receptive_field)) if layer.receptive_field else "all",
    ]


def _window(layer: "Layer") -> str:
    if layer.kernel is None:
        return ""
    parts = ["x".join(map(str, layer.kernel))]
    for letter, sides, plain in (("s", layer.stride, 1), ("p", layer.padding, 0), ("d", layer.dilation, 1)):
        if sides and any(side != plain for side in sides):
            parts.append(letter + (str(sides[0]) if len(set(sides)) == 1 else ",".join(map(str, sides))))
    return " ".join(parts)
