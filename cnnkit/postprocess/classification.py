"""Scores over classes: activation, background, the k best."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import ImageError
from cnnkit.records import Classification, Geometry
from cnnkit.spec import ClassificationOutput, ModelSpec

__all__ = ["build_classification", "probabilities", "top_k"]


def build_classification(
    spec: ModelSpec, *, topk: int = 5
) -> Callable[[Mapping[str, NDArray[Any]], Sequence[Geometry]], list[Classification]]:
    """A decoder of (n, C), (n, C, 1, 1) or (n, C + 1) with background to n Classifications.

    Raises ImageError (`failed`) when an image's scores are not numbers, or are not one for each class.
    """
    output = spec.output
    if not isinstance(output, ClassificationOutput):
        raise ValueError(f"a classification spec has a ClassificationOutput, got {type(output).__name__}")

    def decode(outputs: Mapping[str, NDArray[Any]], geometries: Sequence[Geometry]) -> list[Classification]:
        raw = outputs[output.name].reshape(len(geometries), -1)
        scores = probabilities(raw, output)
        if scores.shape[1] != len(spec.classes):
            raise ImageError(
                "failed", f"output {output.name!r} has {raw.shape[1]} scores for {len(spec.classes)} classes"
            )
        if not np.isfinite(scores).all():
            raise ImageError("failed", f"output {output.name!r} holds values that are not numbers")
        ids = top_k(scores, k=min(topk, scores.shape[1]))
        return [Classification(*pair) for pair in zip(scores, ids, strict=True)]

    return decode


def probabilities(raw: NDArray[Any], output: ClassificationOutput) -> NDArray[np.float32]:
    """(n, outputs) raw values to (n, classes) float32: dequantised, activated in float64, background left out.

    A background (output 0) takes part in the softmax and is then dropped, without renormalising.

    >>> output = ClassificationOutput(activation="softmax", background=True)
    >>> probabilities(np.array([[0.0, 0.0, np.log(2.0)]]), output)
    array([[0.25, 0.5 ]], dtype=float32)
    """
    values = np.asarray(raw, dtype=np.float64)
    if output.scale is not None:
        values = (values - (output.zero_point or 0)) * output.scale
    if output.activation == "softmax":
        with np.errstate(invalid="ignore"):  # an infinite logit makes NaN, which the decoder refuses
            values = np.exp(values - values.max(axis=1, keepdims=True))
            values = values / values.sum(axis=1, keepdims=True)
    elif output.activation == "sigmoid":
        values = _sigmoid(values)
    return values[:, int(output.background) :].astype(np.float32)


def top_k(scores: NDArray[np.floating], *, k: int) -> NDArray[np.int32]:
    """(n, C) to the (n, k) indices of the highest scores, best first; of equal scores the lowest index first.

    >>> top_k(np.array([[0.2, 0.5, 0.5]]), k=2)
    array([[1, 2]], dtype=int32)
    """
    return np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + e^-x) without overflow."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0, small) / (1.0 + small)
