"""What decoders share: choosing candidates, suppression, the way back to the source image."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import boxes as box_arithmetic
from cnnkit.errors import ImageError
from cnnkit.postprocess.nms import nms
from cnnkit.records import Detections, Geometry
from cnnkit.spec import DetectionOutput, ModelSpec

__all__ = [
    "BatchDecoder",
    "Candidates",
    "check_finite",
    "one_by_one",
    "output_of",
    "refuse_shape",
    "suppressed",
    "surest",
]

BatchDecoder = Callable[[Mapping[str, NDArray[Any]], Sequence[Geometry]], list[Detections]]

AT_FIRST = (512, 4096)  # as many cells are looked at before all are


@dataclass(frozen=True, slots=True)
class Candidates:
    """Boxes (n, 4) xyxy in input pixels, scores (n,) in [0, 1], classes (n,)."""

    boxes: NDArray[Any]
    scores: NDArray[Any]
    classes: NDArray[Any]


def output_of(spec: ModelSpec) -> DetectionOutput:
    if not isinstance(spec.output, DetectionOutput):
        raise ValueError(f"a detection spec has a DetectionOutput, got {type(spec.output).__name__}")
    return spec.output


def one_by_one(decode: Callable[[NDArray[Any], Geometry], Detections], name: str) -> BatchDecoder:
    """A decoder of a batch from one of a single image's raw output, float32, without its batch axis."""

    def decode_batch(outputs: Mapping[str, NDArray[Any]], geometries: Sequence[Geometry]) -> list[Detections]:
        raws = outputs[name].astype(np.float32, copy=False)
        return [decode(raw, geometry) for raw, geometry in zip(raws, geometries, strict=True)]

    return decode_batch


def refuse_shape(output: DetectionOutput, raw: NDArray[Any], expected: str) -> ImageError:
    return ImageError(
        "failed",
        f"output {output.name!r} has shape {raw.shape} for an image; the decoder {output.decoder!r} reads {expected}",
    )


def check_finite(output: DetectionOutput, *values: NDArray[Any]) -> None:
    if not all(np.isfinite(value).all() for value in values):
        raise ImageError("failed", f"output {output.name!r} holds values that are not finite")


def suppressed(
    class_scores: NDArray[Any],
    boxes_at: Callable[[NDArray[np.intp]], NDArray[Any]],
    geometry: Geometry,
    output: DetectionOutput,
    objectness: NDArray[Any] | None = None,
) -> Detections:
    """Detections of N cells: candidates from `conf`, non-maximum suppression, the surest `max_detections`.

    A cell is a candidate for every class that reaches `conf`, or without `multi_label` for its best one, of equals the
    lowest. Suppression goes by falling score, so that the surest cells are tried first, and more only when these do not
    fill `max_detections`: the result is the same.

    Args:
        class_scores: (C, N).
        boxes_at: gives (k, 4) xyxy in input pixels for k cells.
        geometry: where the image's pixels went.
        output: what is kept.
        objectness: (N,) factor of the scores, or None.
    """
    best = class_scores.max(axis=0)
    if objectness is not None:
        best = best * objectness
    if np.isnan(best).any():
        raise ImageError("failed", f"output {output.name!r} holds values that are not numbers")
    for floor in _floors(best, output.conf):
        cells, scores, classes = _reaching(floor, best, class_scores, objectness, multi_label=output.multi_label)
        with np.errstate(over="ignore", invalid="ignore"):  # infinity is refused in words
            found = Candidates(boxes_at(cells), scores, classes)
        check_finite(output, found.boxes, scores)
        of_class = None if output.agnostic else classes
        kept = nms(found.boxes, scores, of_class, iou=output.iou, max_detections=output.max_detections)
        if len(kept) == output.max_detections:
            break
    return _placed(found, kept, geometry)


def surest(found: Candidates, geometry: Geometry, output: DetectionOutput) -> Detections:
    """Detections of boxes that are final: the surest `max_detections`."""
    check_finite(output, found.boxes, found.scores)
    return _placed(found, np.argsort(-found.scores, kind="stable")[: output.max_detections], geometry)


def _floors(best: NDArray[Any], conf: float) -> Iterator[Any]:
    n = int((best >= conf).sum())
    yield from (np.partition(best, -k)[-k] for k in AT_FIRST if k < n)
    yield conf


def _reaching(
    floor: Any, best: NDArray[Any], class_scores: NDArray[Any], objectness: NDArray[Any] | None, *, multi_label: bool
) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[np.intp]]:
    cells = np.flatnonzero(best >= floor)
    chosen = class_scores[:, cells]
    if not multi_label:
        return cells, best[cells], chosen.argmax(axis=0)
    scores = chosen if objectness is None else chosen * objectness[cells]
    enough = scores >= floor
    at, classes = np.nonzero(np.ascontiguousarray(enough.T))  # slow through the transposed view
    return cells[at], scores[classes, at], classes


def _placed(found: Candidates, kept: NDArray[np.intp], geometry: Geometry) -> Detections:
    """Take boxes to the source image and cut them to it; what lies outside is left out."""
    boxes = box_arithmetic.clip(geometry.to_source(found.boxes[kept]), geometry.source_size).astype(np.float32)
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Detections(
        boxes[inside],
        np.clip(found.scores[kept][inside], 0, 1).astype(np.float32),
        found.classes[kept][inside].astype(np.int32),
    )
