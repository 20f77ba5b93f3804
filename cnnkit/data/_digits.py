"""scikit-learn's 1,797 handwritten digits, 8x8."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._arrays import ImageArrays
from cnnkit.data._idx import DIGIT_NAMES

HOLDOUT = 3  # digits 0, 3, 6, ... are the test part: 599 of 1,797


def digit_pixels(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Take grey values 0 .. 16 to 0 .. 255 as (255 v + 8) // 16: v / 16 to the nearest level.

    Nothing is lost: round(16 p / 255) goes back.

    >>> digit_pixels(np.array([0.0, 1.0, 8.0, 16.0])).tolist()
    [0, 16, 128, 255]
    """
    return ((255 * values.astype(np.int64) + 8) // 16).astype(np.uint8)


def read_digits() -> list[ImageArrays]:
    """The digits in scikit-learn's order, in one part."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return [ImageArrays("train", digit_pixels(found.images), found.target, DIGIT_NAMES)]
