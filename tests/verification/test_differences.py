import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnkit.verification._differences import decisions, difference, tolerance

SCORES = arrays(np.float64, (4, 7), elements=st.floats(-50, 50, width=32))


def test_a_case_by_hand() -> None:
    expected, got = np.array([[3.0, -4.0], [0.0, 1.0]]), np.array([[3.5, -4.0], [0.0, 1.0]])
    found = difference("logits", expected, got, "fp32")
    assert found.max_abs == 0.5
    assert found.mean_abs == 0.125
    assert found.max_relative == pytest.approx(0.5 / 3)
    assert found.mean_relative == pytest.approx(0.5 / 12)
    assert found.cosine == pytest.approx((3 * 3.5 + 16) / (5 * np.hypot(3.5, 4)))
    assert found.tolerance == pytest.approx(1e-4 * 5)


def test_tolerances_of_each_precision() -> None:
    expected = np.array([[-9.0, 1.0]])
    assert [tolerance(expected, precision) for precision in ("fp32", "fp16", "int8")] == [  # type: ignore[arg-type]
        pytest.approx(1e-3), pytest.approx(0.1), None,
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_has_no_figures(bad: float) -> None:
    for pair in ((np.array([[bad]]), np.array([[1.0]])), (np.array([[1.0]]), np.array([[bad]]))):
        found = difference("x", *pair, "fp32")
        assert (found.max_abs, found.cosine, found.max_relative) == (None, None, None)


@settings(max_examples=30, deadline=None)
@given(SCORES, SCORES)
def test_properties(expected: np.ndarray, got: np.ndarray) -> None:
    found = difference("x", expected, got, "fp32")
    same = difference("x", expected, expected, "fp32")
    assert (same.max_abs, same.max_relative, same.cosine) == (0.0, 0.0, 1.0)
    assert found.max_abs is not None
    assert found.mean_abs is not None
    assert found.cosine is not None
    assert 0 <= found.mean_abs <= found.max_abs
    assert -1 - 1e-9 <= found.cosine <= 1 + 1e-9
    agreement = decisions(expected, got, within=0.0)
    assert agreement.top1 <= decisions(expected, got, within=100.0).top1 == 1.0
    assert decisions(expected, expected, within=0.0) == decisions(expected, expected * 2.0, within=0.0)


def test_a_tie_within_the_tolerance_agrees() -> None:
    expected, got = np.array([[1.0, 0.9999, 0.0]]), np.array([[0.9999, 1.0, 0.0]])
    assert decisions(expected, got, within=1e-3).top1 == 1.0
    assert decisions(expected, got, within=1e-5).top1 == 0.0


def test_the_five_best_agree_as_a_set() -> None:
    expected = np.arange(7.0)[None]
    swapped = expected[:, [0, 1, 2, 3, 4, 6, 5]]
    assert decisions(expected, swapped, within=0.0) == decisions(expected, swapped, within=0.5)
    assert (decisions(expected, swapped, within=0.0).top1, decisions(expected, swapped, within=0.0).top5) == (0.0, 1.0)
    assert decisions(expected, expected[:, ::-1], within=0.0).top5 == 0.0
