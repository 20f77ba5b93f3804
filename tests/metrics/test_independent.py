"""Two groups of images: by hand, against scipy and statsmodels, and by what always holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from cnnkit.metrics import fisher_exact, independent_difference, wilson


@st.composite
def groups(draw: st.DrawFn) -> tuple[int, int, int, int]:
    n, other_n = draw(st.integers(1, 400)), draw(st.integers(1, 4000))
    return draw(st.integers(0, n)), n, draw(st.integers(0, other_n)), other_n


def test_tea_tasting_by_hand() -> None:
    # of 8 cups 4 right: 1, 16, 36, 16, 1 of 70 ways; 3 of 4 against 1 of 4 is as likely as 16 + 16 + 1 + 1
    assert fisher_exact(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert fisher_exact(4, 4, 0, 4) == pytest.approx(2 / 70)
    assert fisher_exact(2, 4, 2, 4) == 1
    assert fisher_exact(5, 5, 7, 7) == 1


@given(groups())
@settings(max_examples=80, deadline=None)
def test_the_exact_test_is_scipys(table: tuple[int, int, int, int]) -> None:
    hits, n, other_hits, other_n = table
    expected = stats.fisher_exact([[hits, n - hits], [other_hits, other_n - other_hits]]).pvalue
    assert fisher_exact(*table) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(groups())
@settings(max_examples=80, deadline=None)
def test_the_interval_is_statsmodels(table: tuple[int, int, int, int]) -> None:
    expected = confint_proportions_2indep(*table, method="newcomb", compare="diff")
    assert independent_difference(*table) == pytest.approx(expected, abs=1e-9)


@given(groups())
@settings(max_examples=50, deadline=None)
def test_what_always_holds(table: tuple[int, int, int, int]) -> None:
    hits, n, other_hits, other_n = table
    low, high = independent_difference(*table)
    assert -1 <= low <= hits / n - other_hits / other_n <= high <= 1
    turned = independent_difference(other_hits, other_n, hits, n)
    assert (low, high) == pytest.approx((-turned.high, -turned.low), abs=1e-12)
    assert fisher_exact(*table) == pytest.approx(fisher_exact(other_hits, other_n, hits, n), rel=1e-6)
    assert fisher_exact(*table) == pytest.approx(fisher_exact(n - hits, n, other_n - other_hits, other_n), rel=1e-6)


def test_many_images_are_told_apart_by_little() -> None:
    assert fisher_exact(700, 1000, 39_000, 49_000) < 1e-10
    assert fisher_exact(795, 1000, 39_000, 49_000) > 0.5


def test_false_alarms_stay_below_the_level() -> None:
    # exactly, over every outcome of 20 and 60 images that are right with 70 %
    p = stats.binom.pmf(np.arange(21), 20, 0.7)[:, None] * stats.binom.pmf(np.arange(61), 60, 0.7)
    alarms = [(at, other) for at in range(21) for other in range(61) if fisher_exact(at, 20, other, 60) < 0.05]
    assert 0.01 < sum(p[at, other] for at, other in alarms) <= 0.05


def test_counts_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="5 hits of 4"):
        fisher_exact(5, 4, 0, 3)
    with pytest.raises(ValueError, match="0 hits of 0"):
        independent_difference(1, 4, 0, 0)
    with pytest.raises(ValueError, match="level"):
        independent_difference(1, 4, 0, 3, level=1)
    assert wilson(1, 4).low < 0.25
