"""The three ways to resize against what they are named after: Pillow, OpenCV, torch, called live."""

from functools import partial

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cnnkit.images import has_compiled_resize
from cnnkit.images._pillow import resize_compiled, resize_with_pillow
from cnnkit.images._resizing import resize
from cnnkit.images._steps import Scale, Window
from cnnkit.spec import FILTERS

Pixels = NDArray[np.uint8]

SHAPES = [(256, 341), (341, 256), (64, 64), (37, 500), (700, 90), (640, 960), (1, 1)]
COMPILED = pytest.mark.skipif(not has_compiled_resize(), reason="no C compiler when cnnkit was installed")


def whole(size: tuple[int, int], filter: str, implementation: str) -> Scale:
    return Scale(size, Window(0, 0, size), filter, implementation)


def by_pillow(pixels: Pixels, size: tuple[int, int], filter: str) -> Pixels:
    """Pillow, called once for each axis, across first."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    method = Image.Resampling[filter.upper()]
    image = image.resize((size[1], image.height), method).resize(size[::-1], method)
    return np.asarray(image).reshape(*size, -1)


def synthetic() -> list[Pixels]:
    """Noise, and stripes and a checkerboard of black and white, which overshoot both ends of the range."""
    random = np.random.default_rng(0)
    down, right = np.mgrid[0:97, 0:61]
    stripes = np.stack([right % 2, down % 3 == 0, (right // 4 + down // 4) % 2], axis=-1).astype(np.uint8) * 255
    return [random.integers(0, 256, (131, 83, 3), np.uint8), stripes, stripes[..., :1].copy()]


@pytest.mark.parametrize("filter", FILTERS["pillow"])
def test_pillow_to_the_byte_on_noise_and_stripes(filter: str) -> None:
    for pixels in synthetic():
        for size in SHAPES:
            made = resize(pixels, whole(size, filter, "pillow"))
            np.testing.assert_array_equal(made, by_pillow(pixels, size, filter))


@pytest.mark.parametrize("filter", FILTERS["pillow"])
def test_pillow_to_the_byte_on_photos(photos: list[Pixels], filter: str) -> None:
    for pixels in photos[:4]:
        for size in SHAPES[:4]:
            made = resize(pixels, whole(size, filter, "pillow"))
            np.testing.assert_array_equal(made, by_pillow(pixels, size, filter))


@COMPILED
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_choice_of_way_never_changes_a_pixel(data: st.DataObject) -> None:
    side = st.integers(1, 90)
    height, width, channels = data.draw(side), data.draw(side), data.draw(st.sampled_from([1, 3]))
    size = data.draw(side), data.draw(side)
    top, left = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
    keep = Window(top, left, (data.draw(st.integers(1, size[0] - top)), data.draw(st.integers(1, size[1] - left))))
    pixels = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 256, (height, width, channels), np.uint8)
    filter = data.draw(st.sampled_from(["box", "bilinear", "hamming", "bicubic", "lanczos"]))
    step = Scale(size, keep, filter, "pillow")
    np.testing.assert_array_equal(resize_compiled(pixels, step), resize_with_pillow(pixels, step))


@COMPILED
def test_tall_pictures_are_worked_in_tiles() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (1500, 700, 3), np.uint8)
    step = Scale((256, 119), Window(16, 2, (224, 100)), "bicubic", "pillow")
    np.testing.assert_array_equal(resize_compiled(pixels, step), resize_with_pillow(pixels, step))


@COMPILED
def test_results_stay_when_the_next_picture_comes() -> None:
    """Scratch memory is used again; what was handed out must not be."""
    random = np.random.default_rng(2)
    step = Scale((20, 40), Window(0, 3, (20, 30)), "bilinear", "pillow")
    first = resize_compiled(random.integers(0, 256, (20, 50, 3), np.uint8), step)
    kept = first.copy()
    resize_compiled(random.integers(0, 256, (20, 50, 3), np.uint8), step)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("filter", FILTERS["opencv"])
def test_opencv_is_opencv(filter: str) -> None:
    flags = {"nearest": 0, "linear": 1, "cubic": 2, "area": 3, "lanczos4": 4}
    for pixels in synthetic():
        for size in SHAPES:
            wanted = cv2.resize(pixels, size[::-1], interpolation=flags[filter]).reshape(*size, -1)
            made = resize(pixels, Scale(size, Window(0, 0, size), filter, "opencv"))
            np.testing.assert_array_equal(made, wanted)


@pytest.mark.torch
@pytest.mark.parametrize("filter", FILTERS["torch"])
def test_torch_is_interpolate(filter: str, request: pytest.FixtureRequest) -> None:
    torch = pytest.importorskip("torch")
    request.addfinalizer(partial(torch.set_num_threads, torch.get_num_threads()))
    torch.set_num_threads(1)  # where torch cuts its loops for several threads, the last bit of a sum can differ
    apart = total = 0
    for pixels in synthetic():
        for size in SHAPES:
            batch = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float()
            grown = torch.nn.functional.interpolate(batch, size=size, mode=filter, align_corners=False, antialias=False)
            wanted = grown.clamp(0, 255).round().to(torch.uint8)[0].permute(1, 2, 0).numpy()
            difference = np.abs(resize(pixels, whole(size, filter, "torch")).astype(int) - wanted)
            assert difference.max() <= 1
            apart, total = apart + np.count_nonzero(difference), total + difference.size
    # other processors' builds of torch fuse other multiply-adds; where a sum lies at a half that is one level
    exact = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    assert apart <= total * (1e-6 if exact else 1e-4)


@pytest.mark.parametrize(
    ("implementation", "filter"), [("opencv", "cubic"), ("torch", "bicubic"), ("torch", "bilinear")]
)
def test_a_kept_part_is_that_part_of_the_whole(implementation: str, filter: str) -> None:
    pixels = synthetic()[0]
    size = (71, 140)
    part = resize(pixels, Scale(size, Window(5, 9, (30, 100)), filter, implementation))
    np.testing.assert_array_equal(part, resize(pixels, whole(size, filter, implementation))[5:35, 9:109])


def test_by_hand() -> None:
    """Two pixels to one: bilinear with antialias takes both with equal weight, 0.5 * (10 + 21) = 15.5, rounded up."""
    pixels = np.array([[[10, 10, 10], [21, 20, 255]]], np.uint8)
    assert resize(pixels, whole((1, 1), "bilinear", "pillow")).tolist() == [[[16, 15, 133]]]
    assert resize(pixels, whole((1, 1), "bilinear", "torch")).tolist() == [[[16, 15, 132]]]  # half to even
    assert resize(pixels, whole((1, 2), "nearest", "pillow")).tolist() == pixels.tolist()
