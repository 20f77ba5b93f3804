"""A first spec for a file of others: what its inputs and outputs show, the rest from a preset."""

from typing import Any, Literal, cast

import numpy as np

from cnnkit import graphs, images
from cnnkit.errors import ModelError
from cnnkit.pipeline._checks import n_scores
from cnnkit.runtime import Session, TensorInfo, first_line
from cnnkit.spec import ClassificationOutput, ClassName, DetectionOutput, ModelInput, ModelSpec

INPUT_DTYPES = ("float32", "float16", "uint8", "int8")


def describe(session: Session, *, source: str, options: Any) -> tuple[ModelSpec, list[str]]:
    """The spec that a file's own shapes and the typed preset make, and sentences about what was deduced."""
    decoder = options.get("decoder")
    task: Literal["classification", "detection"] = "detection" if decoder else "classification"
    made = _input(session, source=source, imgsz=options.get("imgsz"))
    channels, operations = images.preset(options["preset"], size=made.size, channels=made.n_channels, task=task)
    made = made.model_copy(update={"channels": channels})
    notes: list[str] = []
    if decoder:
        output: Any = DetectionOutput(name=session.outputs[0].name, decoder=decoder)
        n_classes = 1 if options.get("labels") else 0
    else:
        output, n_classes, notes = _scores(session, made, source=source, options=options)
    if not n_classes:
        raise ModelError(f"{source}: a detector's class names are not in the file. Give them: --labels FILE.")
    classes = tuple(ClassName(name=str(at)) for at in range(n_classes))
    spec = ModelSpec(task=task, input=made, preprocess=tuple(operations), output=output, classes=classes)
    return spec, notes


def _input(session: Session, *, source: str, imgsz: tuple[int, int] | None) -> ModelInput:
    images_in = [info for info in session.inputs if len(info.shape) == 4]
    if len(session.inputs) != 1 or not images_in or images_in[0].dtype not in INPUT_DTYPES:
        shown = ", ".join(f'"{info.name}" {info}' for info in session.inputs)
        raise ModelError(f"{source}: one input of images (N, C, H, W) or (N, H, W, C) was expected, it has {shown}.")
    info = images_in[0]
    layout = _layout(info, source)
    n_channels, height, width = info.shape[1:] if layout == "NCHW" else (info.shape[3], info.shape[1], info.shape[2])
    size = imgsz or (height, width)
    if None in size:
        raise ModelError(f'{source}: input "{info.name}" takes pictures of any size. Give one: --imgsz 224.')
    return ModelInput(
        name=info.name,
        layout=layout,
        dtype=cast(Any, info.dtype),
        channels="GRAY" if n_channels == 1 else "RGB",
        size=cast(tuple[int, int], size),
    )


def _layout(info: TensorInfo, source: str) -> Literal["NCHW", "NHWC"]:
    if info.shape[1] in (1, 3):
        return "NCHW"
    if info.shape[3] in (1, 3):
        return "NHWC"
    raise ModelError(f'{source}: input "{info.name}" is {info}; 1 or 3 channels were expected. Give --spec FILE.')


def _scores(
    session: Session, made: ModelInput, *, source: str, options: Any
) -> tuple[ClassificationOutput, int, list[str]]:
    """The output's name and reading, as the graph says, and the number of classes, from one run if need be."""
    info = session.outputs[0]
    fields, notes = _reading(session, info.name)
    if options.get("activation"):
        fields["activation"], notes = options["activation"], []
    background = bool(options.get("background"))
    count = n_scores(info) or _counted(session, made, source)
    return ClassificationOutput(name=info.name, background=background, **fields), count - int(background), notes


def _reading(session: Session, name: str) -> tuple[dict[str, Any], list[str]]:
    """Activation, scale and zero point of an output, and a sentence where the graph decided."""
    ending = graphs.ending_of(session.path, name) if session.path else graphs.Ending()
    fields: dict[str, Any] = {"activation": "none" if ending.activation else "softmax"}
    if ending.scale is not None:
        fields |= {"scale": ending.scale, "zero_point": ending.zero_point}
    said = f'Output "{name}" comes out of a {ending.activation}: taken as probabilities (--activation says otherwise).'
    return fields, [said] if ending.activation else []


def _counted(session: Session, made: ModelInput, source: str) -> int:
    shape = (made.n_channels, *made.size) if made.layout == "NCHW" else (*made.size, made.n_channels)
    batch = session.inputs[0].shape[0] or 1
    try:
        outputs = session.run({made.name: np.zeros((batch, *shape), dtype=made.dtype)})
    except Exception as error:
        raise ModelError(f"{source}: does not run on a black picture {shape}: {first_line(error)}") from error
    return int(np.asarray(outputs[session.outputs[0].name])[0].size)
