"""Raw outputs to Classification or Detections: one decoder a file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from cnnkit.errors import ModelError
from cnnkit.postprocess.classification import build_classification, probabilities, top_k
from cnnkit.records import Classification, Detections, Geometry
from cnnkit.spec import DetectionOutput, ModelSpec

__all__ = ["DECODERS", "Decoder", "build_classification", "build_decoder", "probabilities", "top_k"]

Decoder = Callable[[Mapping[str, NDArray[Any]], Sequence[Geometry]], Sequence[Classification | Detections]]

# a detector's output.decoder -> what builds it
DECODERS: dict[str, Callable[[ModelSpec], Decoder]] = {}


def build_decoder(spec: ModelSpec, *, topk: int = 5) -> Decoder:
    """What turns a batch's outputs, each with n as first axis, and n geometries into n predictions."""
    if not isinstance(spec.output, DetectionOutput):
        return build_classification(spec, topk=topk)
    if spec.output.decoder not in DECODERS:
        known = ", ".join(DECODERS) or "none yet"
        raise ModelError(f"the spec names the decoder {spec.output.decoder!r}, which is not one of: {known}.")
    return DECODERS[spec.output.decoder](spec)
