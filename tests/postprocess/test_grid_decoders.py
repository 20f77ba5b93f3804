"""Ultralytics, YOLOv5, YOLOX and FastestDet by hand: one cell, one number at a time."""

import numpy as np
import pytest

from cnnkit.errors import ImageError
from cnnkit.postprocess import build_decoder
from cnnkit.postprocess.yolox import grid_cells
from cnnkit.records import Geometry


def one_cell(at, values, *, n, width):
    """(n, width) with one row filled."""
    raw = np.zeros((n, width), np.float32)
    raw[at, : len(values)] = values
    return raw


def test_ultralytics(read):
    raw = one_cell(3, [20, 30, 8, 4, 0.1, 0.8, 0.2], n=9, width=7).T
    found = read("ultralytics", raw)
    assert found.boxes.tolist() == [[16, 28, 24, 32]]
    assert found.scores.tolist() == [np.float32(0.8)]
    assert found.classes.tolist() == [1]


def test_yolov5_multiplies_by_objectness(read):
    found = read("yolov5", one_cell(3, [20, 30, 8, 4, 0.5, 0.1, 0.8, 0.2], n=9, width=8), conf=0.3)
    assert found.boxes.tolist() == [[16, 28, 24, 32]]
    assert found.scores == pytest.approx(0.4)
    assert read("yolov5", one_cell(3, [20, 30, 8, 4, 0.5, 0.1, 0.8, 0.2], n=9, width=8), conf=0.41).scores.size == 0


def test_yolox_decodes_its_grids(read):
    cells = grid_cells((64, 64), (8, 16, 32))
    assert len(cells) == 64 + 16 + 4
    at = 64 + 4 * 2 + 1  # stride 16, row 2, column 1
    raw = one_cell(at, [0.5, 0.25, np.log(0.5), 0, 1, 0.9, 0, 0], n=len(cells), width=8)
    found = read("yolox", raw)
    np.testing.assert_allclose(found.boxes, [[24 - 4, 36 - 8, 24 + 4, 36 + 8]], rtol=1e-6)
    assert found.classes.tolist() == [0]


def test_yolox_takes_other_strides(read):
    raw = one_cell(0, [0.5, 0.5, 0, 0, 1, 0.9, 0, 0], n=1, width=8)
    assert read("yolox", raw, strides=(64,)).boxes.tolist() == [[0, 0, 64, 64]]


def test_fastestdet(read):
    raw = np.zeros((8, 4, 4), np.float32)
    raw[:, 1, 2] = [0.5, np.arctanh(0.5), 0, 0, np.log(1 / 3), 0.1, 0.2, 0.6]
    found = read("fastestdet", raw, conf=0.5)
    np.testing.assert_allclose(found.boxes, [[40 - 16, 16 - 8, 40 + 16, 16 + 8]], rtol=1e-5)
    assert found.classes.tolist() == [2]
    assert found.scores == pytest.approx(0.5**0.6 * 0.6**0.4)


def test_boxes_are_cut_to_the_image_and_those_outside_left_out(read):
    raw = np.zeros((7, 3), np.float32)
    raw[:4] = np.array([[2, 2, 10, 10], [60, 60, 20, 2], [-20, 5, 10, 10]]).T
    raw[4] = 0.9, 0.8, 0.7
    assert read("ultralytics", raw).boxes.tolist() == [[0, 0, 7, 7], [50, 59, 64, 61]]


def test_the_way_back_goes_through_the_geometry(read):
    geometry = Geometry((100, 200), (64, 64), (0.32, 0.32), (16.0, 0.0))  # centred letterbox
    raw = np.array([[32], [32], [64], [32], [0.9], [0], [0]], np.float32)
    assert read("ultralytics", raw, geometry=geometry).boxes.tolist() == [[0, 0, 200, 100]]


