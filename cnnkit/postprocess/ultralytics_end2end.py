"""Ultralytics with the suppression in the graph, or none needed: final boxes."""

from typing import Any

from numpy.typing import NDArray

from cnnkit.errors import ImageError
from cnnkit.postprocess._candidates import (
    BatchDecoder,
    Candidates,
    check_finite,
    one_by_one,
    output_of,
    refuse_shape,
    surest,
)
from cnnkit.records import Detections, Geometry
from cnnkit.spec import ModelSpec

__all__ = ["build_ultralytics_end2end"]


def build_ultralytics_end2end(spec: ModelSpec) -> BatchDecoder:
    """A decoder of (n, N, 6): left, top, right, bottom in input pixels, score, class; places left over score 0."""
    output, n_classes = output_of(spec), len(spec.classes)

    def decode(raw: NDArray[Any], geometry: Geometry) -> Detections:
        if raw.ndim != 2 or raw.shape[1] != 6:
            raise refuse_shape(output, raw, "(boxes, 6)")
        kept = raw[~(raw[:, 4] < output.conf)]  # a score that is no number stays, and is refused later
        check_finite(output, kept)
        classes = kept[:, 5].astype("int64")
        if len(classes) and (classes.min() < 0 or classes.max() >= n_classes):
            raise ImageError("failed", f"output {output.name!r} names class {classes.max()} of {n_classes}")
        return surest(Candidates(kept[:, :4], kept[:, 4], classes), geometry, output)

    return one_by_one(decode, output.name)
