"""Whether two outputs of a detector lead to the same detections."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import boxes as box_arithmetic
from cnnkit import postprocess
from cnnkit.records import Detections, Geometry
from cnnkit.spec import DetectionOutput, ModelSpec
from cnnkit.verification._record import Precision

__all__ = ["same_detections"]

# how far a score may move
SCORE_MARGIN: dict[str, float] = {"fp32": 1e-3, "bf16": 5e-2, "fp16": 2e-2, "int8": 0.1}


def same_detections(
    expected: dict[str, NDArray[Any]], got: dict[str, NDArray[Any]], spec: ModelSpec, *, precision: Precision
) -> float:
    """Share of the n images in [0, 1] whose detections, decoded at the spec's `conf`, are the same.

    Both outputs are by name, n first. Detections are the same when each of either side has a partner on the other: of
    its class, overlapping it by more than the spec's `iou`, with a score no further than the margin of this precision
    (fp32 0.001). One that is less sure than `conf` and that margin needs none: the other side may have left it out.
    """
    output = spec.output
    assert isinstance(output, DetectionOutput)
    margin, decode = SCORE_MARGIN[precision], postprocess.build_decoder(spec)
    here = Geometry(spec.input.size, spec.input.size)
    pairs = zip(*(_decoded(decode, each, here) for each in (expected, got)), strict=True)
    same = [
        _has_partners(one, other, output, margin) and _has_partners(other, one, output, margin) for one, other in pairs
    ]
    return float(np.mean(same))


def _decoded(decode: postprocess.Decoder, outputs: dict[str, NDArray[Any]], here: Geometry) -> list[Detections]:
    n = len(next(iter(outputs.values())))
    return [each for each in decode(outputs, [here] * n) if isinstance(each, Detections)]


def _has_partners(one: Detections, other: Detections, output: DetectionOutput, margin: float) -> bool:
    sure = one.scores >= output.conf + margin
    overlap = box_arithmetic.iou_matrix(one.boxes[sure], other.boxes) > min(output.iou, 0.5)
    of_class = one.classes[sure][:, None] == other.classes[None]
    close = np.abs(one.scores[sure][:, None].astype(np.float64) - other.scores[None]) <= margin
    return bool((overlap & of_class & close).any(axis=1).all())
