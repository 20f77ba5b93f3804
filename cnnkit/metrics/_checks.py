"""What every metric refuses, in one place: the sentence names the first thing that is wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def check_scores(scores: ArrayLike, *, classes: Sequence[str] | None = None) -> Floats:
    """(n, classes) finite real numbers, n >= 1; not copied when they already are floats."""
    array = _floats(scores, "scores")
    if array.ndim != 2:
        raise ValueError(f"scores must be (n, classes), got shape {array.shape}")
    if 0 in array.shape:
        raise ValueError(f"scores are empty: shape {array.shape}")
    if classes is not None and len(classes) != array.shape[1]:
        raise ValueError(f"{len(classes)} class names for {array.shape[1]} scores a sample")
    _refuse_not_finite(array)
    return array


def check_labels(labels: ArrayLike, *, n_classes: int, n: int | None = None, what: str = "label") -> Ints:
    """(n,) whole numbers in [0, n_classes)."""
    array = _whole(labels, what)
    if array.ndim != 1:
        raise ValueError(f"{what}s must be (n,), got shape {array.shape}")
    if len(array) == 0:
        raise ValueError(f"{what}s are empty")
    if n is not None and len(array) != n:
        raise ValueError(f"{len(array)} {what}s for {n} samples")
    wrong = np.flatnonzero((array < 0) | (array >= n_classes))
    if len(wrong):
        at = int(wrong[0])
        raise ValueError(f"{what} {array[at]} of sample {at} is out of range: there are {n_classes} classes, from 0")
    return array


def check_scores_and_labels(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Ints]:
    checked = check_scores(scores)
    return checked, check_labels(labels, n_classes=checked.shape[1], n=len(checked))


def check_probabilities(probabilities: ArrayLike) -> Floats:
    """(n, classes) in [0, 1]; a row need not add up to 1 (sigmoid, or a background class left out)."""
    array = check_scores(probabilities)
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 1:
        raise ValueError(f"probabilities must lie in [0, 1], got {low if low < 0 else high:g}: are these logits?")
    return array


def check_binary(scores: ArrayLike, positives: ArrayLike) -> tuple[Floats, Bools]:
    """Scores (n,) and for each whether it is a positive: bools, or 0 and 1."""
    array = _floats(scores, "scores")
    if array.ndim != 1:
        raise ValueError(f"scores must be (n,), got shape {array.shape}")
    if len(array) == 0:
        raise ValueError("scores are empty")
    _refuse_not_finite(array)
    return array, check_zero_one(positives, shape=array.shape)


def check_zero_one(values: ArrayLike, *, shape: tuple[int, ...]) -> Bools:
    """An array of that shape that holds only 0 and 1, as bools."""
    array = np.asarray(values)
    if array.shape != shape:
        raise ValueError(f"positives have shape {array.shape}, the scores {shape}")
    if array.dtype == np.bool_:
        return array
    wrong = np.argwhere((array != 0) & (array != 1))
    if len(wrong):
        at = tuple(int(each) for each in wrong[0])
        raise ValueError(f"positives must be 0 or 1, got {array[at]} at {list(at)}")
    return array.astype(np.bool_)


def check_confidences(confidence: ArrayLike, correct: ArrayLike) -> tuple[NDArray[np.float64], Bools]:
    """Probabilities (n,) in [0, 1] and for each whether the answer is right."""
    array = np.asarray(confidence)
    if array.ndim != 1:
        raise ValueError(f"confidence must be (n,), got shape {array.shape}")
    sure = check_probabilities(array[:, None])[:, 0].astype(np.float64)
    return sure, check_zero_one(correct, shape=sure.shape)


def check_k(k: int, n_classes: int) -> int:
    if not 1 <= k <= n_classes:
        raise ValueError(f"k={k} is out of range: the scores have {n_classes} classes")
    return k


def check_share(name: str, value: float) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")
    return value


def check_counts(hits: int, n: int) -> None:
    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"{hits} hits of {n}: hits must lie in [0, n] and n be at least 1")


def _floats(values: ArrayLike, what: str) -> Floats:
    array = np.asarray(values)
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise ValueError(f"{what} must be real numbers, got {array.dtype}")
    return array


def _whole(values: ArrayLike, what: str) -> Ints:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"{what}s must be whole numbers, got {array.dtype}")
    return array.astype(np.int64, copy=False)


def _refuse_not_finite(array: Floats) -> None:
    if np.isfinite(array.sum(dtype=np.float64)):  # one pass without a mask as large as the array
        return
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        at = tuple(int(each) for each in wrong[0])
        place = f"sample {at[0]}" + (f", class {at[1]}" if len(at) == 2 else "")
        raise ValueError(f"a score is {array[at]} ({place}): scores must be finite")
