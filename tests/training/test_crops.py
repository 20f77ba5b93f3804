"""Random resized crops: where they lie, and that they resize as the spec does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnkit import images
from cnnkit.training._crops import ResizedCrop, crop_window
from cnnkit.training._recipe import recipe_for
from cnnkit.training._spec import draft_spec


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def spec_of(net, **changes):
    return draft_spec(recipe_for(net, **changes), ["a", "b"])


@settings(max_examples=200, deadline=None)
@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    share=st.floats(0.01, 1.0),
    seed=st.integers(0, 2**31),
)
def test_window_lies_inside(height, width, share, seed):
    top, left, high, wide = crop_window(height, width, share, np.random.default_rng(seed))
    assert top >= 0
    assert left >= 0
    assert 1 <= high <= height - top
    assert 1 <= wide <= width - left


def test_area_and_aspect_are_those_asked_for():
    random = np.random.default_rng(0)
    windows = np.array([crop_window(400, 400, 0.2, random) for _ in range(2000)])
    high, wide = windows[:, 2], windows[:, 3]
    area, aspect = high * wide / 400**2, wide / high
    assert area.min() >= 0.199
    assert (aspect.min(), aspect.max()) == (pytest.approx(3 / 4, abs=0.02), pytest.approx(4 / 3, abs=0.02))
    # large crops of extreme aspect do not fit and are drawn again: a little under the mean of 0.6
    assert 0.5 < area.mean() < 0.62
    assert abs(np.log(aspect).mean()) < 0.02
    assert windows[:, 0].max() > 200


def test_a_picture_too_long_for_any_draw_gives_its_middle():
    assert crop_window(100, 1000, 1.0, np.random.default_rng(0)) == (0, 433, 100, 133)
    assert crop_window(1000, 100, 1.0, np.random.default_rng(0)) == (433, 0, 133, 100)


def test_one_seed_one_crop():
    crop = ResizedCrop(spec_of("cifar"), 0.1)
    source = picture(50, 70)
    crops = [crop(source, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(crops[0], crops[1])
    assert not np.array_equal(crops[0], crops[2])


@pytest.mark.parametrize(
    ("interpolation", "resample"), [("pillow:bilinear", Image.BILINEAR), ("pillow:bicubic", Image.BICUBIC)]
)
def test_resizes_the_crop_as_pillow_would(interpolation, resample):
    """One axis a call, columns first: the order that the spec's Pillow resize is defined by."""
    source = picture(90, 120)
    crop = ResizedCrop(spec_of("resnet18", imgsz=32, interpolation=interpolation), 0.3)
    found = crop(source, np.random.default_rng(4))
    top, left, high, wide = crop_window(90, 120, 0.3, np.random.default_rng(4))
    cut = Image.fromarray(source[top : top + high, left : left + wide])
    assert np.array_equal(found, np.asarray(cut.resize((32, high), resample).resize((32, 32), resample)))


def test_the_whole_picture_is_what_the_exact_resize_makes():
    spec = spec_of("cifar")
    source = picture(32, 32)
    found = ResizedCrop(spec, 1.0)(source, np.random.default_rng(0))
    expected, _ = images.Preprocess(spec).geometry(source)
    window = crop_window(32, 32, 1.0, np.random.default_rng(0))
    assert found.shape == expected.shape
    assert np.array_equal(found, expected) == (window == (0, 0, 32, 32))


def test_grey_spec_gives_grey_crops():
    assert ResizedCrop(spec_of("simple_convnet"), 0.5)(picture(40, 40), np.random.default_rng(0)).shape == (28, 28, 1)
