"""Which decoder reads a detector's outputs, told from their names and shapes, or asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cnnkit.errors import ModelError
from cnnkit.postprocess.yolox import STRIDES
from cnnkit.spec import DetectionOutput

__all__ = ["Recognised", "fitting_detectors", "recognise_detector"]

Shape = tuple[int | None, ...]

CORNERS = "xyxy"
TENSORFLOW = ("detection_boxes", "detection_scores", "detection_classes")


class Tensor(Protocol):
    """An output as the file declares it; None in `shape` is an open size."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> Shape: ...


@dataclass(frozen=True, slots=True)
class Recognised:
    """The output as a spec has it, and what it was told by."""

    output: DetectionOutput
    reason: str


def recognise_detector(
    outputs: Sequence[Tensor], *, n_classes: int, size: tuple[int, int], decoder: str | None = None
) -> Recognised:
    """Find the one decoder whose outputs have these shapes.

    Args:
        outputs: all outputs of the file.
        n_classes: how many classes the detector tells apart.
        size: height and width of the input.
        decoder: what is known to read them; its tensors are looked for among the outputs.

    Raises:
        ModelError: no decoder fits, or more than one does; the message names them and asks.
    """
    fits = [
        fit
        for fit in fitting_detectors(outputs, n_classes=n_classes, size=size)
        if decoder in (None, fit.output.decoder)
    ]
    if len(fits) == 1:
        return fits[0]
    shown = ", ".join(f"{tensor.name!r} {_shown(tensor.shape)}" for tensor in outputs)
    asked = f"the outputs are {shown}, for {n_classes} classes and an input of {size[0]} x {size[1]}"
    if not fits:
        reader = f"the decoder {decoder!r} does not read" if decoder else "no known decoder reads"
        raise ModelError(f"{asked}: {reader} such. Check the number of classes, or give the output in a --spec FILE.")
    readings = "; ".join(f"{fit.output.decoder} ({fit.reason})" for fit in fits)
    raise ModelError(
        f"{asked}, and can be read in more than one way: {readings}. Say which: --decoder NAME, or --spec FILE."
    )


def fitting_detectors(outputs: Sequence[Tensor], *, n_classes: int, size: tuple[int, int] = (0, 0)) -> list[Recognised]:
    """All readings that the shapes allow; arguments as in `recognise_detector`."""
    if len(outputs) == 1:
        return list(_of_one(outputs[0], n_classes, size))
    return list(_of_two(outputs, n_classes) if len(outputs) == 2 else _of_three(outputs, n_classes))


def _of_one(tensor: Tensor, n_classes: int, size: tuple[int, int]) -> Iterator[Recognised]:
    name, shape = tensor.name, tensor.shape
    if len(shape) == 4 and shape[1] == 5 + n_classes:
        yield _said(name, "fastestdet", f"one map of 5 + {n_classes} values in each cell")
    if len(shape) != 3:
        return
    rows, columns = shape[1:]
    cells = sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)
    if rows == 4 + n_classes:
        yield _said(name, "ultralytics", f"4 + {n_classes} values for each of {columns or 'N'} candidates")
    if columns == 6 and rows not in (cells, 3 * cells):
        yield _said(name, "ultralytics_end2end", "six values for each box: corners, score, class")
    if columns != 5 + n_classes:
        return
    values = f"5 + {n_classes} values for each of {rows or 'N'} candidates"
    if rows in (cells, None):
        yield _said(name, "yolox", f"{values}, one a cell, if boxes are relative to cells")
    yield _said(name, "yolov5", f"{values}, {'three a cell' if rows == 3 * cells else 'if boxes are in pixels'}")


def _of_two(outputs: Sequence[Tensor], n_classes: int) -> Iterator[Recognised]:
    called_boxes = [tensor for tensor in outputs if "box" in tensor.name.lower()]
    for boxes, logits in (outputs, outputs[::-1]):
        if len(called_boxes) == 1 and boxes is not called_boxes[0]:
            continue
        if len(boxes.shape) != 3 or len(logits.shape) != 3 or boxes.shape[2] != 4:
            continue
        if boxes.shape[1] == logits.shape[1] and logits.shape[2] in (n_classes, n_classes + 1):
            last = ", the last one no object" if logits.shape[2] == n_classes + 1 else ""
            reason = f"a box in {boxes.name!r} and {logits.shape[2]} logits in {logits.name!r} for each query{last}"
            yield _said(boxes.name, "detr", reason, scores=logits.name)


def _of_three(outputs: Sequence[Tensor], n_classes: int) -> Iterator[Recognised]:
    """By names; else three tensors by their types, of which four scores of a classifier could be taken for boxes."""
    tensorflows = {tensor.name: tensor for tensor in outputs if tensor.name in TENSORFLOW}
    if len(tensorflows) == 3:
        outputs = list(tensorflows.values())
    boxes = [tensor for tensor in outputs if tensor.shape[-1:] == (4,)]
    scores = [tensor for tensor in outputs if "score" in tensor.name.lower()]
    labels = [tensor for tensor in outputs if any(word in tensor.name.lower() for word in ("label", "class"))]
    if len(outputs) == 3 and len(boxes) == 1 and not scores and not labels and n_classes not in (0, len(CORNERS)):
        others = [tensor for tensor in outputs if tensor not in boxes]
        labels = [tensor for tensor in others if tensor.dtype in ("int64", "int32")]
        scores = [tensor for tensor in others if tensor.dtype.startswith("float")]
    if not len(boxes) == len(scores) == len(labels) == 1:
        return
    named: dict[str, Any] = {"scores": scores[0].name, "labels": labels[0].name}
    reason = f"boxes in {boxes[0].name!r}, scores in {scores[0].name!r}, labels in {labels[0].name!r}"
    if boxes[0].name == TENSORFLOW[0]:  # top, left, bottom, right in 0..1
        named |= {"form": "yxyx", "normalized": True, "first_label": 1}
        reason += ", named as TensorFlow's: top, left, bottom, right in 0..1, labels from 1"
    yield _said(boxes[0].name, "boxes", reason, **named)


def _said(name: str, decoder: str, reason: str, **fields: Any) -> Recognised:
    return Recognised(DetectionOutput(name=name, decoder=decoder, **fields), reason)


def _shown(shape: Shape) -> str:
    return f"({', '.join('N' if side is None else str(side) for side in shape)})"
