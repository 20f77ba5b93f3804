"""A part of a data set that keeps its images in one array, and how it becomes pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._image_folder import Picture
from cnnkit.errors import DataError


@dataclass(frozen=True, slots=True)
class ImageArrays:
    """`pixels` uint8 (n, H, W) grey or (n, H, W, 3) RGB; `labels` int (n,), positions in `names`.

    `numbers`, int (n,), are the images' places in the file that they come from; None when all of it is here.
    """

    part: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.integer]
    names: tuple[str, ...]
    numbers: NDArray[np.integer] | None = None

    def __post_init__(self) -> None:
        if len(self.pixels) != len(self.labels):
            raise DataError(f"{self.part}: {len(self.pixels)} images and {len(self.labels)} labels.")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.names):
            raise DataError(
                f"{self.part}: labels from {self.labels.min()} to {self.labels.max()} for {len(self.names)} classes. "
                f"--labels FILE names the classes."
            )

    def take(self, chosen: NDArray[np.bool_], part: str) -> "ImageArrays":
        numbers = np.flatnonzero(chosen) if self.numbers is None else self.numbers[chosen]
        return replace(self, part=part, pixels=self.pixels[chosen], labels=self.labels[chosen], numbers=numbers)


def hold_out(parts: Sequence[ImageArrays], every: int) -> list[ImageArrays]:
    """Set aside images 0, `every`, 2 `every`, ...: of a single part as test, of train as val when test is there."""
    divided = parts[0] if len(parts) == 1 else next((arrays for arrays in parts if arrays.part == "train"), None)
    if divided is None:
        raise DataError(f"no train part to hold out from; the parts are {', '.join(arrays.part for arrays in parts)}.")
    held = np.arange(len(divided.labels)) % every == 0
    aside = "test" if len(parts) == 1 else "val"
    rest = [arrays for arrays in parts if arrays is not divided]
    return [divided.take(~held, "train"), divided.take(held, aside), *rest]


def pictures(parts: Sequence[ImageArrays]) -> Iterator[Picture]:
    """Every image, named by its place in the file that it comes from."""
    for arrays in parts:
        numbers = range(len(arrays.labels)) if arrays.numbers is None else arrays.numbers
        for at, pixels, label in zip(numbers, arrays.pixels, arrays.labels, strict=True):
            yield Picture(arrays.part, arrays.names[label], f"{at:05d}", pixels)