def two_labels(read, **options):
    raw = np.array([[20], [20], [8], [8], [0.4], [0.6], [0.2]], np.float32)
    found = read("ultralytics", raw, **options)
    return list(zip(found.classes.tolist(), found.scores.round(2).tolist(), strict=True))


def test_a_cell_stands_for_every_class_that_reaches_the_confidence(read):
    assert two_labels(read) == [(1, pytest.approx(0.6)), (0, pytest.approx(0.4))]
    assert two_labels(read, multi_label=False) == [(1, pytest.approx(0.6))]
    assert two_labels(read, agnostic=True) == [(1, pytest.approx(0.6))]
    assert two_labels(read, conf=0.6) == [(1, pytest.approx(0.6))]
    assert two_labels(read, max_detections=1) == [(1, pytest.approx(0.6))]


@pytest.mark.parametrize("multi_label", [True, False])
@pytest.mark.parametrize("limit", [5, 40, 2000])
def test_looking_at_the_surest_first_changes_nothing(read, monkeypatch, multi_label, limit):
    random = np.random.default_rng(1)
    raw = np.concatenate([random.random((2, 900)) * 64, random.random((2, 900)) * 9 + 2, random.random((3, 900)) ** 3])
    raw[4:] = raw[4:].round(2)
    how = {"conf": 0.01, "iou": 0.4, "max_detections": limit, "multi_label": multi_label}
    found = read("ultralytics", raw, **how)
    monkeypatch.setattr("cnnkit.postprocess._candidates.AT_FIRST", ())
    whole = read("ultralytics", raw, **how)
    for name in ("boxes", "scores", "classes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    assert (np.diff(found.scores) <= 0).all()


def test_a_batch_is_read_image_by_image(detector):
    raw = np.zeros((2, 7, 4), np.float32)
    raw[:, :4] = 10
    raw[1, 5, 2] = 0.7
    first, second = build_decoder(detector("ultralytics"))({"out": raw}, [Geometry((64, 64), (64, 64))] * 2)
    assert len(first.boxes) == 0
    assert second.classes.tolist() == [1]
    assert first.boxes.shape == (0, 4)


def test_half_precision_is_read(detector):
    raw = np.array([[[20], [20], [8], [8], [0.5], [0], [0]]], np.float16)
    [found] = build_decoder(detector("ultralytics"))({"out": raw}, [Geometry((64, 64), (64, 64))])
    assert found.boxes.tolist() == [[16, 16, 24, 24]]


SHAPES = {
    "ultralytics": ((7, 9), r"\(4 \+ 3 classes, candidates\)"),
    "ultralytics_end2end": ((9, 6), r"\(boxes, 6\)"),
    "yolov5": ((9, 8), r"\(candidates, 5 \+ 3 classes\)"),
    "yolox": ((84, 8), r"\(84 cells, 5 \+ 3 classes\)"),
    "fastestdet": ((8, 4, 4), r"\(5 \+ 3 classes, rows, columns\)"),
}


@pytest.mark.parametrize("decoder", SHAPES)
def test_another_shape_is_refused(read, decoder):
    shape, expected = SHAPES[decoder]
    read(decoder, np.zeros(shape))
    with pytest.raises(ImageError, match=rf"output 'out' has shape .* the decoder '{decoder}' reads {expected}"):
        read(decoder, np.zeros((3, *shape)))
    with pytest.raises(ImageError, match="has shape"):
        read(decoder, np.zeros([side + 1 for side in shape]))


@pytest.mark.parametrize("decoder", SHAPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(read, decoder, bad):
    with pytest.raises(ImageError, match="output 'out' holds values that are not"):
        read(decoder, np.full(SHAPES[decoder][0], bad))


def test_yolox_refuses_a_size_beyond_float32(read):
    raw = one_cell(0, [0, 0, 999, 0, 1, 0.9, 0, 0], n=84, width=8)
    with pytest.raises(ImageError, match="values that are not finite"):
        read("yolox", raw)
