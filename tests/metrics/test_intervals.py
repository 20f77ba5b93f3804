"""Wilson's interval: by hand, against scipy and statsmodels called live, and its coverage."""

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from cnnkit import metrics
from cnnkit.metrics.intervals import t_quantile


def test_wilson_by_hand() -> None:
    low, high = metrics.wilson(0, 10)
    z2 = 1.959963984540054**2
    assert (low, high) == (0.0, pytest.approx(z2 / (10 + z2)))
    assert metrics.wilson(10, 10) == (pytest.approx(10 / (10 + z2)), 1.0)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_equals_scipy_and_statsmodels(n: int, share: float, level: float) -> None:
    hits = round(share * n)
    ours = metrics.wilson(hits, n, level=level)
    theirs = scipy.stats.binomtest(hits, n).proportion_ci(level, "wilson")
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert ours == pytest.approx(proportion_confint(hits, n, 1 - level, "wilson"), abs=1e-12)
    assert 0 <= ours.low <= hits / n <= ours.high <= 1


@pytest.mark.parametrize(("hits", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_counts_out_of_range(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"{hits} hits of {n}: hits must lie in"):
        metrics.wilson(hits, n)


def test_level_out_of_range() -> None:
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 95"):
        metrics.wilson(1, 2, level=95)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("degrees", [1, 7, 99, 100, 101, 5000])
def test_student_quantiles_equal_scipys_on_both_sides_of_the_series(level: float, degrees: int) -> None:
    assert t_quantile(level, degrees) == pytest.approx(scipy.stats.t.ppf((1 + level) / 2, degrees), rel=1e-9)
