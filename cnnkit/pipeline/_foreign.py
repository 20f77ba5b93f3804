"""A first spec for a file of others: what its inputs and outputs show, the rest from a preset."""

from typing import Any, Literal, cast

import numpy as np

from cnnkit import data, graphs, images
from cnnkit.errors import ModelError
from cnnkit.importers import Found
from cnnkit.pipeline._checks import n_scores
from cnnkit.pipeline._foreign_boxes import detector_output, gives_boxes
from cnnkit.pipeline._override import scaled
from cnnkit.runtime import Session, TensorInfo, first_line
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Operation

INPUT_DTYPES = ("float32", "float16", "uint8", "int8")


def describe(session: Session, found: Found | None, *, source: str, options: Any) -> tuple[ModelSpec, list[str], bool]:
    """The spec of a file's own shapes, what other toolkits say of it and the typed preset; and what was deduced.

    The last is whether nothing but its values can tell if the scores are probabilities already.

    A typed preset wins over `found`; one of the two must say how images are prepared.
    """
    names = found.classes if found else None
    n_names = _wanted_count(found, options)
    said = bool(options.get("decoder") or (found and found.task == "detection"))
    detects = said or gives_boxes(session, n_names, output_name=options.get("output_name"))
    task: Literal["classification", "detection"] = "detection" if detects else "classification"
    made = _input(session, source=source, imgsz=options.get("imgsz"), usual=found.size if found else None)
    made, operations, notes = _preprocess(made, found, options, task=task)
    output: Any
    unsure = False
    if detects:
        output, told = detector_output(session, n_names, made.size, found=found, source=source, options=options)
        n_classes = n_names or 0
    else:
        output, n_classes, told, unsure = _scores(session, made, found, source=source, options=options)
    if names is None or len(names) != n_classes:
        names = tuple(ClassName(name=str(at)) for at in range(n_classes))
    spec = ModelSpec(task=task, input=made, preprocess=operations, output=output, classes=names)
    return spec, [*notes, *told], unsure


def _preprocess(
    made: ModelInput, found: Found | None, options: Any, *, task: str
) -> tuple[ModelInput, tuple[Operation, ...], list[str]]:
    if options.get("preset") or found is None or found.preprocess is None:
        channels, operations = images.preset(options["preset"], size=made.size, channels=made.n_channels, task=task)
        return made.model_copy(update={"channels": channels}), tuple(operations), []
    operations = tuple(scaled(operation, found.size or made.size, made.size) for operation in found.preprocess)
    notes = [f"How images are prepared is taken from {found.origin}.", *found.notes]
    return made.model_copy(update={"channels": found.channels or made.channels}), operations, notes


def _input(
    session: Session, *, source: str, imgsz: tuple[int, int] | None, usual: tuple[int, int] | None
) -> ModelInput:
    """The image input; its size is what was typed, what the file fixes, or what is usual for it."""
    images_in = [info for info in session.inputs if len(info.shape) == 4]
    if len(session.inputs) != 1 or not images_in or images_in[0].dtype not in INPUT_DTYPES:
        shown = ", ".join(f'"{info.name}" {info}' for info in session.inputs)
        raise ModelError(f"{source}: one input of images (N, C, H, W) or (N, H, W, C) was expected, it has {shown}.")
    info = images_in[0]
    layout = _layout(info, source)
    n_channels, height, width = info.shape[1:] if layout == "NCHW" else (info.shape[3], info.shape[1], info.shape[2])
    fixed = (height, width) if height and width else None
    size = imgsz or fixed or usual
    if size is None:
        raise ModelError(f'{source}: input "{info.name}" takes pictures of any size. Give one: --imgsz 224.')
    return ModelInput(
        name=info.name,
        layout=layout,
        dtype=cast(Any, info.dtype),
        channels="GRAY" if n_channels == 1 else "RGB",
        size=size,
    )


