"""Augmentation that moves boxes: pixels under a box go where the box goes, and what is cut off is not learned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.training._box_moves import Moves, Objects, Prepare, _cut, _mirrored, _seen
from cnnkit.training._box_targets import IGNORED
from cnnkit.training._recipe import recipe_for
from cnnkit.training._spec import draft_spec


def spec_of(**changes):
    return draft_spec(recipe_for(None, task="detection", **changes), ["a", "b"])


def objects(*boxes, classes=None):
    of_class = np.zeros(len(boxes), np.int64) if classes is None else np.array(classes)
    return Objects(np.array(boxes, np.float64).reshape(-1, 4), of_class)


def picture(size, box):
    """Black, with a white block exactly in the box."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    return pixels


@st.composite
def scenes(draw):
    height, width = draw(st.integers(60, 140)), draw(st.integers(60, 140))
    wide, high = draw(st.integers(16, 50)), draw(st.integers(16, 50))
    left, top = draw(st.integers(0, width - wide)), draw(st.integers(0, height - high))
    return (height, width), (left, top, left + wide, top + high)


@settings(max_examples=120, deadline=None)
@given(
    scene=scenes(),
    seed=st.integers(0, 2**32 - 1),
    crop=st.none() | st.floats(0.2, 1),
    zoom=st.floats(0, 0.5),
    translate=st.floats(0, 0.3),
    flip=st.sampled_from([0.0, 0.5, 1.0]),
    vertical=st.sampled_from([0.0, 1.0]),
    resize=st.sampled_from(["letterbox", "exact"]),
)
def test_pixels_move_with_their_box(scene, seed, crop, zoom, translate, flip, vertical, resize):
    size, box = scene
    prepare = Prepare(spec_of(resize=resize), Moves(crop, translate, zoom, flip, vertical))
    placed = prepare(picture(size, box), objects(box), np.random.default_rng(seed))
    white = placed.pixels[..., 0] > 180  # what lies outside the picture is 114
    if not len(placed.objects.boxes):
        assert not white.any()
        return
    x1, y1, x2, y2 = placed.objects.boxes[0]
    if (x2 - x1) * (y2 - y1) < 16 or min(x2 - x1, y2 - y1) < 3:
        return  # less than a few pixels are left
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    # the resize blurs an edge over a pixel or two
    assert columns[0] == pytest.approx(x1, abs=2)
    assert columns[-1] + 1 == pytest.approx(x2, abs=2)
    assert rows[0] == pytest.approx(y1, abs=2)
    assert rows[-1] + 1 == pytest.approx(y2, abs=2)


def test_without_moves_it_is_what_inference_sees():
    from cnnkit import images

    spec, source = spec_of(), np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    placed = Prepare(spec)(source, objects((10, 20, 40, 60)), np.random.default_rng(0))
    pixels, geometry = images.Preprocess(spec).geometry(source)
    assert np.array_equal(placed.pixels, pixels)
    assert placed.geometry == geometry
    assert placed.objects.boxes == pytest.approx(geometry.to_input(np.array([[10.0, 20, 40, 60]])))
    assert placed.pixels[0, 0].tolist() == [114] * 3, "letterboxed"


def test_the_window_is_resized_by_the_spec_itself():
    from cnnkit import images

    spec, source = spec_of(), np.random.default_rng(0).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    cut = _cut(source, (20, 10, 50, 60), 114)
    assert np.array_equal(cut, source[20:70, 10:70])
    ready = Prepare(spec)(cut, objects(), np.random.default_rng(0)).pixels
    assert np.array_equal(ready, images.Preprocess(spec).geometry(source[20:70, 10:70])[0])


def test_outside_the_picture_is_the_fill_of_the_letterbox():
    source = np.full((10, 10, 3), 7, np.uint8)
    cut = _cut(source, (-3, 5, 10, 10), 99)
    assert (cut[:3] == 99).all()
    assert (cut[:, 5:] == 99).all()
    assert (cut[3:, :5] == 7).all()
    assert (_cut(source, (50, 50, 4, 4), 99) == 99).all()


def test_objects_of_which_less_than_half_is_left():
    window = (0, 0, 100, 100)
    # from the left: whole, exactly half, a bit less than half, outside
    given_boxes = objects(
        (10, 10, 30, 30), (90, 0, 110, 20), (91, 40, 111, 60), (100, 0, 120, 20), classes=[3, 4, 5, 6]
    )
    seen = _seen(given_boxes, window)
    assert seen.classes.tolist() == [3, 4, IGNORED]
    assert seen.boxes.tolist() == [[10, 10, 30, 30], [90, 0, 100, 20], [91, 40, 100, 60]]


def test_boxes_without_area_are_gone():
    assert len(_seen(objects((5, 5, 5, 20)), (0, 0, 50, 50)).classes) == 0


def test_mirrors_by_hand():
    placed = Prepare(spec_of())(
        picture((128, 128), (8, 16, 24, 48)), objects((8, 16, 24, 48)), np.random.default_rng(0)
    )
    both = _mirrored(placed, Moves(flip=1.0, vertical_flip=1.0), np.random.default_rng(0))
    assert both.objects.boxes.tolist() == [[104, 80, 120, 112]]
    assert (both.pixels[80:112, 104:120] == 255).all()
    assert both.pixels.sum() == placed.pixels.sum()


def test_a_position_draws_the_same_whatever_came_before():
    prepare = Prepare(spec_of(), Moves(0.5, 0.2, 0.3, 0.5))
    source = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    first, again = (prepare(source, objects((10, 20, 40, 60)), np.random.default_rng((3, 1, 7))) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.objects.boxes, again.objects.boxes)
