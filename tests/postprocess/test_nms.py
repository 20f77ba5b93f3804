import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.boxes import iou_matrix
from cnnkit.postprocess import nms


def plain_nms(boxes, scores, classes, iou, limit):
    """The definition, box by box."""
    order = sorted(range(len(boxes)), key=lambda at: (-scores[at], at))
    overlap = iou_matrix(boxes, boxes).tolist()
    kept = []
    for at in order:
        rivals = (other for other in kept if classes is None or classes[other] == classes[at])
        if all(overlap[at][other] <= iou for other in rivals):
            kept.append(at)
    return kept[:limit]


@st.composite
def scenes(draw):
    n = draw(st.integers(0, 90))
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    corner, side = random.integers(0, 12, (n, 2)), random.integers(0, 7, (n, 2))
    boxes = np.concatenate([corner, corner + side], axis=1).astype(np.float32)
    scores = np.round(random.random(n), draw(st.integers(1, 3))).astype(np.float32)
    return boxes, scores, random.integers(0, 3, n)


@settings(max_examples=80, deadline=None)
@given(scenes(), st.sampled_from([0.0, 1 / 3, 0.5, 0.65, 1.0]), st.booleans(), st.sampled_from([None, 1, 7]))
def test_equal_to_the_definition(scene, iou, agnostic, limit):
    boxes, scores, classes = scene
    classes = None if agnostic else classes
    found = nms(boxes, scores, classes, iou=iou, max_detections=limit)
    assert found.tolist() == plain_nms(boxes, scores, classes, iou, limit)


@pytest.mark.parametrize("limit", [None, 60, 500])
def test_equal_to_the_definition_across_blocks(limit):
    random = np.random.default_rng(0)
    boxes = random.random((1200, 4)) * [100, 100, 0, 0] + [0, 0, 5, 5]
    boxes[:, 2:] += boxes[:, :2]
    scores, classes = random.random(1200), random.integers(0, 2, 1200)
    found = nms(boxes, scores, classes, iou=0.2, max_detections=limit)
    assert found.tolist() == plain_nms(boxes, scores, classes, 0.2, limit)
    assert limit is not None or len(found) < 1200


def test_exactly_the_threshold_is_kept():
    boxes = np.array([[0, 0, 2, 1], [0, 0, 1, 1]])  # an overlap of exactly one half
    assert nms(boxes, np.array([1, 0.5]), iou=0.5).tolist() == [0, 1]
    assert nms(boxes, np.array([1, 0.5]), iou=0.4999).tolist() == [0]


def test_equal_scores_keep_the_lower_index():
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 2]])
    assert nms(boxes, np.array([0.5, 0.5]), iou=0.5).tolist() == [0]


def test_a_suppressed_box_suppresses_nothing():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])
    assert nms(boxes, np.array([0.9, 0.8, 0.7]), iou=0.3).tolist() == [0, 2]


def test_nothing_gives_nothing():
    assert nms(np.zeros((0, 4)), np.zeros(0), iou=0.5).tolist() == []