def _layout(info: TensorInfo, source: str) -> Literal["NCHW", "NHWC"]:
    if info.shape[1] in (1, 3):
        return "NCHW"
    if info.shape[3] in (1, 3):
        return "NHWC"
    raise ModelError(f'{source}: input "{info.name}" is {info}; 1 or 3 channels were expected. Give --spec FILE.')


def _scores(
    session: Session, made: ModelInput, found: Found | None, *, source: str, options: Any
) -> tuple[ClassificationOutput, int, list[str], bool]:
    """The output's name and reading, as the graph says, and the number of classes, from one run if need be.

    The last is whether the graph leaves open what the scores are.
    """
    info, notes = _chosen_output(session, _wanted_count(found, options), source=source, name=options.get("output_name"))
    fields, read, unsure = _reading(session, info.name)
    if options.get("activation"):
        fields["activation"], read, unsure = options["activation"], [], False
    elif found is not None and found.activation is not None and not read:
        fields["activation"], unsure = found.activation, unsure and found.activation != "none"
    background = bool(options.get("background"))
    count = n_scores(info) or _counted(session, info.name, made, source)
    return (
        ClassificationOutput(name=info.name, background=background, **fields),
        count - int(background),
        [*notes, *read],
        unsure,
    )


def _wanted_count(found: Found | None, options: Any) -> int | None:
    """How many classes there are names for."""
    if options.get("labels") is not None:
        return len(data.read_labels(options["labels"]).classes)
    return len(found.classes) if found is not None and found.classes else None


def _chosen_output(
    session: Session, wanted: int | None, *, source: str, name: str | None
) -> tuple[TensorInfo, list[str]]:
    """The output that holds the scores: by name, the only one, or the only one that fits; and why."""
    named = {info.name: info for info in session.outputs}
    shown = ", ".join(f'"{info.name}" {info}' for info in session.outputs)
    if name is not None:
        if name not in named:
            raise ModelError(f'{source}: has no output "{name}"; it has {shown}.')
        return named[name], []
    if len(named) == 1:
        return session.outputs[0], []
    kinds = (
        (
            f"holds {wanted} scores, one for each class name",
            [info for info in session.outputs if wanted in _counts(info)],
        ),
        ("has the shape of scores, (N, classes)", [info for info in session.outputs if len(info.shape) == 2]),
    )
    for reason, fitting in kinds:
        if len(fitting) == 1:
            return fitting[0], [
                f'Of its outputs {shown} the scores are taken from "{fitting[0].name}": it alone {reason}.'
            ]
    raise ModelError(f"{source}: has the outputs {shown}. Say which one holds the scores: --output-name NAME.")


def _counts(info: TensorInfo) -> tuple[int, ...]:
    """How many classes an output may be for: its scores, or one less with a background."""
    scores = n_scores(info)
    return () if scores is None else (scores, scores - 1)


def _reading(session: Session, name: str) -> tuple[dict[str, Any], list[str], bool]:
    """Activation, scale and zero point of an output, a sentence where the graph decided; whether it leaves it open."""
    ending = graphs.ending_of(session.path, name) if session.path else graphs.Ending()
    fields: dict[str, Any] = {"activation": "none" if ending.activation else "softmax"}
    if ending.scale is not None:
        fields |= {"scale": ending.scale, "zero_point": ending.zero_point}
    said = f'Output "{name}" comes out of a {ending.activation}: taken as probabilities (--activation says otherwise).'
    return fields, [said] if ending.activation else [], not (ending.activation or ending.affine)


def _counted(session: Session, name: str, made: ModelInput, source: str) -> int:
    shape = (made.n_channels, *made.size) if made.layout == "NCHW" else (*made.size, made.n_channels)
    batch = session.inputs[0].shape[0] or 1
    try:
        outputs = session.run({made.name: np.zeros((batch, *shape), dtype=made.dtype)})
    except Exception as error:
        raise ModelError(f"{source}: does not run on a black picture {shape}: {first_line(error)}") from error
    return int(np.asarray(outputs[name])[0].size)
