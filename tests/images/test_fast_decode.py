"""Large JPEGs decoded smaller: on request, and boxes still speak of the whole picture."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnnkit.images import Preprocess, decode
from cnnkit.spec import CenterCrop, Decode, ModelSpec, Operation, Pad, Resize, ToGray

Specs = Callable[..., ModelSpec]

CHAIN = Resize(size=64), CenterCrop(size=(56, 56))


def scene(height: int, width: int) -> NDArray[np.uint8]:
    """Smooth, as photographs are at this scale."""
    down, right = np.mgrid[0:height, 0:width]
    waves = [np.sin(right / width * 9), np.cos(down / height * 7), np.sin((right + down) / width * 5)]
    return (np.stack(waves, axis=-1) * 100 + 127).astype(np.uint8)


def jpeg(pixels: NDArray[np.uint8], *, orientation: int = 1) -> bytes:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("size", "decoded"),
    [
        ((600, 800), (75, 100)),  # 600 / 64 is more than 8
        ((512, 800), (128, 200)),  # exactly 8: only a quarter leaves more than is needed
        ((300, 401), (75, 101)),
        ((200, 130), (100, 65)),
        ((128, 130), (128, 130)),
        ((50, 60), (50, 60)),
    ],
)
def test_how_far_a_picture_is_reduced(make_spec: Specs, size: tuple[int, int], decoded: tuple[int, int]) -> None:
    preprocess = Preprocess(make_spec(*CHAIN, size=(56, 56)))
    data = jpeg(scene(*size))
    pixels, source_size = preprocess.decode(data, fast=True)
    assert (pixels.shape[:2], source_size) == (decoded, size)
    whole, source_size = preprocess.decode(data)
    assert (whole.shape[:2], source_size) == (size, size)


@pytest.mark.parametrize("orientation", [1, 6])
def test_nearly_the_same_pixels_and_the_same_geometry(make_spec: Specs, orientation: int) -> None:
    preprocess = Preprocess(make_spec(*CHAIN, size=(56, 56)))
    data = jpeg(scene(600, 800), orientation=orientation)
    pixels, source_size = preprocess.decode(data, fast=True)
    assert source_size == ((600, 800) if orientation == 1 else (800, 600))
    fast, fast_geometry = preprocess(pixels, source_size=source_size)
    exact, geometry = preprocess(decode(data))
    assert fast_geometry == geometry
    assert np.abs(fast - exact).max() < 6


def test_orientation_that_is_left_alone(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(*CHAIN, size=(56, 56), decode=Decode(exif=False)))
    pixels, source_size = preprocess.decode(jpeg(scene(300, 400), orientation=6), fast=True)
    assert (pixels.shape[:2], source_size) == ((75, 100), (300, 400))


def test_other_kinds_are_decoded_whole(make_spec: Specs) -> None:
    buffer = io.BytesIO()
    Image.fromarray(scene(300, 400)).save(buffer, "PNG")
    pixels, source_size = Preprocess(make_spec(*CHAIN, size=(56, 56))).decode(buffer.getvalue(), fast=True)
    assert (pixels.shape[:2], source_size) == ((300, 400), (300, 400))


@pytest.mark.parametrize(
    ("operations", "channels", "decoded"),
    [
        ((ToGray(), *CHAIN), "GRAY", (75, 100)),
        ((Resize(size=(56, 56), mode="letterbox"),), "RGB", (75, 100)),
        ((CenterCrop(size=(56, 56)),), "RGB", (300, 400)),
        ((Pad(padding=(2, 2, 2, 2)), *CHAIN), "RGB", (300, 400)),  # two pixels of the whole picture
    ],
)
def test_only_what_a_resize_meets_first_is_reduced(
    make_spec: Specs, operations: tuple[Operation, ...], channels: str, decoded: tuple[int, int]
) -> None:
    preprocess = Preprocess(make_spec(*operations, size=(56, 56), channels=channels))
    pixels, source_size = preprocess.decode(jpeg(scene(300, 400)), fast=True)
    assert (pixels.shape[:2], source_size) == (decoded, (300, 400))
    assert preprocess(pixels, source_size=source_size)[0].shape[1:] == (56, 56)


def test_a_reduced_picture_needs_a_resize(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(CenterCrop(size=(56, 56)), size=(56, 56)))
    message = r"\(75, 100\) pixels cannot stand for a picture of \(300, 400\): no resize comes first"
    with pytest.raises(ValueError, match=message):
        preprocess.geometry(scene(75, 100), source_size=(300, 400))
