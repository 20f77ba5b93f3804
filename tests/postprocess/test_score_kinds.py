"""Probabilities told from logits by values: by hand, against softmax and sigmoid themselves, and what is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnkit.postprocess import score_kind


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([[0.2, 0.8], [1.0, 0.0]], "probabilities"),
        ([[0.2, 0.8], [0.2, 0.7]], "shares"),  # one picture that does not add up is enough
        ([[0.5], [1.0]], "shares"),  # a single output
        ([[1.0], [1.0]], "shares"),
        ([[0.2, 0.8], [-0.2, 1.2]], "logits"),  # adds up, and lies outside
        ([[0.2, np.nan]], "logits"),
        (np.zeros((0, 3)), "logits"),
    ],
)
def test_by_hand(rows: object, kind: str) -> None:
    assert score_kind(np.asarray(rows)) == kind


def test_a_quantised_output_is_read_first() -> None:
    assert score_kind(np.array([[64, 192], [0, 255]], np.uint8), scale=1 / 256, zero_point=0) == "probabilities"
    assert score_kind(np.array([[64, 192]], np.uint8), scale=1 / 256, zero_point=100) == "logits"


def test_half_precision_adds_up_less_exactly() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 1000))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert score_kind(softmax.astype(np.float16)) == "probabilities"


@given(arrays(np.float64, (3, 4), elements=st.floats(-20, 20)))
def test_softmax_and_sigmoid_are_known_whatever_goes_in(logits: np.ndarray) -> None:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    assert score_kind(softmax) == "probabilities"
    assert score_kind((1 / (1 + np.exp(-logits))).astype(np.float32)) in ("shares", "probabilities")
    assert score_kind(logits - 21) == "logits"
