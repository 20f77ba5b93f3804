"""Outputs whose boxes are final: Ultralytics end to end, separate boxes, DETR."""

import numpy as np
import pytest

from cnnkit.errors import ImageError, ModelError
from cnnkit.postprocess import build_decoder
from cnnkit.records import Geometry

WHOLE = Geometry((64, 64), (64, 64))


def rows(found):
    return [
        (int(label), round(float(score), 3), box)
        for label, score, box in zip(found.classes, found.scores, found.boxes.tolist(), strict=True)
    ]


def test_end_to_end_keeps_what_it_is_given(read):
    raw = [[1, 2, 30, 40, 0.3, 2], [1, 2, 30, 41, 0.9, 2], [5, 5, 9, 9, 0.24, 0], [0, 0, 0, 0, 0, 0]]
    assert rows(read("ultralytics_end2end", raw)) == [(2, 0.9, [1, 2, 30, 41]), (2, 0.3, [1, 2, 30, 40])]


@pytest.mark.parametrize("label", [3, -1])
def test_end_to_end_refuses_an_unknown_class(read, label):
    with pytest.raises(ImageError, match=f"output 'out' names class {label} of 3"):
        read("ultralytics_end2end", [[0, 0, 9, 9, 0.9, label]])


def test_end_to_end_refuses_a_class_that_is_no_number(read):
    with pytest.raises(ImageError, match="values that are not finite"):
        read("ultralytics_end2end", [[0, 0, 9, 9, 0.9, np.nan]])


def read_boxes(detector, outputs, **options):
    spec = detector("boxes", name="boxes", **{"scores": "scores", "labels": "labels", **options})
    named = dict(zip(("boxes", "scores", "labels"), map(np.asarray, outputs), strict=True))
    return build_decoder(spec)(named, [WHOLE])


def test_torchvisions_outputs_have_no_batch_axis(detector):
    outputs = [[[1.0, 2, 30, 40], [5, 5, 9, 9]], [0.9, 0.1], [3, 1]]
    [found] = read_boxes(detector, outputs, first_label=1)
    assert rows(found) == [(2, 0.9, [1, 2, 30, 40])]


@pytest.mark.parametrize(
    ("form", "normalized", "box"),
    [
        (None, None, [8, 16, 24, 48]),
        ("xyxy", False, [8, 16, 24, 48]),
        ("yxyx", None, [16, 8, 48, 24]),
        ("yxyx", True, [0.25, 0.125, 0.75, 0.375]),
        ("xywh", None, [8, 16, 16, 32]),
        ("cxcywh", True, [0.25, 0.5, 0.25, 0.5]),
    ],
)
def test_forms_of_boxes(detector, form, normalized, box):
    outputs = [[[box]], [[0.9]], [[1]]]
    [found] = read_boxes(detector, outputs, form=form, normalized=normalized)
    assert rows(found) == [(1, 0.9, [8, 16, 24, 48])]


def test_labels_of_no_class_are_left_out(detector):
    boxes = [[[0.0, 0, 9, 9]] * 4]
    [found] = read_boxes(detector, [boxes, [[0.9, 0.8, 0.7, 0.6]], [[0.0, 1.0, 3.0, 4.0]]], first_label=1)
    assert found.classes.tolist() == [0, 2]


def test_boxes_that_do_not_go_together_are_refused(detector):
    with pytest.raises(ImageError, match=r"do not go together: 'boxes' \(1, 2, 4\), 'scores' \(1, 3\)"):
        read_boxes(detector, [np.zeros((1, 2, 4)), np.zeros((1, 3)), np.zeros((1, 2))])


def test_a_score_that_is_no_number_is_refused(detector):
    with pytest.raises(ImageError, match="values that are not finite"):
        read_boxes(detector, [[[[0.0, 0, 9, 9]]], [[np.nan]], [[1]]])


@pytest.mark.parametrize("decoder", ["boxes", "detr"])
def test_the_other_tensors_must_be_named(detector, decoder):
    with pytest.raises(ModelError, match=rf"the decoder '{decoder}' needs output\.scores"):
        build_decoder(detector(decoder))


def read_detr(detector, boxes, logits, **options):
    spec = detector("detr", name="boxes", **{"scores": "logits", **options})
    return build_decoder(spec)({"boxes": np.asarray(boxes), "logits": np.asarray(logits)}, [WHOLE])


def test_detr_leaves_no_object_out(detector):
    boxes = [[[0.5, 0.5, 0.5, 0.25], [0.5, 0.5, 1, 1]]]
    logits = np.log([[[0.1, 0.6, 0.1, 0.2], [0.05, 0.05, 0.1, 0.8]]])
    [found] = read_detr(detector, boxes, logits)
    assert rows(found) == [(1, 0.6, [16, 24, 48, 40])]


def test_rt_detr_stands_for_each_class(detector):
    boxes = [[[0.5, 0.5, 0.5, 0.25]]]
    logits = [[[0.0, -20.0, np.log(4)]]]
    [found] = read_detr(detector, boxes, logits)
    assert rows(found) == [(2, 0.8, [16, 24, 48, 40]), (0, 0.5, [16, 24, 48, 40])]
    assert len(read_detr(detector, boxes, logits, max_detections=1)[0].boxes) == 1


def test_detr_refuses_other_shapes(detector):
    with pytest.raises(ImageError, match=r"'boxes' have shape \(1, 5, 4\) and logits 'logits' \(1, 5, 9\)"):
        read_detr(detector, np.zeros((1, 5, 4)), np.zeros((1, 5, 9)))
    with pytest.raises(ImageError, match="the decoder 'detr' reads"):
        read_detr(detector, np.zeros((1, 5)), np.zeros((1, 5, 3)))


def test_detr_refuses_what_is_no_number(detector):
    with pytest.raises(ImageError, match="values that are not finite"):
        read_detr(detector, np.full((1, 2, 4), 0.5), np.full((1, 2, 3), np.nan))
