"""What a classifier's raw values are, told from the values of several pictures."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

ScoreKind = Literal["probabilities", "shares", "logits"]

SLACK = {"float16": 2e-2, "float32": 1e-3, "float64": 1e-3}
OF_INTEGERS = 0.1  # each of a thousand levels is rounded


def score_kind(raw: NDArray[Any], *, scale: float | None = None, zero_point: int | None = None) -> ScoreKind:
    """Tell probabilities from logits by their values.

    Args:
        raw: (n, outputs) of n pictures, any real dtype; more pictures make chance less likely.
        scale: of a quantised output, (value - zero_point) * scale.
        zero_point: of a quantised output; None is 0.

    Returns:
        `probabilities`: all within 0 .. 1, and those of every picture add up to 1, as after a softmax.
        `shares`: all within 0 .. 1, as after a sigmoid; so is a single output.
        `logits`: anything else; NaN and no picture at all, too.

    >>> score_kind(np.array([[0.25, 0.75], [0.5, 0.5]])), score_kind(np.array([[0.9, 0.7]]))
    ('probabilities', 'shares')
    >>> score_kind(np.array([[-0.1, 1.1]]))
    'logits'
    """
    values = np.asarray(raw, dtype=np.float64)
    if scale is not None:
        values = (values - (zero_point or 0)) * scale
    slack = OF_INTEGERS if scale is not None else SLACK.get(str(np.asarray(raw).dtype), 1e-3)
    if not values.size or not (values.min() >= -1e-6 and values.max() <= 1 + slack):
        return "logits"
    if values.shape[1] > 1 and np.all(np.abs(values.sum(axis=1) - 1) <= slack):
        return "probabilities"
    return "shares"
