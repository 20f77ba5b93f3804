"""Raw outputs to Classification or Detections: one decoder a file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from cnnkit.errors import ModelError
from cnnkit.postprocess._kinds import ScoreKind, score_kind
from cnnkit.postprocess.boxes import build_boxes
from cnnkit.postprocess.classification import build_classification, probabilities, top_k
from cnnkit.postprocess.detr import build_detr
from cnnkit.postprocess.fastestdet import build_fastestdet
from cnnkit.postprocess.nms import nms
from cnnkit.postprocess.recognition import Recognised, fitting_detectors, recognise_detector
from cnnkit.postprocess.ultralytics import build_ultralytics
from cnnkit.postprocess.ultralytics_end2end import build_ultralytics_end2end
from cnnkit.postprocess.yolov5 import build_yolov5
from cnnkit.postprocess.yolox import build_yolox
from cnnkit.records import Classification, Detections, Geometry
from cnnkit.spec import DetectionOutput, ModelSpec

__all__ = [
    "DECODERS",
    "Decoder",
    "Recognised",
    "ScoreKind",
    "build_classification",
    "build_decoder",
    "fitting_detectors",
    "nms",
    "probabilities",
    "recognise_detector",
    "score_kind",
    "top_k",
]

Decoder = Callable[[Mapping[str, NDArray[Any]], Sequence[Geometry]], Sequence[Classification | Detections]]

# a detector's output.decoder -> what builds it
DECODERS: dict[str, Callable[[ModelSpec], Decoder]] = {
    "ultralytics": build_ultralytics,
    "ultralytics_end2end": build_ultralytics_end2end,
    "yolov5": build_yolov5,
    "yolox": build_yolox,
    "fastestdet": build_fastestdet,
    "boxes": build_boxes,
    "detr": build_detr,
}


def build_decoder(spec: ModelSpec, *, topk: int = 5) -> Decoder:
    """What turns a batch's outputs, each with n as first axis, and n geometries into n predictions."""
    if not isinstance(spec.output, DetectionOutput):
        return build_classification(spec, topk=topk)
    if spec.output.decoder not in DECODERS:
        known = ", ".join(DECODERS)
        raise ModelError(f"the spec names the decoder {spec.output.decoder!r}, which is not one of: {known}.")
    return DECODERS[spec.output.decoder](spec)
