"""A detector among files of others: known by what it was said to be or by its outputs' shapes, and how it is read."""

from typing import Any

from cnnkit import data, postprocess
from cnnkit.errors import ModelError
from cnnkit.importers import Found
from cnnkit.pipeline._checks import n_scores
from cnnkit.runtime import Session, TensorInfo
from cnnkit.spec import DetectionOutput

SEPARATE = ("boxes", "detr")  # decoders of several tensors, which must be told apart


def gives_boxes(session: Session, n_classes: int | None, *, output_name: str | None = None) -> bool:
    """Whether the outputs are none of a classifier: no list of scores, or a list for which there are no names."""
    outputs = [info for info in session.outputs if output_name in (None, info.name)]
    if len(outputs) == 1:
        [info] = outputs
        sides = [side for side in info.shape[1:] if side != 1]
        return len(info.shape) > 2 and len(sides) > 1 and n_scores(info) != n_classes
    return bool(postprocess.fitting_detectors(outputs, n_classes=n_classes or 0))


def detector_output(
    session: Session,
    n_classes: int | None,
    size: tuple[int, int],
    *,
    found: Found | None,
    source: str,
    options: Any,
) -> tuple[DetectionOutput, list[str]]:
    """The output of a detector as a spec has it, and what it was told by; what shapes leave open is asked."""
    outputs = _named(session, options.get("output_name"), source)
    if not n_classes:
        shown = ", ".join(f'"{info.name}" {info}' for info in outputs)
        raise ModelError(
            f"{source}: a detector's class names are not in the file (its outputs are {shown}). Give them: "
            f"--labels FILE, in the order of its classes."
        )
    typed = options.get("decoder") or _decoder_of_preset(options.get("preset"), outputs, n_classes, size)
    told = _recognised(outputs, n_classes, size, decoder=typed, said=found.decoder if found else None, source=source)
    output = told.output
    if output.decoder == "boxes":
        output = output.model_copy(update={"first_label": _first_label(output, source, options)})
    return output, [f'Boxes are read by the decoder "{output.decoder}": {told.reason}.']


def _recognised(
    outputs: tuple[TensorInfo, ...],
    n_classes: int,
    size: tuple[int, int],
    *,
    decoder: str | None,
    said: str | None,
    source: str,
) -> postprocess.Recognised:
    """By the decoder that was typed; by the one that the metadata names where it fits; else by the shapes alone."""
    fits = postprocess.fitting_detectors(outputs, n_classes=n_classes, size=size)
    by_metadata = [fit for fit in fits if fit.output.decoder == said]
    if decoder is None and len(by_metadata) == 1:
        return by_metadata[0]
    if decoder in postprocess.DECODERS and decoder not in SEPARATE and _leaves_open(outputs) and not fits:
        only = DetectionOutput(name=outputs[0].name, decoder=decoder)
        return postprocess.Recognised(only, "as was said; the shape leaves it open")
    try:
        return postprocess.recognise_detector(outputs, n_classes=n_classes, size=size, decoder=decoder)
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from error


def _decoder_of_preset(
    preset: str | None, outputs: tuple[TensorInfo, ...], n_classes: int, size: tuple[int, int]
) -> str | None:
    """The decoder that has a preset's name, where the outputs fit it: who says how a YOLOX is fed says what it is."""
    fits = postprocess.fitting_detectors(outputs, n_classes=n_classes, size=size)
    return preset if any(fit.output.decoder == preset for fit in fits) else None


def _leaves_open(outputs: tuple[TensorInfo, ...]) -> bool:
    return len(outputs) == 1 and (None in outputs[0].shape[1:] or len(outputs[0].shape) < 2)


def _named(session: Session, name: str | None, source: str) -> tuple[TensorInfo, ...]:
    if name is None:
        return session.outputs
    chosen = tuple(info for info in session.outputs if info.name == name)
    if not chosen:
        shown = ", ".join(f'"{info.name}" {info}' for info in session.outputs)
        raise ModelError(f'{source}: has no output "{name}"; it has {shown}.')
    return chosen


def _first_label(output: DetectionOutput, source: str, options: Any) -> int:
    """Whether label 0 is the first class or a background: names of the tensors, the label file, or the user say it."""
    if options.get("background") is not None:
        return int(options["background"])
    if output.first_label is not None:
        return output.first_label
    if options.get("labels") is not None and data.read_labels(options["labels"]).background:
        return 1
    raise ModelError(
        f'{source}: its labels "{output.labels}" may count classes from 0, or from 1 where 0 is a background. Say '
        f"which: --no-background or --background."
    )
