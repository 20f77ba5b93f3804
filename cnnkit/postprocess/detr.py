"""DETR and RT-DETR: a box and class logits for each query, nothing to suppress."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.boxes import xyxy_from_cxcywh
from cnnkit.errors import ImageError, ModelError
from cnnkit.postprocess._candidates import BatchDecoder, Candidates, output_of, surest
from cnnkit.records import Detections, Geometry
from cnnkit.spec import ModelSpec

__all__ = ["build_detr"]


def build_detr(spec: ModelSpec) -> BatchDecoder:
    """A decoder of boxes (n, Q, 4), centre x, centre y, width, height in 0..1, and logits (n, Q, C) or (n, Q, C + 1).

    With C + 1 logits the last is no object (DETR): softmax, and a query stands for its best class. With C (RT-DETR) a
    sigmoid, and a query stands for every class that reaches `conf`.

    Raises:
        ModelError: the spec does not name the tensor of logits.
    """
    output, n_classes = output_of(spec), len(spec.classes)
    if output.scores is None:
        raise ModelError("the decoder 'detr' needs output.scores: the name of the tensor of logits.")
    logits_name = output.scores
    height, width = spec.input.size

    def decode(outputs: Mapping[str, NDArray[Any]], geometries: Sequence[Geometry]) -> list[Detections]:
        boxes, logits = outputs[output.name], outputs[logits_name]
        queries = (len(geometries), boxes.shape[1] if boxes.ndim == 3 else 0)
        expected = [(*queries, n_classes), (*queries, n_classes + 1)]
        if boxes.shape != (*queries, 4) or logits.shape not in expected:
            raise ImageError(
                "failed",
                f"boxes {output.name!r} have shape {boxes.shape} and logits {logits_name!r} {logits.shape}; the "
                f"decoder 'detr' reads (n, queries, 4) and (n, queries, {n_classes}) or (n, queries, {n_classes + 1})",
            )
        return [one(*pair) for pair in zip(boxes, logits, geometries, strict=True)]

    def one(boxes: NDArray[Any], logits: NDArray[Any], geometry: Geometry) -> Detections:
        query, scores, classes = _chosen(np.asarray(logits, np.float64), n_classes, output.conf)
        placed = xyxy_from_cxcywh(np.asarray(boxes[query], np.float64)) * np.array([width, height, width, height])
        return surest(Candidates(placed, scores, classes), geometry, output)

    return decode


def _chosen(
    logits: NDArray[np.float64], n_classes: int, conf: float
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """Positions of the queries that are kept, their scores and classes; a score that is no number is kept."""
    if logits.shape[1] == n_classes:
        small = np.exp(-np.abs(logits))
        scores = np.where(logits < 0, small, 1.0) / (1 + small)
        query, classes = np.nonzero(~(scores < conf))
        return query, scores[query, classes], classes
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = (raised / raised.sum(axis=1, keepdims=True))[:, :-1]
    best = scores.max(axis=1)
    query = np.flatnonzero(~(best < conf))
    return query, best[query], scores[query].argmax(axis=1)
