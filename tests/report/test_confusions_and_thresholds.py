"""The largest confusions and the counts behind the threshold, against the plain way of counting."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cnnkit.report._confusions import classes_to_draw, largest_pairs
from cnnkit.report._outcomes import Outcomes, outcomes_from_rows
from cnnkit.report._thresholds import thresholds_from_outcomes


def outcomes(label: list[int], predicted: list[int | None], confidence: list[float | None]) -> Outcomes:
    rows = {"key": [f"{at}.png" for at in range(len(label))], "digest": pa.nulls(len(label), pa.binary(32))}
    numbers = {"label": pa.array(label, pa.int32()), "predicted": pa.array(predicted, pa.int32())}
    shares = {name: pa.array(confidence, pa.float32()) for name in ("p", "confidence")}
    return outcomes_from_rows(pa.table(rows | numbers | shares))


def test_pairs_come_largest_first_with_the_way_back():
    pairs = largest_pairs(np.array([[5, 2, 0], [1, 5, 2], [0, 4, 6]]))
    assert [(each.true, each.predicted, each.count, each.back) for each in pairs] == [
        (2, 1, 4, 2),
        (0, 1, 2, 1),
        (1, 2, 2, 4),
        (1, 0, 1, 2),
    ]
    assert pairs[0].share == 0.4


@settings(deadline=None, max_examples=50)
@given(arrays.arrays(np.int64, (6, 6), elements=st.integers(0, 3)))
def test_every_confusion_is_a_pair(matrix):
    pairs = largest_pairs(matrix, limit=100)
    assert sum(each.count for each in pairs) == matrix.sum() - matrix.trace()
    assert [each.count for each in pairs] == sorted((each.count for each in pairs), reverse=True)


def test_few_classes_are_drawn_in_their_order():
    matrix = np.eye(5, dtype=np.int64)
    assert classes_to_draw(matrix, largest_pairs(matrix)) == [0, 1, 2, 3, 4]


def test_of_many_classes_the_confused_are_drawn_side_by_side():
    matrix = np.diag(np.full(100, 9))
    matrix[7, 90], matrix[40, 41], matrix[90, 3] = 5, 4, 3
    chosen = classes_to_draw(matrix, largest_pairs(matrix), limit=10)
    assert chosen == [7, 90, 3, 40, 41]


def test_classes_are_drawn_where_nothing_is_confused():
    matrix = np.diag(np.full(100, 9))
    assert classes_to_draw(matrix, [], limit=10) == list(range(10))


def test_thresholds_by_hand():
    found = thresholds_from_outcomes(outcomes([0, 0, 1, 1], [0, 1, 1, None], [0.5, 0.75, 0.9, None]), 2)
    assert found is not None
    at = found.thresholds.tolist().index(0.75)
    assert found.answered[:, 0].tolist() == [3, 1, 2]
    assert found.right[:, 0].tolist() == [2, 1, 1]
    assert found.answered[:, at].tolist() == [2, 0, 2]
    assert found.right[:, at].tolist() == [1, 0, 1]
    assert found.total.tolist() == [3, 2, 1]


def test_without_an_answer_there_is_no_threshold():
    assert thresholds_from_outcomes(outcomes([0], [None], [None]), 2) is None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(0, 1, width=32)), min_size=1, max_size=40))
def test_thresholds_count_as_the_plain_way_does(images):
    label, predicted, confidence = (np.array(each) for each in zip(*images, strict=True))
    found = thresholds_from_outcomes(outcomes(label.tolist(), predicted.tolist(), confidence.tolist()), 3)
    assert found is not None
    for at, threshold in enumerate(found.thresholds):
        kept = confidence >= threshold
        for row in range(4):
            mine = kept & ((predicted == row - 1) | (row == 0))
            assert found.answered[row, at] == mine.sum()
            assert found.right[row, at] == (mine & (predicted == label)).sum()


def test_rows_that_were_not_read_are_neither_right_nor_wrong():
    found = outcomes([0, 1, 1], [0, 0, None], [0.9, 0.8, None])
    assert found.answered.tolist() == [True, True, False]
    assert found.wrong.tolist() == [False, True, False]


@pytest.mark.parametrize("n", [1, 3])
def test_the_lowest_threshold_takes_every_answer(n):
    found = thresholds_from_outcomes(outcomes([0] * n, [0] * n, [0.999] * n), 1)
    assert found is not None
    assert found.thresholds[0] == 0
    assert found.answered[0, 0] == n
