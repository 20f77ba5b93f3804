from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask

from cnnkit import boxes

corner = st.integers(0, 30)
pixels = st.tuples(corner, corner, st.integers(0, 12), st.integers(0, 12))  # xywh
some = st.lists(pixels, min_size=1, max_size=6).map(lambda rows: np.array(rows, np.float64))
real = hnp.arrays(np.float64, (5, 4), elements=st.floats(-50, 50, width=32))


def by_fractions(first, second, plus_one):
    """IoU of two xyxy boxes of whole numbers, exactly."""
    one = int(plus_one)
    sides = [min(first[at + 2], second[at + 2]) - max(first[at], second[at]) + one for at in (0, 1)]
    shared = max(0, sides[0]) * max(0, sides[1])
    areas = [(box[2] - box[0] + one) * (box[3] - box[1] + one) for box in (first, second)]
    return Fraction(int(shared), int(sum(areas) - shared)) if shared else Fraction(0)


@settings(max_examples=50, deadline=None)
@given(some, some, st.booleans())
def test_iou_is_the_fraction(first, second, plus_one):
    first, second = boxes.xyxy_from_xywh(first), boxes.xyxy_from_xywh(second)
    found = boxes.iou_matrix(first, second, plus_one=plus_one)
    for row, column in np.ndindex(found.shape):
        assert found[row, column] == float(by_fractions(first[row], second[column], plus_one))


@settings(max_examples=50, deadline=None)
@given(some, some)
def test_iou_and_coverage_are_cocos(first, second):
    corners = boxes.xyxy_from_xywh(first), boxes.xyxy_from_xywh(second)
    plain = mask.iou(first, second, [0] * len(second))
    crowd = mask.iou(first, second, [1] * len(second))
    np.testing.assert_allclose(boxes.iou_matrix(*corners), np.reshape(plain, (len(first), -1)), atol=1e-15)
    np.testing.assert_allclose(boxes.coverage_matrix(*corners), np.reshape(crowd, (len(first), -1)), atol=1e-15)


def test_a_pixel_is_a_box_when_pixels_are_inclusive():
    pixel = np.array([[3, 3, 3, 3]])
    assert boxes.iou_matrix(pixel, pixel).item() == 0
    assert boxes.iou_matrix(pixel, pixel, plus_one=True).item() == 1
    assert boxes.area(pixel, plus_one=True).tolist() == [1]


def test_inverted_boxes_have_no_area():
    inverted = np.array([[5.0, 5, 1, 9]])
    assert boxes.area(inverted).tolist() == [0]
    assert boxes.iou_matrix(inverted, inverted).item() == 0


@settings(max_examples=30, deadline=None)
@given(real, real)
def test_iou_is_symmetric_and_bounded(first, second):
    first, second = (np.sort(value.reshape(-1, 2, 2), axis=1).reshape(-1, 4) for value in (first, second))
    found = boxes.iou_matrix(first, second)
    np.testing.assert_allclose(found, boxes.iou_matrix(second, first).T, rtol=1e-12)
    assert ((found >= 0) & (found <= 1 + 1e-12)).all()


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (boxes.xyxy_from_xywh, boxes.xywh_from_xyxy),
        (boxes.xyxy_from_cxcywh, boxes.cxcywh_from_xyxy),
        (boxes.inclusive_from_xywh, boxes.xywh_from_inclusive),
    ],
)
@settings(max_examples=30, deadline=None)
@given(value=real)
def test_forms_go_there_and_back(there, back, value):
    np.testing.assert_allclose(back(there(value)), value, atol=1e-12)
    np.testing.assert_allclose(there(back(value)), value, atol=1e-12)


def test_forms_by_hand():
    xywh = np.array([10.0, 20, 4, 6])
    assert boxes.xyxy_from_xywh(xywh).tolist() == [10, 20, 14, 26]
    assert boxes.inclusive_from_xywh(xywh).tolist() == [11, 21, 14, 26]
    assert boxes.cxcywh_from_xyxy(np.array([10.0, 20, 14, 26])).tolist() == [12, 23, 4, 6]


def test_empty_sets_have_empty_matrices():
    none, one = np.zeros((0, 4)), np.array([[0.0, 0, 1, 1]])
    assert boxes.iou_matrix(none, one).shape == (0, 1)
    assert boxes.coverage_matrix(one, none).shape == (1, 0)


def test_clip_keeps_the_dtype_and_stays_inside():
    clipped = boxes.clip(np.array([[-3, -4, 50, 60], [30, 5, 40, 6]], np.float32), (20, 25))
    assert clipped.dtype == np.float32
    assert clipped.tolist() == [[0, 0, 25, 20], [25, 5, 25, 6]]
