"""Flags that change single fields of a spec."""

import math
from typing import Any

from cnnkit import images
from cnnkit.errors import UsageError
from cnnkit.spec import CenterCrop, ModelSpec, Normalize, Operation, Rescale, Resize, ToGray

DETECTOR_FIELDS = ("decoder", "conf", "iou", "max_detections", "agnostic", "box_form")
CLASSIFIER_FIELDS = ("activation", "background")
BOX_FORMS = ("xyxy", "yxyx", "xywh", "cxcywh")
BOX_FIELDS = ("box_form", "background")  # where boxes, scores and labels are tensors of their own
CROP_PCT = 0.875  # what the presets use: the crop is this share of the resized short side


def overridden(base: ModelSpec, typed: dict[str, Any]) -> ModelSpec:
    """`base` with the typed options, checked anew; pydantic's ValidationError when the result is not a spec."""
    size = tuple(typed.get("imgsz") or base.input.size)
    channels = base.input.channels
    geometry: list[Operation] = list(base.geometry_operations)
    values: list[Operation] = list(base.value_operations)
    if "preset" in typed:
        channels, operations = images.preset(typed["preset"], size=size, channels=base.input.n_channels, task=base.task)
        split = base.model_copy(update={"preprocess": tuple(operations)})
        geometry, values = list(split.geometry_operations), list(split.value_operations)
    elif size != base.input.size:
        geometry = [scaled(operation, base.input.size, size) for operation in geometry]
    if "channel_order" in typed:
        channels = typed["channel_order"]
    geometry = _geometry(geometry, size, typed)
    changed = base.model_copy(
        update={
            "input": base.input.model_copy(update={"size": size, "channels": channels}),
            "preprocess": (*geometry, *_values(values, typed)),
            "output": _output(base, typed),
        }
    )
    facts = changed.model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False)  # what is wrong is told
    return ModelSpec.model_validate(facts)


def scaled(operation: Operation, old: tuple[int, int], new: tuple[int, int]) -> Operation:
    """The same operation for another input size, in proportion; a short side to the input's longer one."""
    if isinstance(operation, Resize) and isinstance(operation.size, int):
        return operation.model_copy(update={"size": math.floor(operation.size * max(new) / max(old))})
    if isinstance(operation, Resize | CenterCrop) and not isinstance(operation.size, int):
        height, width = operation.size
        return operation.model_copy(update={"size": (height * new[0] // old[0], width * new[1] // old[1])})
    return operation


def _geometry(operations: list[Operation], size: tuple[int, int], typed: dict[str, Any]) -> list[Operation]:
    if "resize" in typed:
        gray = [operation for operation in operations if isinstance(operation, ToGray)]
        operations = [*gray, *_resized(operations, size, typed["resize"])]
    fields = _resize_fields(typed)
    if fields and not any(isinstance(operation, Resize) for operation in operations):
        raise UsageError(f"there is no resize that {', '.join(fields)} could change. Give --resize too.")
    return [
        operation.model_copy(update=_fitting(operation, fields)) if isinstance(operation, Resize) else operation
        for operation in operations
    ]


def _resized(operations: list[Operation], size: tuple[int, int], mode: str) -> list[Operation]:
    """The operations of a resize mode, with the filter that was there before."""
    if mode == "none":
        return []
    before = next((each for each in operations if isinstance(each, Resize)), Resize(size=1))
    if mode == "shortest":
        short = before.size if isinstance(before.size, int) and before.size > 1 else math.floor(max(size) / CROP_PCT)
        return [before.model_copy(update={"mode": mode, "size": short}), CenterCrop(size=size)]
    return [before.model_copy(update={"mode": mode, "size": size})]


def _resize_fields(typed: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: typed[name] for name in ("align", "fill") if name in typed}
    if "resize_size" in typed:
        fields["size"] = typed["resize_size"]
    if "interpolation" in typed:
        implementation, colon, filter_name = typed["interpolation"].partition(":")
        if not colon:
            raise UsageError(
                f"interpolation {typed['interpolation']!r} must be implementation:filter, for instance pillow:bilinear."
            )
        fields |= {"implementation": implementation, "filter": filter_name}
    return fields


def _fitting(operation: Resize, fields: dict[str, Any]) -> dict[str, Any]:
    """One number for the size means both sides where the mode takes two."""
    if "size" in fields and operation.mode != "shortest":
        return fields | {"size": (fields["size"], fields["size"])}
    return fields


def _values(operations: list[Operation], typed: dict[str, Any]) -> list[Operation]:
    rescale = next((each for each in operations if isinstance(each, Rescale)), None)
    normalize = next((each for each in operations if isinstance(each, Normalize)), None)
    if "scale" in typed:
        rescale = Rescale(scale=typed["scale"], offset=rescale.offset if rescale else 0.0)
    if "mean" in typed or "std" in typed:
        mean = typed.get("mean") or (normalize.mean if normalize else (0.0,))
        std = typed.get("std") or (normalize.std if normalize else (1.0,))
        normalize = Normalize(mean=_wide(mean, std), std=_wide(std, mean))
    if {"scale", "mean", "std"} & typed.keys():
        return [each for each in (rescale, normalize) if each is not None]
    return operations


def _wide(values: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    return values * len(other) if len(values) == 1 else values


def _output(base: ModelSpec, typed: dict[str, Any]) -> Any:
    detects = base.task == "detection"
    fields = _box_fields(base, typed) if detects else {}
    typed = {name: value for name, value in typed.items() if name not in BOX_FIELDS or not fields}
    taken, others = (DETECTOR_FIELDS, CLASSIFIER_FIELDS) if detects else (CLASSIFIER_FIELDS, DETECTOR_FIELDS)
    wrong = [f"--{name.replace('_', '-')}" for name in others if name in typed]
    if wrong:
        kinds = ("classifiers", "detection") if detects else ("detectors", "classification")
        verb = "is" if len(wrong) == 1 else "are"
        raise UsageError(f"{', '.join(wrong)} {verb} for {kinds[0]}; the spec says {kinds[1]}.")
    fields |= {name: typed[name] for name in taken if name in typed}
    if "output_name" in typed:
        fields["name"] = typed["output_name"]
    return base.output.model_copy(update=fields)


def _box_fields(base: ModelSpec, typed: dict[str, Any]) -> dict[str, Any]:
    """What `box_form` and `background` mean for a detector; nothing unless its decoder is `boxes`."""
    if typed.get("decoder", getattr(base.output, "decoder", None)) != "boxes":
        if "box_form" in typed:
            raise UsageError("--box-form is for detectors whose boxes, scores and labels are outputs of their own.")
        return {}
    fields: dict[str, Any] = {"first_label": int(typed["background"])} if "background" in typed else {}
    if "box_form" in typed:
        form, _, unit = typed["box_form"].partition(":")
        if form not in BOX_FORMS or unit not in ("", "unit", "pixels"):
            raise UsageError(
                f"box form {typed['box_form']!r} must be one of {', '.join(BOX_FORMS)}, with :unit for parts of the "
                f"picture or :pixels, such as yxyx:unit."
            )
        fields |= {"form": form} | ({"normalized": unit == "unit"} if unit else {})
    return fields
