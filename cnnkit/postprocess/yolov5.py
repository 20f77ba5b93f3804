"""YOLOv5 and v7: one tensor, box, objectness and class scores of each candidate."""

from typing import Any

from numpy.typing import NDArray

from cnnkit.boxes import xyxy_from_cxcywh
from cnnkit.postprocess._candidates import BatchDecoder, one_by_one, output_of, refuse_shape, suppressed
from cnnkit.records import Detections, Geometry
from cnnkit.spec import ModelSpec

__all__ = ["build_yolov5"]


def build_yolov5(spec: ModelSpec) -> BatchDecoder:
    """A decoder of (n, N, 5 + C): centre x, centre y, width, height in input pixels, objectness, C probabilities.

    A score is objectness times probability.
    """
    output, n_classes = output_of(spec), len(spec.classes)

    def decode(raw: NDArray[Any], geometry: Geometry) -> Detections:
        if raw.ndim != 2 or raw.shape[1] != 5 + n_classes:
            raise refuse_shape(output, raw, f"(candidates, 5 + {n_classes} classes)")
        return suppressed(raw[:, 5:].T, lambda cells: xyxy_from_cxcywh(raw[cells, :4]), geometry, output, raw[:, 4])

    return one_by_one(decode, output.name)
