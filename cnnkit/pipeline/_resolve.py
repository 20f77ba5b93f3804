"""What the file says and what was typed about it, to the one spec that holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

from pydantic import ValidationError

from cnnkit import data, images, postprocess
from cnnkit.errors import ModelError, UsageError
from cnnkit.importers import find_description
from cnnkit.pipeline._foreign import describe
from cnnkit.pipeline._look import seen_activation
from cnnkit.pipeline._override import overridden
from cnnkit.pipeline._told import preparation_in_words
from cnnkit.runtime import Session
from cnnkit.spec import METADATA_KEY, ModelSpec, parse_spec, spec_problems


class SpecOptions(TypedDict, total=False):
    """How a file is read, where that is not to be taken from the file. What is None or absent changes nothing.

    spec: a JSON file (or a ModelSpec, or what its JSON holds) instead of what the file holds; where it leaves out the
        classes, `labels` gives them.
    preset: channels and preprocessing by name, see `images.PRESETS`.
    labels: a file of class names.
    imgsz: the input's (height, width).
    resize_size: what the resize aims at: the short side, or both sides.
    resize: how the picture gets its size; `none` takes pictures as they are.
    interpolation: `implementation:filter`, for instance pillow:bilinear.
    align, fill: where a letterboxed picture lies and the grey around it.
    channel_order, scale, mean, std: the values.
    activation, background: what the scores are; of boxes with labels of their own, whether label 0 is a background.
    decoder: how a detector's output is read.
    conf: the score from which a detector's boxes are kept.
    iou: how far two boxes of one class that are both kept may overlap.
    max_detections: how many boxes an image has at most.
    agnostic: boxes of different classes rule one another out too.
    box_form: `form[:unit|pixels]`, for instance yxyx:unit, where boxes are an output of their own.
    output_name: the output that holds the scores or boxes.
    """

    spec: Path | str | Mapping[str, Any] | ModelSpec | None
    preset: str | None
    labels: Path | str | None
    imgsz: tuple[int, int] | None
    resize_size: int | None
    resize: Literal["shortest", "exact", "letterbox", "none"] | None
    interpolation: str | None
    align: Literal["center", "top_left"] | None
    fill: int | None
    channel_order: Literal["RGB", "BGR"] | None
    scale: float | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    activation: Literal["softmax", "sigmoid", "none"] | None
    background: bool | None
    decoder: str | None
    conf: float | None
    iou: float | None
    max_detections: int | None
    agnostic: bool | None
    box_form: str | None
    output_name: str | None


def resolve_spec(session: Session, *, source: str, options: SpecOptions) -> tuple[ModelSpec, list[str]]:
    """The spec that holds, and sentences about what was deduced; `source` is named in errors."""
    typed: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    _check_decoder(typed.get("decoder"))
    base = own = given_spec(typed.pop("spec", None), labels=typed.get("labels")) or _own_spec(session, source)
    notes: list[str] = []
    unsure = False
    if base is None:
        found = find_description(Path(source), session.metadata)
        if "preset" not in typed and (found is None or found.preprocess is None):
            raise ModelError(_without_spec(source))
        base, notes, unsure = describe(session, found, source=source, options=options)
    labels = typed.pop("labels", None)
    if labels is not None:
        base = _with_labels(base, Path(labels))
    try:
        spec = overridden(base, typed)
    except ValidationError as error:
        raise UsageError(f"{source}: with these options the spec is not valid: {spec_problems(error)}") from error
    if unsure:
        spec, told = seen_activation(session, spec)
        notes += told
    if own is None or (spec.preprocess, spec.input) != (own.preprocess, own.input):
        notes.append(preparation_in_words(spec))
    return spec, notes


def _check_decoder(name: str | None) -> None:
    if name is not None and name not in postprocess.DECODERS:
        raise UsageError(f"there is no decoder {name!r}; there are {', '.join(postprocess.DECODERS)}.")


def given_spec(given: Any, *, labels: Path | str | None) -> ModelSpec | None:
    """What was typed as a spec: a JSON file, what such a file holds, or a spec; without classes those of `labels`."""
    if given is None or isinstance(given, ModelSpec):
        return given
    facts, source = (dict(given), "the spec") if isinstance(given, Mapping) else (_facts_of(Path(given)), str(given))
    if labels is not None and not facts.get("classes"):
        facts["classes"] = [name.model_dump() for name in data.read_labels(Path(labels)).classes]
    return parse_spec(json.dumps(facts), source=source)


def _facts_of(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; a spec as JSON was expected.") from error
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        parse_spec(text, source=str(path))  # says what is wrong with it
    return dict(facts or {})


def _own_spec(session: Session, source: str) -> ModelSpec | None:
    text = session.metadata.get(METADATA_KEY)
    return None if text is None else parse_spec(text, source=source)


def _without_spec(source: str) -> str:
    return (
        f"{source}: holds no cnnkit spec, so nothing says how an image is prepared for it. "
        f"Say it with --preset ({', '.join(images.PRESETS)}) as a base, --labels FILE and the flags that change single "
        f"fields of the preset, or give --spec FILE. Where flags say everything, --preset raw is the base: values "
        f"stay as they are, and --resize says how the size is reached."
    )


def _with_labels(base: ModelSpec, path: Path) -> ModelSpec:
    read = data.read_labels(path)
    changes: dict[str, Any] = {"classes": read.classes}
    if read.background and base.task == "classification":
        changes["output"] = base.output.model_copy(update={"background": True})
    return base.model_copy(update=changes)
