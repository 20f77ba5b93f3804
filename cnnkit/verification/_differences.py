"""How far two arrays of outputs are apart, and whether their decisions agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit.verification._record import OutputDifference, Precision

Array = NDArray[np.float64]

# |difference| <= factor * (1 + largest |value| of the source); None: decisions alone count
FACTORS: dict[str, float | None] = {"fp32": 1e-4, "bf16": 5e-2, "fp16": 1e-2, "int8": None}
# share of decisions that must agree
AGREEMENT = {"fp32": 1.0, "bf16": 0.99, "fp16": 0.99, "int8": 0.95}


@dataclass(frozen=True, slots=True)
class Decisions:
    """Shares of images in [0, 1] whose best class, and whose five best classes, are the same."""

    top1: float
    top5: float


def tolerance(expected: Array, precision: Precision) -> float | None:
    """The largest difference allowed between a file's output and its source's `expected`; None: any."""
    factor = FACTORS[precision]
    return None if factor is None else factor * (1.0 + float(np.abs(expected).max(initial=0.0)))


def difference(name: str, expected: Array, got: Array, precision: Precision) -> OutputDifference:
    """Compare one output, (n, ...) each, of the same shape; every figure but the tolerance is None for NaN or inf."""
    if not (np.isfinite(expected).all() and np.isfinite(got).all()):
        return OutputDifference(
            name=name, max_abs=None, mean_abs=None, max_relative=None, mean_relative=None, cosine=None, tolerance=None
        )
    apart = np.abs(expected - got)
    largest = np.abs(expected).max(initial=0.0)
    relative = apart / np.maximum(np.abs(expected), max(1e-3 * largest, np.finfo(np.float32).tiny))
    return OutputDifference(
        name=name,
        max_abs=float(apart.max(initial=0.0)),
        mean_abs=float(apart.mean()),
        max_relative=float(relative.max(initial=0.0)),
        mean_relative=float(relative.mean()),
        cosine=_least_cosine(expected, got),
        tolerance=tolerance(expected, precision),
    )


def decisions(expected: Array, got: Array, *, within: float) -> Decisions:
    """How many of n images keep their best class and their set of five best; (n, classes) scores each.

    A class that was displaced by one whose score in `expected` is at most `within` lower counts as kept.

    >>> decisions(np.array([[1.0, 0.99], [3.0, 1.0]]), np.array([[1.0, 1.01], [1.0, 3.0]]), within=0.1)
    Decisions(top1=0.5, top5=1.0)
    """
    return Decisions(_agreement(expected, got, 1, within), _agreement(expected, got, 5, within))


def _agreement(expected: Array, got: Array, k: int, within: float) -> float:
    kept = [_same_best(*pair, k, within) for pair in zip(expected, got, strict=True)]
    return float(np.mean(kept))


def _same_best(expected: Array, got: Array, k: int, within: float) -> bool:
    first, second = (set(np.argsort(-scores, kind="stable")[:k].tolist()) for scores in (expected, got))
    lost, won = sorted(first - second), sorted(second - first)
    return not lost or bool(expected[lost].max() - expected[won].min() <= within)


def _least_cosine(expected: Array, got: Array) -> float:
    """The least cosine between an image's two outputs; 1 where both are zero."""
    a, b = expected.reshape(len(expected), -1), got.reshape(len(got), -1)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    products = (a * b).sum(axis=1)
    same = (a == b).all(axis=1)
    cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return float(np.where(same, 1.0, cosines).min(initial=1.0))
