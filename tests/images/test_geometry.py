"""Sizes, offsets and where boxes go."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cnnkit.errors import ImageError, ModelError
from cnnkit.images import Preprocess
from cnnkit.images._steps import plan
from cnnkit.records import Geometry
from cnnkit.spec import CenterCrop, ModelSpec, Operation, Pad, Resize, ToGray

Pixels = NDArray[np.uint8]
Specs = Callable[..., ModelSpec]


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("source", "short", "wanted"),
    [
        ((375, 500), 256, (256, 341)),  # 256 * 500 / 375 = 341.33
        ((500, 375), 256, (341, 256)),
        ((333, 500), 256, (256, 384)),  # 384.38
        ((213, 320), 256, (256, 384)),  # 384.6: torchvision rounds down, not to nearest
        ((256, 300), 256, (256, 300)),
        ((1, 1), 224, (224, 224)),
        ((5, 1), 32, (160, 32)),
        ((2, 3), 1, (1, 1)),
    ],
)
def test_short_side(source: tuple[int, int], short: int, wanted: tuple[int, int]) -> None:
    assert plan((Resize(size=short),), source).size == wanted


@pytest.mark.parametrize(
    ("source", "size", "offset"),
    [
        ((256, 341), (224, 224), (-16, -58)),  # 117 / 2 = 58.5, to even
        ((256, 343), (224, 224), (-16, -60)),  # 119 / 2 = 59.5, to even
        ((5, 4), (2, 1), (-2, -2)),  # both 1.5
        ((3, 3), (2, 2), (0, 0)),  # 0.5, to even
        ((3, 4), (6, 4), (1, 0)),  # a row more below than above
        ((10, 3), (4, 6), (-3, 1)),
    ],
)
def test_center_crop(source: tuple[int, int], size: tuple[int, int], offset: tuple[int, int]) -> None:
    made = plan((CenterCrop(size=size),), source)
    assert (made.size, made.offset) == (size, offset)


def test_small_pictures_are_padded_with_zeros_before_the_crop(make_spec: Specs) -> None:
    pixels, geometry = Preprocess(make_spec(CenterCrop(size=(4, 2)), size=(4, 2))).geometry(
        np.full((1, 5, 3), 9, np.uint8)
    )
    assert pixels[..., 0].tolist() == [[0, 0], [9, 9], [0, 0], [0, 0]]
    assert geometry == Geometry((1, 5), (4, 2), offset=(1.0, -2.0))


@pytest.mark.parametrize(
    ("resize", "source", "size", "offset"),
    [
        # Ultralytics: round(500 * 0.64) and half of what is left; 640 - 240 = 400
        (Resize(size=(640, 640), mode="letterbox"), (375, 1000), (240, 640), (200.0, 0.0)),
        (Resize(size=(640, 640), mode="letterbox"), (427, 640), (427, 640), (106.0, 0.0)),  # 213 left: 106 and 107
        (Resize(size=(640, 640), mode="letterbox", upscale=False), (100, 50), (100, 50), (270.0, 295.0)),
        (Resize(size=(640, 640), mode="letterbox"), (100, 50), (640, 320), (0.0, 160.0)),
        # YOLOX: int(333 * 0.832) = int(277.056), at the top left
        (Resize(size=(416, 416), mode="letterbox", align="top_left"), (333, 500), (277, 416), (0.0, 0.0)),
        (Resize(size=(416, 416), mode="letterbox", align="top_left"), (427, 640), (277, 416), (0.0, 0.0)),  # 277.55
        (Resize(size=(416, 416), mode="letterbox"), (427, 640), (278, 416), (69.0, 0.0)),  # the same, rounded
    ],
)
def test_letterbox(resize: Resize, source: tuple[int, int], size: tuple[int, int], offset: tuple[float, float]) -> None:
    made = plan((resize,), source)
    assert made.size == resize.size
    assert made.offset == offset
    assert made.scale == (size[0] / source[0], size[1] / source[1])


def test_letterbox_fills_what_is_left(make_spec: Specs) -> None:
    resize = Resize(size=(4, 6), mode="letterbox", filter="nearest", fill=114)
    pixels, geometry = Preprocess(make_spec(resize, size=(4, 6))).geometry(np.full((2, 2, 3), 7, np.uint8))
    assert pixels[..., 2].tolist() == [[114, 7, 7, 7, 7, 114]] * 4
    boxes = geometry.to_source(np.array([[1.0, 0.0, 5.0, 4.0], [3.0, 2.0, 5.0, 4.0]]))
    assert boxes.tolist() == [[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_pad_is_numpys(make_spec: Specs, mode: str) -> None:
    """torchvision's `Pad` takes left, top, right, bottom and does the same as numpy.pad."""
    pad = Pad.model_validate({"padding": (1, 2, 3, 0), "mode": mode, "fill": 5 if mode == "constant" else 0})
    pixels, geometry = Preprocess(make_spec(pad, size=(9, 10))).geometry(noise(7, 6))
    options = {"constant_values": 5} if mode == "constant" else {}
    wanted = np.pad(noise(7, 6), ((2, 0), (1, 3), (0, 0)), mode=mode, **options)  # type: ignore[call-overload]
    np.testing.assert_array_equal(pixels, wanted)
    assert geometry == Geometry((7, 6), (9, 10), offset=(2.0, 1.0))


