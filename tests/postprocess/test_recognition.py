"""Which decoder reads which outputs."""

from dataclasses import dataclass

import pytest

from cnnkit.errors import ModelError
from cnnkit.postprocess import build_decoder, recognise_detector


@dataclass(frozen=True)
class Output:
    name: str
    shape: tuple
    dtype: str = "float32"


def told(*outputs, n_classes=80, size=(640, 640), decoder=None):
    return recognise_detector(outputs, n_classes=n_classes, size=size, decoder=decoder)


@pytest.mark.parametrize(
    ("shape", "n_classes", "decoder", "reason"),
    [
        ((1, 84, 8400), 80, "ultralytics", "4 + 80 values for each of 8400 candidates"),
        ((None, 84, None), 80, "ultralytics", "4 + 80 values for each of N candidates"),
        ((1, 300, 6), 80, "ultralytics_end2end", "six values for each box: corners, score, class"),
        ((1, 300, 6), 2, "ultralytics_end2end", "six values for each box: corners, score, class"),
        ((1, 25200, 85), 80, "yolov5", "5 + 80 values for each of 25200 candidates, three a cell"),
        ((1, 25200, 6), 1, "yolov5", "5 + 1 values for each of 25200 candidates, three a cell"),
        ((1, 85, 22, 22), 80, "fastestdet", "one map of 5 + 80 values in each cell"),
    ],
)
def test_one_output(shape, n_classes, decoder, reason):
    found = told(Output("out", shape), n_classes=n_classes)
    assert (found.output.decoder, found.output.name, found.reason) == (decoder, "out", reason)


@pytest.mark.parametrize("order", [1, -1])
def test_detr_by_its_two_outputs(order):
    outputs = [Output("pred_logits", (1, 100, 92)), Output("pred_boxes", (1, 100, 4))]
    found = told(*outputs[::order], n_classes=91)
    assert (found.output.name, found.output.scores) == ("pred_boxes", "pred_logits")
    assert "the last one no object" in found.reason
    assert "no object" not in told(*outputs[::order], n_classes=92).reason


def test_separate_boxes_by_their_names():
    outputs = [Output("boxes", (None, 4)), Output("labels", (None,), "int64"), Output("scores", (None,))]
    found = told(*outputs).output
    assert (found.decoder, found.name, found.scores, found.labels) == ("boxes", "boxes", "scores", "labels")
    assert (found.form, found.normalized, found.first_label) == (None, None, None)


def test_tensorflows_names_tell_the_form():
    names = ("num_detections", "detection_boxes", "detection_scores", "detection_classes")
    shapes = ((1,), (1, 100, 4), (1, 100), (1, 100))
    found = told(*map(Output, names, shapes)).output
    assert (found.form, found.normalized, found.first_label) == ("yxyx", True, 1)


@pytest.mark.parametrize(
    ("outputs", "n_classes", "text"),
    [
        (
            [("out", (1, 8400, 85))],
            80,
            r"more than one way: yolox \(.*one a cell.*\); yolov5 \(.*\)\. Say which: --decoder",
        ),
        ([("out", (1, None, 85))], 80, "more than one way: yolox"),
        ([("out", (1, 300, 6))], 1, "more than one way: ultralytics_end2end .* yolov5"),
        (
            [("a", (1, 100, 4)), ("b", (1, 100, 4))],
            3,
            r"more than one way: detr \(a box in 'a'.*\); detr \(a box in 'b'",
        ),
        (
            [("out", (1, 84, 8400))],
            79,
            r"the outputs are 'out' \(1, 84, 8400\), for 79 classes and an input of 640 x 640",
        ),
        ([("out", (1, 1000))], 80, "no known decoder reads such"),
        ([("a", (1, 2)), ("b", (1, 3)), ("c", (1, 4))], 80, "no known decoder reads such"),
    ],
)
def test_what_is_not_clear_is_asked(outputs, n_classes, text):
    with pytest.raises(ModelError, match=text):
        told(*(Output(*output) for output in outputs), n_classes=n_classes)


@pytest.mark.parametrize("decoder", ["yolox", "yolov5"])
def test_what_is_said_decides(decoder):
    assert told(Output("out", (1, 8400, 85)), decoder=decoder).output.decoder == decoder


def test_what_is_said_and_does_not_fit_is_refused():
    with pytest.raises(
        ModelError, match=r"\(1, 84, 8400\).*: the decoder 'yolox' does not read such\. Check the number"
    ):
        told(Output("out", (1, 84, 8400)), decoder="yolox")


def test_what_is_recognised_can_be_built(detector):
    output = told(Output("boxes", (1, 100, 4)), Output("logits", (1, 100, 4)), n_classes=3, size=(64, 64)).output
    build_decoder(detector("detr").model_copy(update={"output": output}))


def test_an_unknown_decoder_is_answered_with_the_known_ones(detector):
    known = "ultralytics, ultralytics_end2end, yolov5, yolox, fastestdet, boxes, detr"
    with pytest.raises(ModelError, match=rf"the decoder 'yolo9', which is not one of: {known}\."):
        build_decoder(detector("yolo9"))
