"""Curves and their areas: by hand, and against scikit-learn called live."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit import metrics

# a published table: 6 plates, found in this order (1 right, 0 wrong)
ORDER = [1, 0, 1, 1, 0]


def test_average_precision_by_hand() -> None:
    scores = [0.9, 0.8, 0.7, 0.6, 0.5]
    assert metrics.average_precision(scores, ORDER) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert metrics.roc_auc(scores, ORDER) == pytest.approx(4 / 6)  # pairs in order: 2 + 1 + 1 of 3 x 2


def test_equal_scores_share_a_threshold() -> None:
    scores, positives = [0.8, 0.8, 0.8, 0.3, 0.3, 0.3], [1, 0, 1, 0, 0, 1]
    curve = metrics.pr_curve(scores, positives)
    assert curve is not None
    assert curve.threshold.tolist() == [0.8, 0.3]
    assert curve.recall.tolist() == pytest.approx([2 / 3, 1])
    assert curve.precision.tolist() == pytest.approx([2 / 3, 1 / 2])
    assert metrics.average_precision(scores, positives) == pytest.approx(11 / 18)


def test_undefined_is_none() -> None:
    assert metrics.average_precision([0.1, 0.2], [0, 0]) is None
    assert metrics.pr_curve([0.1, 0.2], [0, 0]) is None
    for positives in ([0, 0], [1, 1]):
        assert metrics.roc_auc([0.1, 0.2], positives) is None
        assert metrics.roc_curve([0.1, 0.2], positives) is None
    assert metrics.macro_roc_auc([[0.3, 0.7]], [1]) is None


def test_absent_class_stays_out_of_the_mean() -> None:
    scores, labels = [[0.9, 0.1, 0.0], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3]], [0, 1, 1]
    assert metrics.average_precisions(scores, labels) == (1.0, 1.0, None)
    assert metrics.mean_average_precision(scores, labels) == 1.0


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10_000))
def test_areas_and_curves_equal_scikit_learn(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, positives = rng.integers(0, 8, n) / 8, rng.integers(0, 2, n)
    positives[0], positives[1] = 0, 1
    ap = sklearn.metrics.average_precision_score(positives, scores)
    assert metrics.average_precision(scores, positives) == pytest.approx(ap)
    assert metrics.roc_auc(scores, positives) == pytest.approx(sklearn.metrics.roc_auc_score(positives, scores))
    curve = metrics.pr_curve(scores, positives)
    assert curve is not None
    assert np.sum(np.diff(curve.recall, prepend=0) * curve.precision) == pytest.approx(ap)
    for at, threshold in enumerate(curve.threshold):
        chosen = scores >= threshold
        assert curve.recall[at] == pytest.approx(positives[chosen].sum() / positives.sum())
        assert curve.precision[at] == pytest.approx(positives[chosen].mean())


def test_curve_arrays_are_of_one_length_and_fall() -> None:
    rng = np.random.default_rng(0)
    scores, positives = rng.random(30).astype(np.float32), rng.integers(0, 2, 30)
    pr, roc = metrics.pr_curve(scores, positives), metrics.roc_curve(scores, positives)
    assert pr is not None
    assert roc is not None
    assert len(pr.recall) == len(pr.precision) == len(pr.threshold) == 30
    assert (np.diff(pr.threshold) < 0).all()
    assert (np.diff(pr.recall) >= 0).all()
    assert (roc.false_positive_rate[0], roc.true_positive_rate[0]) == (0, 0)
    assert (roc.false_positive_rate[-1], roc.true_positive_rate[-1]) == (1, 1)