def test_grey_is_pillows(make_spec: Specs) -> None:
    spec = make_spec(ToGray(), CenterCrop(size=(50, 60)), size=(50, 60), channels="GRAY")
    pixels, _ = Preprocess(spec).geometry(noise(50, 60))
    np.testing.assert_array_equal(pixels[..., 0], np.asarray(Image.fromarray(noise(50, 60)).convert("L")))
    red, green, blue = (noise(50, 60)[..., channel].astype(np.int64) for channel in range(3))
    np.testing.assert_array_equal(pixels[..., 0], (19595 * red + 38470 * green + 7471 * blue + (1 << 15)) >> 16)


OPERATIONS = st.lists(
    st.one_of(
        st.builds(Resize, size=st.integers(1, 60)),
        st.builds(
            lambda height, width: Resize(size=(height, width), mode="exact"), st.integers(1, 60), st.integers(1, 60)
        ),
        st.builds(
            lambda height, width, align, upscale: Resize(
                size=(height, width), mode="letterbox", align=align, upscale=upscale
            ),
            st.integers(1, 60),
            st.integers(1, 60),
            st.sampled_from(["center", "top_left"]),
            st.booleans(),
        ),
        st.builds(lambda height, width: CenterCrop(size=(height, width)), st.integers(1, 60), st.integers(1, 60)),
        st.builds(lambda sides: Pad(padding=sides), st.tuples(*[st.integers(0, 9)] * 4)),
    ),
    max_size=4,
)
SIDES = st.integers(1, 80)


@settings(max_examples=150, deadline=None)
@given(OPERATIONS, SIDES, SIDES)
def test_pixels_have_the_planned_size_and_boxes_come_back(
    make_spec: Specs, operations: list[Operation], height: int, width: int
) -> None:
    made = plan(tuple(operations), (height, width))
    if max(made.size) > 400:
        return
    pixels, geometry = Preprocess(make_spec(*operations, size=made.size)).geometry(noise(height, width))
    assert pixels.shape == (*made.size, 3)
    boxes = np.array([[0.0, 0.0, width, height], [0.25, 0.5, width / 3, height / 2]])
    np.testing.assert_allclose(geometry.to_source(geometry.to_input(boxes)), boxes, rtol=1e-9, atol=1e-7)


@settings(max_examples=100, deadline=None)
@given(SIDES, SIDES, st.integers(1, 6), st.integers(1, 6), st.data())
def test_a_point_lands_where_its_pixel_does(
    make_spec: Specs, height: int, width: int, down: int, right: int, data: st.DataObject
) -> None:
    """Whole enlargement by nearest: the pixel that the geometry names has the colour of the source's."""
    size = height * down + 4, width * right + 6
    operations = (
        Resize(size=(height * down, width * right), mode="exact", filter="nearest"),
        Pad(padding=(6, 4, 0, 0)),
    )
    pixels, geometry = Preprocess(make_spec(*operations, size=size)).geometry(noise(height, width))
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    left, top, *_ = geometry.to_input(np.array([[x + 0.5, y + 0.5, x + 1.0, y + 1.0]]))[0]
    assert pixels[int(top), int(left)].tolist() == noise(height, width)[y, x].tolist()


def test_a_picture_that_ends_at_another_size_is_refused(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(Resize(size=256), size=(224, 224)))
    with pytest.raises(ModelError) as caught:
        preprocess.geometry(noise(30, 40))
    assert str(caught.value) == (
        "the spec's preprocessing makes (256, 341) of a picture of (30, 40), the input 'input' takes (224, 224) "
        "(all height, width); end it with a center_crop, or resize with mode exact or letterbox"
    )


def test_a_line_of_pixels_is_refused_before_memory_is_taken(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(Resize(size=256), CenterCrop(size=(224, 224)), size=(224, 224)))
    with pytest.raises(ImageError) as caught:
        preprocess.geometry(np.zeros((1, 60000, 3), np.uint8))
    assert caught.value.status == "too_large"
    assert str(caught.value) == (
        "a picture of 60000x1 pixels would be resized to 15360000x256, more than 178,956,970 pixels"
    )
    assert preprocess.geometry(np.zeros((1, 2000, 3), np.uint8))[0].shape == (224, 224, 3)


def test_only_rgb_bytes_are_taken(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(CenterCrop(size=(4, 4)), size=(4, 4)))
    with pytest.raises(ValueError, match=r"an image must be uint8 \(H, W, 3\), got float64 \(4, 4, 3\)"):
        preprocess.geometry(np.zeros((4, 4, 3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"got uint8 \(0, 4, 3\)"):
        preprocess.geometry(np.zeros((0, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=r"got uint8 \(4, 4\)"):
        preprocess.geometry(np.zeros((4, 4), np.uint8))


def test_views_are_taken_as_they_look(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(Resize(size=(7, 9), mode="exact"), size=(7, 9)))
    mirrored = noise(40, 50)[::-1, ::-2, ::-1]
    np.testing.assert_array_equal(preprocess.geometry(mirrored)[0], preprocess.geometry(mirrored.copy())[0])
