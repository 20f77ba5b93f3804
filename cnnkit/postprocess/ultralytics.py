"""Ultralytics v8 to v12: one tensor, boxes and class scores of each candidate."""

from typing import Any

from numpy.typing import NDArray

from cnnkit.boxes import xyxy_from_cxcywh
from cnnkit.postprocess._candidates import BatchDecoder, one_by_one, output_of, refuse_shape, suppressed
from cnnkit.records import Detections, Geometry
from cnnkit.spec import ModelSpec

__all__ = ["build_ultralytics"]


def build_ultralytics(spec: ModelSpec) -> BatchDecoder:
    """A decoder of (n, 4 + C, N): centre x, centre y, width, height in input pixels, then C probabilities."""
    output, n_classes = output_of(spec), len(spec.classes)

    def decode(raw: NDArray[Any], geometry: Geometry) -> Detections:
        if raw.ndim != 2 or raw.shape[0] != 4 + n_classes:
            raise refuse_shape(output, raw, f"(4 + {n_classes} classes, candidates)")
        return suppressed(raw[4:], lambda cells: xyxy_from_cxcywh(raw[:4, cells].T), geometry, output)

    return one_by_one(decode, output.name)
