"""The largest confusions and the counts behind the threshold, against the plain way of counting."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cnnkit.report._confusions import classes_to_draw, largest_pairs
from cnnkit.report._outcomes import Outcomes, outcomes_from_rows
from cnnkit.report._thresholds import thresholds_from_curves, thresholds_from_detections, thresholds_from_outcomes
from cnnkit.results import Curve, rows_schema


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


def test_thresholds_of_detections_by_hand():
    columns = {
        "key": ["a", "b", "c"],
        "digest": [None] * 3,
        "det_class": [[0, 1, 0], [1], None],
        "det_score": [[0.5, 0.75, 0.25], [0.5], None],
        "det_match": [[1, 0, 0], [1], None],
        "det_ignore": [[0, 0, 1], [0], None],
        "det_object": [[0, -1, -1], [0], None],
        "det_box": [[[0, 0, 1, 1]] * 3, [[0, 0, 1, 1]], None],
        "truth_class": [[0, 0], [1], None],
        "truth_box": [[[0, 0, 1, 1]] * 2, [[0, 0, 1, 1]], None],
    }
    found = thresholds_from_detections(pa.table(columns, schema=rows_schema("detection")), 2)
    assert found is not None
    at = found.thresholds.tolist().index(0.75)
    assert found.answered[:, [0, at]].tolist() == [[3, 1], [1, 0], [2, 1]]
    assert found.right[:, [0, at]].tolist() == [[2, 0], [1, 0], [1, 0]]
    assert found.total.tolist() == [3, 2, 1]
    assert found.noun == "objects"


def test_thresholds_read_off_curves_are_the_counts_behind_them():
    curve = Curve(index=1, x=(0.25, 0.5, 1.0), y=(1.0, 0.5, 0.8), threshold=(0.9, 0.6, 0.2))
    results = SimpleNamespace(
        curves=SimpleNamespace(pr=(curve,)), classes=("a", "b"), per_class=(SimpleNamespace(n=0), SimpleNamespace(n=4))
    )
    found = thresholds_from_curves(results)
    assert found is not None
    at = [found.thresholds.tolist().index(each) for each in (0.0, 0.2, 0.21, 0.6, 0.9, 0.91)]
    assert found.answered[2, at].tolist() == [5, 5, 4, 4, 1, 0]
    assert found.right[2, at].tolist() == [4, 4, 2, 2, 1, 0]
    assert found.answered[0].tolist() == found.answered[2].tolist()
    assert found.total.tolist() == [4, 0, 4]


def test_curves_without_thresholds_have_no_slider():
    results = SimpleNamespace(curves=SimpleNamespace(pr=(Curve(index=0, x=(0.5,), y=(0.5,)),)), classes=("a",))
    assert thresholds_from_curves(results) is None
