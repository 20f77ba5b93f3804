"""The same detections: a box may move as little as arithmetic moves it, and none may go or come."""

import numpy as np
import pytest

from cnnkit.postprocess.yolox import grid_cells
from cnnkit.training._recipe import recipe_for
from cnnkit.training._spec import draft_spec
from cnnkit.verification._detected import same_detections

SPEC = draft_spec(recipe_for(None, task="detection"), ["a", "b"])
CELLS = grid_cells((128, 128), (8, 16))


def output(*rows):
    """One image; rows (cell, x, y, w, h, objectness, p of a, p of b)."""
    raw = np.zeros((1, len(CELLS), 7))
    for cell, *values in rows:
        raw[0, cell] = values
    return raw


SURE = (40, 0.5, 0.5, 1.0, 1.0, 0.9, 0.9, 0.05)
OTHER = (100, 0.5, 0.5, 1.0, 1.0, 0.8, 0.1, 0.9)
ALMOST = (160, 0.5, 0.5, 1.0, 1.0, 0.5, 0.5005, 0.0)  # score 0.25025, conf is 0.25


def agreement(one, other, precision="fp32"):
    return same_detections({"output": output(*one)}, {"output": output(*other)}, SPEC, precision=precision)


def with_change(row, at, by):
    return (*row[:at], row[at] + by, *row[at + 1 :])


@pytest.mark.parametrize(
    ("got", "same"),
    [
        ([SURE, OTHER], 1.0),
        ([OTHER, SURE], 1.0),
        ([SURE], 0.0),
        ([SURE, OTHER, (200, *SURE[1:])], 0.0),
        ([with_change(SURE, 1, 1e-4), with_change(OTHER, 5, 1e-5)], 1.0),
        ([with_change(SURE, 5, -0.01), OTHER], 0.0),
        ([with_change(SURE, 3, 1.0), OTHER], 0.0),
        ([(40, 0.5, 0.5, 1.0, 1.0, 0.9, 0.05, 0.9), OTHER], 0.0),
        ([SURE, OTHER, ALMOST], 1.0),
    ],
    ids=["equal", "in another order", "one gone", "one more", "rounding", "score", "size", "class", "on the edge"],
)
def test_one_image(got, same):
    assert agreement([SURE, OTHER], got) == same


def test_margins_grow_as_precision_falls():
    moved = [with_change(SURE, 5, -0.01), OTHER]
    assert [agreement([SURE, OTHER], moved, precision) for precision in ("fp32", "fp16", "int8")] == [0.0, 1.0, 1.0]


def test_the_share_of_images():
    expected = np.concatenate([output(SURE), output(OTHER), output()])
    got = np.concatenate([output(SURE), output(SURE), output()])
    assert same_detections({"output": expected}, {"output": got}, SPEC, precision="fp32") == pytest.approx(2 / 3)


def test_nms_may_choose_another_of_two_that_are_equally_sure():
    pair = [(40, 0.5, 0.5, 1.0, 1.0, 0.9, 0.9, 0.0), (41, -0.4, 0.5, 1.0, 1.0, 0.9, 0.9, 0.0)]
    one, other = [pair[0], with_change(pair[1], 5, 1e-5)], [with_change(pair[0], 5, 1e-5), pair[1]]
    assert agreement(one, other) == 1.0
