"""Labels that a model's confidence speaks against: by hand, against the rule written out plainly, and as it must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from cnnkit.metrics import label_doubts


def test_by_hand() -> None:
    # bars: class 0 (0.9 + 0.7 + 0.2) / 3 = 0.6, class 1 (0.9 + 0.3) / 2 = 0.6
    scores = [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.7, 0.3]]
    found = label_doubts(scores, [0, 0, 0, 1, 1])
    assert found.thresholds.tolist() == pytest.approx([0.6, 0.6])
    assert found.positions.tolist() == [2, 4]  # margins 0.2 - 0.8 and 0.3 - 0.7
    assert found.suggested.tolist() == [1, 0]


def test_a_class_of_which_the_model_is_seldom_sure_has_a_low_bar() -> None:
    scores = [[0.9, 0.05, 0.05], [0.2, 0.5, 0.3], [0.5, 0.4, 0.1]]
    found = label_doubts(scores, [0, 1, 0])
    # the bar of class 0 is 0.7, which 0.5 does not reach; that of class 1 is 0.5; nobody is labelled 2
    assert found.positions.tolist() == []
    assert np.isnan(found.thresholds[2])


def test_a_class_with_few_samples_sets_no_bar() -> None:
    scores = [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9]]
    assert label_doubts(scores, [0, 0, 0, 1]).positions.tolist() == []
    assert label_doubts([*scores[:2], [0.1, 0.9], scores[3]], [0, 0, 0, 1]).positions.tolist() == [2]
    few = label_doubts([*scores[:2], [0.1, 0.9], scores[3]], [0, 0, 0, 1], at_least=2)
    assert few.positions.tolist() == []
    assert np.isnan(few.thresholds).tolist() == [False, True]


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n, classes = draw(st.integers(1, 30)), draw(st.integers(2, 5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = np.round(random.dirichlet(np.ones(classes), n), draw(st.integers(1, 6)))
    return scores, random.integers(0, classes, n)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_the_rule_written_out_plainly(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, labels = case
    bars = {at: scores[labels == at, at].mean() for at in set(labels.tolist())}
    expected = {}
    for row, label in enumerate(labels.tolist()):
        confident = [at for at in sorted(bars) if scores[row, at] >= bars[at]]
        if confident:
            best = max(confident, key=lambda at: scores[row, at])
            if best != label:
                expected[row] = best
    found = label_doubts(scores, labels)
    assert dict(zip(found.positions.tolist(), found.suggested.tolist(), strict=True)) == expected
    margins = scores[found.positions, labels[found.positions]] - scores[found.positions, found.suggested]
    assert (np.diff(margins) >= 0).all()


def test_labels_changed_on_purpose_are_found() -> None:
    images, labels = load_digits(return_X_y=True)
    labels = labels.copy()
    changed = np.random.default_rng(0).choice(len(labels), 50, replace=False)
    labels[changed] = (labels[changed] + 1) % 10
    scores = cross_val_predict(KNeighborsClassifier(10), images, labels, cv=5, method="predict_proba")
    found = set(label_doubts(scores, labels).positions.tolist())
    assert len(found & set(changed.tolist())) >= 30  # the bars are means, so some of the changed ones stay below
    assert len(found) <= 60


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="label"):
        label_doubts([[0.5, 0.5]], [2])
    with pytest.raises(ValueError, match="empty"):
        label_doubts(np.zeros((0, 2)), [])
