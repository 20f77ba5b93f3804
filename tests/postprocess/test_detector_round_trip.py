"""Boxes put into each form of output come back in source pixels, through each way a picture is fitted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.boxes import cxcywh_from_xyxy, iou_matrix, xywh_from_xyxy
from cnnkit.images import Preprocess
from cnnkit.postprocess import DECODERS, build_decoder
from cnnkit.postprocess.yolox import grid_cells
from cnnkit.spec import Resize

CLASSES = 4


def to_ultralytics(boxes, classes, size):
    raw = np.zeros((4 + CLASSES, 50), np.float32)
    raw[:4, : len(boxes)] = cxcywh_from_xyxy(boxes).T
    raw[4 + classes, np.arange(len(boxes))] = 0.9
    return {"out": raw[None]}


def to_end2end(boxes, classes, size):
    raw = np.zeros((30, 6), np.float32)
    raw[: len(boxes)] = np.c_[boxes, np.full(len(boxes), 0.9), classes]
    return {"out": raw[None]}


def to_yolov5(boxes, classes, size):
    raw = np.zeros((50, 5 + CLASSES), np.float32)
    raw[: len(boxes), :4] = cxcywh_from_xyxy(boxes)
    raw[: len(boxes), 4] = 0.95
    raw[np.arange(len(boxes)), 5 + classes] = 0.95
    return {"out": raw[None]}


def to_yolox(boxes, classes, size):
    cells = grid_cells(size, (8, 16, 32))
    raw = np.zeros((len(cells), 5 + CLASSES), np.float32)
    centres = cxcywh_from_xyxy(boxes)
    for at, (x, y, w, h) in enumerate(centres):
        own = np.flatnonzero((cells[:, 2] == 16) & (raw[:, 4] == 0))[at]  # any cell can say any box
        column, row, stride = cells[own]
        raw[own, :5] = x / stride - column, y / stride - row, np.log(w / stride), np.log(h / stride), 0.95
        raw[own, 5 + classes[at]] = 0.95
    return {"out": raw[None]}


def to_fastestdet(boxes, classes, size):
    rows, columns = 6, 7
    raw = np.zeros((5 + CLASSES, rows, columns), np.float32)
    raw[3:5] = -9
    shares = cxcywh_from_xyxy(boxes) / np.array([*size[::-1]] * 2)
    for at, (x, y, w, h) in enumerate(shares):
        taken = raw[0] > 0
        offset_x, offset_y = x * columns - np.arange(columns), y * rows - np.arange(rows)
        near = (np.abs(offset_y)[:, None] < 1) & (np.abs(offset_x)[None] < 1) & ~taken
        if not near.any():
            continue
        row, column = np.argwhere(near)[0]
        place = np.arctanh(offset_x[column]), np.arctanh(offset_y[row])
        raw[:5, row, column] = 0.95, *place, np.log(w / (1 - w)), np.log(h / (1 - h))
        raw[5 + classes[at], row, column] = 0.95
    return {"out": raw[None]}


def to_boxes(boxes, classes, size):
    shares = boxes / np.array([*size[::-1]] * 2)
    outputs = {"out": shares[:, [1, 0, 3, 2]], "scores": np.full(len(boxes), 0.9), "labels": classes + 1}
    return {name: value[None] for name, value in outputs.items()}


def to_detr(boxes, classes, size):
    logits = np.full((12, CLASSES + 1), -8.0, np.float32)
    logits[:, -1] = 5
    logits[np.arange(len(boxes)), classes] = 12
    queries = np.full((12, 4), 0.5, np.float32)
    queries[: len(boxes)] = cxcywh_from_xyxy(boxes) / np.array([*size[::-1]] * 2)
    return {"out": queries[None], "scores": logits[None]}


FORMS = {
    "ultralytics": (to_ultralytics, {}),
    "ultralytics_end2end": (to_end2end, {}),
    "yolov5": (to_yolov5, {}),
    "yolox": (to_yolox, {}),
    "fastestdet": (to_fastestdet, {}),
    "boxes": (
        to_boxes,
        {"scores": "scores", "labels": "labels", "form": "yxyx", "normalized": True, "first_label": 1},
    ),
    "detr": (to_detr, {"scores": "scores"}),
}

FITTED = [
    {"mode": "letterbox", "align": "center"},
    {"mode": "letterbox", "align": "top_left"},
    {"mode": "letterbox", "align": "center", "upscale": False},
    {"mode": "exact"},
]


def test_every_decoder_is_tried():
    assert FORMS.keys() == DECODERS.keys()


@st.composite
def pictures(draw):
    """A source size, and boxes in it that lie apart, as (n, 4) xyxy."""
    height, width = draw(st.integers(40, 700)), draw(st.integers(40, 700))
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    corners = np.sort(random.random((12, 2, 2)), axis=1) * [width, height]
    boxes = corners.reshape(-1, 4)
    large = (xywh_from_xyxy(boxes)[:, 2:] > [width / 20, height / 20]).all(axis=1)
    kept = []
    for box in boxes[large]:
        if not kept or iou_matrix(box[None], np.array(kept)).max() < 0.4:
            kept.append(box)
    return (height, width), np.array(kept).reshape(-1, 4)


@pytest.mark.parametrize("decoder", FORMS)
@settings(max_examples=25, deadline=None)
@given(picture=pictures(), fitted=st.sampled_from(FITTED), seed=st.integers(0, 99))
def test_boxes_come_back(detector, decoder, picture, fitted, seed):
    size, boxes = picture
    encode, options = FORMS[decoder]
    spec = detector(decoder, size=(160, 192), classes=CLASSES, **options)
    resize = Resize(size=(160, 192), filter="linear", implementation="opencv", **fitted)
    spec = spec.model_copy(update={"preprocess": (resize,)})
    _, geometry = Preprocess(spec).geometry(np.zeros((*size, 3), np.uint8))
    classes = np.random.default_rng(seed).integers(0, CLASSES, len(boxes))
    [found] = build_decoder(spec)(encode(geometry.to_input(boxes), classes, (160, 192)), [geometry])
    distance = np.abs(found.boxes[:, None] - boxes[None]).max(axis=2, initial=0)
    source = distance.argmin(axis=1) if len(boxes) else classes
    assert len(set(source.tolist())) == len(found.boxes)
    assert len(found.boxes) == len(boxes) or (decoder == "fastestdet" and len(found.boxes))  # a cell holds one box
    np.testing.assert_allclose(found.boxes, boxes[source], atol=0.5)
    np.testing.assert_array_equal(found.classes, classes[source])
