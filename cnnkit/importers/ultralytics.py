"""The metadata that Ultralytics writes into an ONNX file."""

import ast
from collections.abc import Mapping
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.importers._chain import TO_UNIT
from cnnkit.importers._found import Found
from cnnkit.spec import CenterCrop, ClassName, Operation, Rescale, Resize

__all__ = ["from_ultralytics"]

ORIGIN = "Ultralytics' metadata in the file"
KEYS = {"task", "names", "imgsz", "stride"}


def from_ultralytics(metadata: Mapping[str, str]) -> Found | None:
    """Read task, class names and image size; None when the metadata is not Ultralytics'.

    A classifier's picture has its short side resized to the input and its centre cut out, and its output is
    probabilities; a detector's is letterboxed, centred, with OpenCV's linear filter.

    Raises ModelError for a task other than classify and detect.
    """
    if not metadata.keys() >= KEYS:
        return None
    task = metadata["task"]
    if task not in ("classify", "detect"):
        raise ModelError(f"{ORIGIN}: the task is {task!r}; classify and detect can be run.")
    size = _size(_literal(metadata, "imgsz"))
    classes = _classes(_literal(metadata, "names"))
    values = Rescale(scale=TO_UNIT)
    if task == "classify":
        operations: tuple[Operation, ...] = (Resize(size=max(size)), CenterCrop(size=size), values)
        return Found(ORIGIN, channels="RGB", size=size, preprocess=operations, classes=classes, activation="none")
    fitted = Resize(size=size, mode="letterbox", filter="linear", implementation="opencv")
    return Found(
        ORIGIN,
        task="detection",
        channels="RGB",
        size=size,
        preprocess=(fitted, values),
        classes=classes,
        decoder="ultralytics_end2end" if _ends_to_end(metadata) else "ultralytics",
    )


def _literal(metadata: Mapping[str, str], key: str) -> Any:
    try:
        return ast.literal_eval(metadata[key])
    except (ValueError, SyntaxError) as error:
        raise ModelError(f"{ORIGIN}: {key} is {metadata[key]!r}, which cannot be read.") from error


def _size(value: Any) -> tuple[int, int]:
    sides = [value, value] if isinstance(value, int) else list(value)
    return int(sides[0]), int(sides[-1])


def _classes(value: Any) -> tuple[ClassName, ...]:
    names = dict(enumerate(value)) if isinstance(value, list) else value
    if not isinstance(names, dict) or sorted(names) != list(range(len(names))):
        raise ModelError(f"{ORIGIN}: names is {value!r}, and indices from 0 with a name each were expected.")
    return tuple(ClassName(name=str(names[at])) for at in range(len(names)))


def _ends_to_end(metadata: Mapping[str, str]) -> bool:
    """Whether boxes come out final: a model without suppression, or one exported with it inside."""
    if metadata.get("end2end", "False") == "True":
        return True
    arguments = _literal(metadata, "args") if "args" in metadata else {}
    return bool(isinstance(arguments, dict) and arguments.get("nms"))
