"""A group against random groups: by hand, against scipy called live, and never more false alarms than promised."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from cnnkit.metrics import beyond_chance


def test_by_hand():
    # mean of the random groups 0.02; with the group itself 0.1 / 6: 0.05 is 0.0333 away, 0.0 and 0.05 are 0.0167 and so
    found = beyond_chance(0.3, [0.0, 0.01, 0.02, 0.03, 0.04])
    assert found.by_chance == pytest.approx(0.02)
    assert found.value == pytest.approx(0.28)
    assert found.p == pytest.approx(1 / 6)
    assert found.interval == pytest.approx((0.26, 0.30))  # the farthest of five lies 0.02 from their mean


def test_undefined_and_alike():
    assert beyond_chance(0.1, [np.nan, np.nan]) is None
    found = beyond_chance(0.0, [0.0] * 9)
    assert (found.p, found.interval, found.value) == (1, None, 0)
    assert beyond_chance(0.0, [0.0, 0.5, np.nan, -0.5]).p == 1
    with pytest.raises(ValueError, match="level"):
        beyond_chance(0.1, [0.2], level=1.5)


@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.integers(0, 1000), min_size=8, max_size=8, unique=True), moved=st.integers(0, 600))
def test_all_groups_of_half_the_images_give_scipys_p(values, moved):
    """Every other group of four of eight images as a random one: the exact test, symmetric since the rest is as big."""
    numbers = np.array(values, float)
    numbers[:4] += moved

    def difference(group):
        inside = np.isin(np.arange(8), group)
        return numbers[inside].mean() - numbers[~inside].mean()

    others = [difference(each) for each in combinations(range(8), 4) if each != (0, 1, 2, 3)]
    found = beyond_chance(difference((0, 1, 2, 3)), others)
    theirs = permutation_test(
        (numbers[:4], numbers[4:]), lambda a, b, axis: a.mean(axis) - b.mean(axis), vectorized=True, n_resamples=10_000
    )
    assert found.p == pytest.approx(theirs.pvalue)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.floats(-1, 1), min_size=2, max_size=120), level=st.sampled_from([0.5, 0.9, 0.95]))
def test_no_more_false_alarms_than_promised_whatever_the_figure(values, level):
    """Of groups that are alike each is as likely to be the one that is asked about."""
    found = [beyond_chance(values[at], values[:at] + values[at + 1 :]) for at in range(len(values))]
    p = np.array([each.p for each in found])
    for alpha in (0.01, 0.05, 0.2, 1 - level):
        assert np.count_nonzero(p <= alpha) <= alpha * len(p) + 1e-9
    for each in found:
        assert each.interval is None or each.interval.low <= each.value <= each.interval.high
