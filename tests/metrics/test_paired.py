"""Paired comparison of two models: by hand, against scipy and statsmodels, and by what always holds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from cnnkit.metrics import holm, images_to_decide, mcnemar, paired_difference

COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 400)).filter(sum)


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_mcnemar_is_the_sign_test(b: int, c: int) -> None:
    judged = statsmodels_mcnemar(np.array([[7, b], [c, 5]]), exact=True).pvalue
    assert mcnemar(b, c) == pytest.approx(1.0 if b == c else judged, rel=1e-12)
    if b + c:
        assert mcnemar(b, c) == pytest.approx(binomtest(b, b + c).pvalue, rel=1e-9)


def test_mcnemar_of_many_discordant_images_is_a_number() -> None:
    assert 0 < mcnemar(5200, 5400) < 0.1
    assert mcnemar(0, 3000) == 0.0 or mcnemar(0, 3000) < 1e-300


def _statistic(b: int, c: int, n: int, delta: float) -> float:
    """Tango's statistic with the likelihood maximised by scipy instead of by formula."""

    def negative_log_likelihood(share: float) -> float:
        parts = ((c, share), (b, share + delta), (n - b - c, 1 - 2 * share - delta))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in parts if count)

    low, high = max(0.0, -delta), (1 - delta) / 2
    share = minimize_scalar(negative_log_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    return (b - c - n * delta) / math.sqrt(n * (2 * share + delta * (1 - delta)))


@pytest.mark.parametrize(("b", "c", "n"), [(12, 2, 50), (53, 16, 1600), (5, 5, 100), (1, 9, 40)])
def test_the_ends_are_where_the_score_test_turns(b: int, c: int, n: int) -> None:
    low, high = paired_difference(b, c, n)
    assert _statistic(b, c, n, low) == pytest.approx(1.959964, abs=1e-4)
    assert _statistic(b, c, n, high) == pytest.approx(-1.959964, abs=1e-4)


def test_no_change_on_few_images_proves_little() -> None:
    # z^2 / (n + z^2), from the statistic with b = c = 0 by hand
    z2 = 1.959963984540054**2
    for n in (200, 599):
        assert paired_difference(0, 0, n).high == pytest.approx(z2 / (n + z2))


@given(COUNTS)
@settings(max_examples=100, deadline=None)
def test_the_interval_holds_the_difference_and_turns_round(counts: tuple[int, int, int]) -> None:
    b, c, rest = counts
    n = b + c + rest
    low, high = paired_difference(b, c, n)
    assert -1 <= low <= (b - c) / n <= high <= 1
    assert high > low
    turned = paired_difference(c, b, n)
    assert (turned.low, turned.high) == (pytest.approx(-high, abs=1e-9), pytest.approx(-low, abs=1e-9))
    wider = paired_difference(b, c, n, level=0.99)
    assert wider.low <= low
    assert wider.high >= high


@given(st.integers(0, 30), st.integers(0, 30), st.sampled_from([0.005, 0.01, 0.03]))
@settings(max_examples=60, deadline=None)
def test_that_many_images_would_decide(b: int, c: int, margin: float) -> None:
    n = 1000
    needed = images_to_decide(b, c, n, margin=margin)
    if needed is None or min(b, c) * needed / n < 15:
        return  # the formula is for counts that are nearly normal
    factor = 1.15 * needed / n  # the score interval is a little wider than the formula's
    low, high = paired_difference(round(b * factor), round(c * factor), round(n * factor))
    assert high < margin or low > margin


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=15, deadline=None)  # the other collects garbage at each call
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_of_nothing() -> None:
    assert holm([]) == []


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: mcnemar(-1, 2), "counts must not be negative, got -1 and 2"),
        (lambda: paired_difference(3, 3, 5), "3 and 3 discordant images of 5"),
        (lambda: images_to_decide(0, 0, 0), "0 and 0 discordant images of 0"),
        (lambda: holm([0.5, 1.5]), r"p-values must lie in \[0, 1\], got \[0.5, 1.5\]"),
        (lambda: paired_difference(1, 1, 5, level=2), "level"),
    ],
)
def test_what_cannot_be_is_refused(call, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()


def test_the_same_difference_as_the_margin_cannot_be_decided() -> None:
    assert images_to_decide(5, 5, 100) is None
