"""A first spec for a file of others: what its inputs and outputs show, the rest from a preset."""

from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from cnnkit import images
from cnnkit.errors import ModelError
from cnnkit.runtime import Session, TensorInfo, first_line
from cnnkit.spec import ClassificationOutput, ClassName, DetectionOutput, ModelInput, ModelSpec

INPUT_DTYPES = ("float32", "float16", "uint8", "int8")
UINT8_STEPS = 256
UINT8_TOLERANCE = 0.25  # a thousand small scores lose that much by rounding
SUM_TOLERANCE = 1e-2  # float16 probabilities over 1000 classes add up to within this of 1


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
    """The output's name, activation and count, from one run on a black picture."""
    shape = (made.n_channels, *made.size) if made.layout == "NCHW" else (*made.size, made.n_channels)
    batch = session.inputs[0].shape[0] or 1
    try:
        outputs = session.run({made.name: np.zeros((batch, *shape), dtype=made.dtype)})
    except Exception as error:
        raise ModelError(f"{source}: does not run on a black picture {shape}: {first_line(error)}") from error
    name = session.outputs[0].name
    scores = np.asarray(outputs[name])[0].reshape(-1)
    fields, notes = _reading(name, scores)
    if options.get("activation"):
        fields["activation"] = options["activation"]
    background = bool(options.get("background"))
    return ClassificationOutput(name=name, background=background, **fields), len(scores) - int(background), notes


def _reading(name: str, scores: NDArray[Any]) -> tuple[dict[str, Any], list[str]]:
    """Activation and scale of an output, from the scores of one picture, and a sentence when something was deduced."""
    values = np.asarray(scores, dtype=np.float64)
    if scores.dtype == np.uint8 and abs(values.sum() / UINT8_STEPS - 1) < UINT8_TOLERANCE:
        fields = {"activation": "none", "scale": 1 / UINT8_STEPS, "zero_point": 0}
        return fields, [f'Output "{name}" is uint8 and adds up to 256, so it is taken as probabilities in 1/256.']
    if scores.dtype.kind in "iu":
        return {"activation": "softmax"}, []  # without a scale: refused by the checks, which say how to give one
    if len(values) > 1 and values.min() >= 0 and abs(values.sum() - 1) < SUM_TOLERANCE:
        said = f'Output "{name}" adds up to 1, so it is taken as probabilities (--activation says otherwise).'
        return {"activation": "none"}, [said]
    return {"activation": "softmax"}, []
