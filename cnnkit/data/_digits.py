"""scikit-learn's 1,797 handwritten digits, 8x8, as an image folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._image_folder import Picture, write_image_folder

HOLDOUT = 3  # digits 0, 3, 6, ... are the test part: 599 of 1,797


def digit_pixels(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Take grey values 0 .. 16 to 0 .. 255 as (255 v + 8) // 16: v / 16 to the nearest level.

    Nothing is lost: round(16 p / 255) goes back.

    >>> digit_pixels(np.array([0.0, 1.0, 8.0, 16.0])).tolist()
    [0, 16, 128, 255]
    """
    return ((255 * values.astype(np.int64) + 8) // 16).astype(np.uint8)


def digits() -> Iterator[Picture]:
    """The digits in scikit-learn's order, every third in the test part."""
    from sklearn.datasets import load_digits

    found = load_digits()
    for at, (values, label) in enumerate(zip(found.images, found.target, strict=True)):
        part = "test" if at % HOLDOUT == 0 else "train"
        yield Picture(part, str(label), f"{at:05d}", digit_pixels(values))


def write_digits(folder: Path) -> None:
    """Write the digits as PNG class folders under train/ and test/; a folder that holds them already is left alone."""
    write_image_folder(folder, digits(), source="scikit-learn digits")
