"""Boxes, scores and labels as tensors of their own, the suppression in the graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import boxes as box_arithmetic
from cnnkit.errors import ImageError, ModelError
from cnnkit.postprocess._candidates import BatchDecoder, Candidates, output_of, surest
from cnnkit.records import Detections, Geometry
from cnnkit.spec import DetectionOutput, ModelSpec

__all__ = ["build_boxes"]

AS_SHARES = 1.5  # no picture has all its objects within so few pixels


def build_boxes(spec: ModelSpec) -> BatchDecoder:
    """A decoder of boxes (n, N, 4), scores (n, N) and labels (n, N); for one image the first axis may be missing.

    The spec says how a box is written (`form`, xyxy unless given, in input pixels or `normalized` to the input), and
    `first_label`, the label of class 0 (0 unless given). Labels of no class, such as a background's, are left out;
    places left over score 0.

    Raises:
        ModelError: the spec does not name the tensors of scores and labels.
    """
    output = output_of(spec)
    if output.scores is None or output.labels is None:
        raise ModelError("the decoder 'boxes' needs output.scores and output.labels: the names of these tensors.")
    names = (output.name, output.scores, output.labels)

    def decode(outputs: Mapping[str, NDArray[Any]], geometries: Sequence[Geometry]) -> list[Detections]:
        parts = [_batched(outputs[name], last) for name, last in zip(names, (4, None, None), strict=True)]
        if len({part.shape[:2] for part in parts}) != 1 or len(parts[0]) != len(geometries):
            shapes = ", ".join(f"{name!r} {outputs[name].shape}" for name in names)
            raise ImageError("failed", f"boxes, scores and labels do not go together: {shapes}")
        rows = zip(*parts, geometries, strict=True)
        return [_one(box, score, label, geometry, spec, output) for box, score, label, geometry in rows]

    return decode


def _batched(values: NDArray[Any], last: int | None) -> NDArray[Any]:
    """(N, 4) or (N,) becomes (1, N, 4) or (1, N)."""
    return values[None] if values.ndim == (1 if last is None else 2) else values


def _one(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    labels: NDArray[Any],
    geometry: Geometry,
    spec: ModelSpec,
    output: DetectionOutput,
) -> Detections:
    classes = np.asarray(labels).astype(np.int64) - (output.first_label or 0)
    kept = ~(scores < output.conf) & (classes >= 0) & (classes < len(spec.classes))
    placed = np.asarray(boxes[kept], np.float64)
    if output.normalized is None and len(placed) and placed.max() <= AS_SHARES < min(spec.input.size):
        raise ImageError(
            "failed",
            f"all boxes of output {output.name!r} lie within 0 and {AS_SHARES:g}, which is {placed.max():.2g} pixels "
            f"of {spec.input.size[1]}: if they are parts of the picture, say --box-form {output.form or 'xyxy'}:unit, "
            f"else :pixels",
        )
    match output.form:
        case "yxyx":
            placed = placed[:, [1, 0, 3, 2]]
        case "xywh":
            placed = box_arithmetic.xyxy_from_xywh(placed)
        case "cxcywh":
            placed = box_arithmetic.xyxy_from_cxcywh(placed)
    if output.normalized:
        height, width = spec.input.size
        placed = placed * np.array([width, height, width, height])
    return surest(Candidates(placed, scores[kept], classes[kept]), geometry, output)
