"""Top-k, confusion, averages, cross-entropy: by hand, and against scikit-learn called live."""

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit import metrics


def test_of_equal_scores_the_lowest_index_comes_first() -> None:
    scores = [[0.2, 0.2, 0.2], [0.5, 0.5, 0.0]]
    assert metrics.predicted_classes(scores).tolist() == [0, 0]
    assert [metrics.label_ranks([[0.2] * 3], [at])[0] for at in range(3)] == [1, 2, 3]
    assert metrics.top_k_error(scores, [1, 1], k=1) == 1
    assert metrics.top_k_error(scores, [1, 1], k=2) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(2, 6), st.integers(0, 10_000))
def test_top_k_is_a_stable_sort(n: int, n_classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 3, (n, n_classes)) / 2, rng.integers(0, n_classes, n)
    order = np.argsort(-scores, axis=1, kind="stable")
    for k in range(1, n_classes + 1):
        found = np.mean([label in best[:k] for label, best in zip(labels, order, strict=True)])
        assert metrics.top_k_accuracy(scores, labels, k=k) == pytest.approx(found)
        assert metrics.top_k_error(scores, labels, k=k) == pytest.approx(1 - found)
    places = [int(np.flatnonzero(best == label)[0]) + 1 for label, best in zip(labels, order, strict=True)]
    assert metrics.label_ranks(scores, labels).tolist() == places


def test_top_k_equals_scikit_learn_where_no_scores_are_equal() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.random((200, 10)), rng.integers(0, 10, 200)
    for k in (1, 3, 9):
        theirs = sklearn.metrics.top_k_accuracy_score(labels, scores, k=k, labels=range(10))
        assert metrics.top_k_accuracy(scores, labels, k=k) == pytest.approx(theirs)


def test_k_beyond_the_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="k=4 is out of range: the scores have 3 classes"):
        metrics.top_k_error([[1.0, 2.0, 3.0]], [0], k=4)


@pytest.mark.parametrize("seed", range(5))
def test_averages_equal_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, predicted = rng.integers(0, 4, 60), rng.integers(0, 5, 60)  # class 4 has no sample
    counts = metrics.confusion_matrix(predicted, labels, n_classes=5)
    assert counts.tolist() == sklearn.metrics.confusion_matrix(labels, predicted, labels=range(5)).tolist()
    report = metrics.classification_report(counts)
    for kind in ("macro", "weighted"):
        theirs = sklearn.metrics.precision_recall_fscore_support(
            labels, predicted, labels=range(4), average=kind, zero_division=0
        )
        assert getattr(report, kind) == pytest.approx(theirs[:3])
    assert report.micro.precision == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))
    assert report.n_classes_scored == 4


def test_undefined_is_none() -> None:
    report = metrics.classification_report([[2, 0, 0], [1, 0, 0], [0, 0, 0]])
    assert report.precision == (2 / 3, None, None)  # class 1 is never the answer
    assert report.recall == (1.0, 0.0, None)
    assert report.f1 == (0.8, 0.0, None)
    assert report.macro.precision == pytest.approx(1 / 3)  # undefined counts as 0


def test_cross_entropy_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    p, labels = rng.dirichlet(np.ones(4), 50), rng.integers(0, 4, 50)
    theirs = sklearn.metrics.log_loss(labels, p, labels=range(4))
    assert metrics.cross_entropy(p, labels).value == pytest.approx(theirs)


def test_cross_entropy_clips_and_counts() -> None:
    value, n_clipped = metrics.cross_entropy([[1.0, 0.0], [1.0, 0.0]], [0, 1])
    assert value == pytest.approx(126 * math.log(2) / 2)
    assert n_clipped == 1
    assert str(metrics.cross_entropy([[1.0, 0.0]], [0]).value) == "0.0"  # not -0.0


def test_logits_are_no_probabilities() -> None:
    with pytest.raises(ValueError, match=r"probabilities must lie in \[0, 1\], got 2.5: are these logits\?"):
        metrics.cross_entropy([[2.5, 0.0]], [0])


@pytest.mark.parametrize(
    ("confusion", "message"),
    [
        ([[1, 2]], r"a confusion matrix is \(classes, classes\), got shape \(1, 2\)"),
        ([[1, -2], [0, 0]], "holds counts, got -2"),
        ([[0, 0], [0, 0]], "holds no sample"),
    ],
)
def test_confusion_that_is_none(confusion: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.classification_report(confusion)
