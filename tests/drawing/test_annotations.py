"""Boxes and labels on pictures: where they are, in which colour, and at any size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.drawing.annotations import class_colour, draw_boxes, draw_title


def grey(height, width):
    return np.full((height, width, 3), 90, np.uint8)


def test_a_box_is_outlined_in_the_colour_of_its_class():
    drawn = draw_boxes(grey(480, 640), [[100, 200, 300, 400]], ["cat 0.90"], [3])
    assert drawn.shape == (480, 640, 3)
    colour = class_colour(3)
    for y, x in ((300, 100), (300, 299), (200, 250), (399, 200)):
        assert tuple(drawn[y, x].tolist()) == colour
    assert drawn[300, 200].tolist() == [90, 90, 90], "the inside stays"
    assert tuple(drawn[200 - 3, 102].tolist()) == colour, "the label stands above"


def test_the_picture_that_was_given_stays_as_it_was():
    picture = grey(400, 400)
    draw_boxes(picture, [[10, 10, 90, 90]], ["x 0.5"], [0])
    assert (picture == 90).all()


def test_no_box_changes_nothing():
    np.testing.assert_array_equal(draw_boxes(grey(330, 330), np.zeros((0, 4)), [], []), grey(330, 330))


@pytest.mark.parametrize(("size", "shown"), [((28, 28), (336, 336)), ((100, 320), (100, 320)), ((1, 1), (320, 320))])
def test_a_small_picture_is_enlarged_so_that_its_label_can_be_read(size, shown):
    drawn = draw_boxes(grey(*size), [[0, 0, 1, 1]], ["7 0.99"], [7])
    assert drawn.shape == (*shown, 3)
    assert (drawn != 90).any()


def test_lines_and_letters_grow_with_the_picture():
    def height_of_label(side):
        drawn = draw_boxes(grey(side, side), [[0.4 * side, 0.5 * side, 0.9 * side, 0.9 * side]], ["dog 0.50"], [1])
        column = drawn[: side // 2, round(0.4 * side) + 1]
        return int((column == class_colour(1)).all(axis=1).sum())

    assert height_of_label(400) >= 12
    assert height_of_label(4000) == pytest.approx(10 * height_of_label(400), rel=0.25)


def test_labels_of_boxes_on_top_of_one_another_do_not_cover_each_other():
    boxes = [[200, 200, 400, 400]] * 4
    drawn = draw_boxes(grey(600, 600), boxes, [f"{name} 0.50" for name in "abcd"], [0, 1, 2, 3])
    areas = [int((drawn == class_colour(label)).all(axis=2).sum()) for label in range(4)]
    assert min(areas[1:]) > 500, "each label has its place, though only one outline shows"


def test_a_long_name_keeps_its_score_and_fits():
    drawn = draw_boxes(grey(320, 320), [[0, 100, 50, 150]], ["a" * 200 + " 0.87"], [0])
    assert drawn.shape == (320, 320, 3)


def test_neighbouring_classes_differ_in_colour():
    colours = np.array([class_colour(at) for at in range(80)], np.int64)
    assert len(np.unique(colours, axis=0)) == 80
    steps = np.abs(np.diff(colours, axis=0)).sum(axis=1)
    assert steps.min() > 100


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 2**31))
def test_any_picture_and_any_box_can_be_drawn(height, width, seed):
    random = np.random.default_rng(seed)
    boxes = np.sort(random.uniform(-5, 705, (6, 2, 2)), axis=1).reshape(-1, 4)
    drawn = draw_boxes(grey(height, width), boxes, [f"{at} 0.1" for at in range(6)], range(6))
    assert drawn.shape[0] % height == 0
    assert drawn.shape[1] % width == 0


def test_a_title_stands_in_the_corner():
    drawn = draw_title(grey(400, 600), "tench 0.93", 0)
    assert tuple(drawn[1, 1].tolist()) == class_colour(0)
    assert (drawn[200:] == 90).all()
