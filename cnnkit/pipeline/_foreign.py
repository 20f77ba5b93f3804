"""A first spec for a file of others: what its inputs and outputs show, the rest from a preset."""

from typing import Any, Literal, cast

import numpy as np

from cnnkit import images
from cnnkit.errors import ModelError
from cnnkit.runtime import Session, TensorInfo, first_line
from cnnkit.spec import ClassificationOutput, ClassName, DetectionOutput, ModelInput, ModelSpec

INPUT_DTYPES = ("float32", "float16", "uint8", "int8")
SUM_TOLERANCE = 1e-2  # float16 probabilities over 1000 classes add up to within this of 1


def describe(session: Session, *, source: str, options: Any) -> tuple[ModelSpec, list[str]]:
    """The spec that a file's own shapes and the typed preset make, and sentences about what was deduced."""
    decoder = options.get("decoder")
    task: Literal["classification", "detection"] = "detection" if decoder else "classification"
    made = _input(session, source=source, imgsz=options.get("imgsz"))
    channels, operations = images.preset(options["preset"], size=made.size, channels=made.channels, task=task)
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
    """The output's name, activation and count, from one run on a grey picture."""
    shape = (made.n_channels, *made.size) if made.layout == "NCHW" else (*made.size, made.n_channels)
    batch = session.inputs[0].shape[0] or 1
    try:
        outputs = session.run({made.name: np.full((batch, *shape), 1, dtype=made.dtype)})
    except Exception as error:
        raise ModelError(f"{source}: does not run on an empty picture {shape}: {first_line(error)}") from error
    name = session.outputs[0].name
    scores = np.asarray(outputs[name])[0].reshape(-1)
    activation, notes = options.get("activation"), []
    if activation is None:
        activation = "none" if _are_probabilities(scores) else "softmax"
        if activation == "none":
            notes.append(
                f'Output "{name}" adds up to 1, so it is taken as probabilities (--activation says otherwise).'
            )
    background = bool(options.get("background"))
    quantised = {"scale": 1.0, "zero_point": 0} if scores.dtype.kind in "iu" else {}
    if quantised:
        notes.append(
            f'Output "{name}" is {scores.dtype}: its scores are taken as they are. --spec FILE says their scale.'
        )
    output = ClassificationOutput(name=name, activation=activation, background=background, **quantised)
    return output, len(scores) - int(background), notes


def _are_probabilities(scores: Any) -> bool:
    values = np.asarray(scores, dtype=np.float64)
    return bool(len(values) > 1 and values.min() >= 0 and abs(values.sum() - 1) < SUM_TOLERANCE)
