"""Thumbnails: small, the right way up, the right colours."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cnnkit.drawing import Thumbnail, thumbnail


def pixels(made: Thumbnail) -> np.ndarray:
    return np.array(Image.open(BytesIO(b64decode(made.source.split(",")[1]))).convert("RGB"))


def test_a_tiny_picture_is_kept_to_the_pixel():
    image = np.random.default_rng(0).integers(0, 256, (8, 5, 3), dtype=np.uint8)
    made = thumbnail(image)
    assert made.enlarge
    assert (made.width, made.height) == (5, 8)
    assert np.array_equal(pixels(made), image)


def test_a_photo_is_shrunk_and_stays_red():
    image = np.zeros((300, 600, 3), dtype=np.uint8)
    image[..., 0] = 200
    made = thumbnail(image)
    assert (made.width, made.height) == (128, 64)
    assert made.source.startswith("data:image/jpeg;base64,")
    assert np.abs(pixels(made).mean(axis=(0, 1)) - (200, 0, 0)).max() < 4


def test_a_thin_picture_keeps_a_pixel():
    assert thumbnail(np.zeros((1, 4000, 3), dtype=np.uint8)).height == 1


def test_it_says_how_much_was_shrunk():
    assert thumbnail(np.zeros((300, 600, 3), dtype=np.uint8), side=150).scale == 0.25
    assert thumbnail(np.zeros((8, 5, 3), dtype=np.uint8)).scale == 1


def test_other_arrays_are_refused():
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\), got float32 \(2, 2, 3\)"):
        thumbnail(np.zeros((2, 2, 3), dtype=np.float32))
