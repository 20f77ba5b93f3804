"""Scenes drawn from scikit-learn's handwritten digits: small pictures with a box around each digit."""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._detection_truth import Columns, DetectionTruth
from cnnkit.data._digits import HOLDOUT, digit_pixels
from cnnkit.data._idx import DIGIT_NAMES
from cnnkit.data._scene_grounds import blend_ink, draw_ground

SCENES_SOURCE = "sklearn:digit-scenes"
N_SCENES = {"train": 1200, "val": 150, "test": 300}
VAL_HOLDOUT = 8  # of the digits that are not the test part, 0, 8, 16, ... are in the val scenes alone

SIDES = (96, 128)  # of a picture, each side by itself
HEIGHTS = (18.0, 48.0)  # of a digit's 8x8 pixels in the picture
ASPECTS = (0.75, 1.1)  # width over height
MOST_DIGITS = 6
MOST_COVERED = 0.2  # share of a box that another one may cover
TRIES = 30
INKED = 64  # a pixel of this much ink of 255 belongs to the box

Box = tuple[int, int, int, int]  # left, top, width, height


@dataclass(frozen=True, slots=True)
class Scene:
    """RGB uint8 (H, W, 3), and the digits on it in the order in which they were drawn."""

    pixels: NDArray[np.uint8]
    boxes: list[Box]
    labels: list[int]


@dataclass(frozen=True, slots=True)
class Digits:
    """uint8 (n, 8, 8) ink, 0 to 255, and int (n,) labels."""

    ink: NDArray[np.uint8]
    labels: NDArray[np.int64]


def scene_digits() -> dict[str, Digits]:
    """The digits of each part: no digit is in two parts, and test has those that are held out everywhere."""
    from sklearn.datasets import load_digits

    found = load_digits()
    ink, labels, at = digit_pixels(found.images), found.target.astype(np.int64), np.arange(len(found.target))
    test = at % HOLDOUT == 0
    rest = at[~test]
    val = rest[::VAL_HOLDOUT]
    chosen = {"train": np.setdiff1d(rest, val), "val": val, "test": at[test]}
    return {part: Digits(ink[places], labels[places]) for part, places in chosen.items()}


def write_scenes(
    folder: Path, part: str, *, seed: int, n: int | None = None, report: Callable[[int], None] = lambda n: None
) -> DetectionTruth:
    """Write the scenes of a part as `folder`/PART-NUMBER.png; their boxes, in order. `report(1)` after each.

    A scene depends on the seed, its part and its number alone.
    """
    digits, columns = scene_digits()[part], Columns()
    names, sizes = [], []
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(N_SCENES[part] if n is None else n):
        scene = draw_scene(digits, np.random.default_rng((seed, list(N_SCENES).index(part), at)))
        names.append(f"{part}-{at:05d}.png")
        sizes.append((scene.pixels.shape[0], scene.pixels.shape[1]))
        for box, label in zip(scene.boxes, scene.labels, strict=True):
            columns.add(at, label, (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
        _write_whole(folder / names[-1], scene.pixels)
        report(1)
    return columns.truth(Path(SCENES_SOURCE), names, sizes, DIGIT_NAMES)


def draw_scene(digits: Digits, random: np.random.Generator) -> Scene:
    """One to six digits of many sizes, inks and places on a ground; some overlap, none covers another by far."""
    height, width = (int(side) for side in random.integers(SIDES[0], SIDES[1] + 1, 2))
    pixels = draw_ground(height, width, random)
    boxes: list[Box] = []
    labels: list[int] = []
    for _ in range(int(random.integers(1, MOST_DIGITS + 1))):
        at = int(random.integers(len(digits.labels)))
        ink = _resized(digits.ink[at], *_drawn_size(random))
        box = _free_place(ink, (height, width), boxes, random)
        if box is None:
            continue
        blend_ink(pixels[box[1] : box[1] + box[3], box[0] : box[0] + box[2]], ink, random)
        boxes.append(box)
        labels.append(int(digits.labels[at]))
    return Scene(pixels, boxes, labels)


def _drawn_size(random: np.random.Generator) -> tuple[int, int]:
    """Height and width; small digits are as frequent as large ones in proportion: the logarithm is uniform."""
    height = math.exp(random.uniform(math.log(HEIGHTS[0]), math.log(HEIGHTS[1])))
    return round(height), round(height * random.uniform(*ASPECTS))


def _resized(digit: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The digit enlarged, cut to the pixels with ink. Pillow's arithmetic is in integers, the same everywhere."""
    from PIL import Image

    drawn = np.asarray(Image.fromarray(digit).resize((width, height), Image.Resampling.BICUBIC))
    rows, columns = np.flatnonzero((drawn >= INKED).any(axis=1)), np.flatnonzero((drawn >= INKED).any(axis=0))
    return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _free_place(
    ink: NDArray[np.uint8], size: tuple[int, int], taken: Sequence[Box], random: np.random.Generator
) -> Box | None:
    """Draw a place in the picture until it is free enough; None when it never is."""
    height, width = ink.shape
    for _ in range(TRIES):
        left, top = int(random.integers(size[1] - width + 1)), int(random.integers(size[0] - height + 1))
        box = (left, top, width, height)
        if all(_shared(box, other) <= MOST_COVERED * min(width * height, other[2] * other[3]) for other in taken):
            return box
    return None


def _shared(one: Box, other: Box) -> int:
    """Pixels that lie in both."""
    sides = [min(one[at] + one[at + 2], other[at] + other[at + 2]) - max(one[at], other[at]) for at in (0, 1)]
    return max(0, sides[0]) * max(0, sides[1])


def _write_whole(path: Path, pixels: NDArray[np.uint8]) -> None:
    from PIL import Image

    if path.exists():  # from a call that was killed; a file takes its name when it is whole
        return
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, format="PNG", compress_level=1)  # noise does not compress
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(encoded.getvalue())
    temporary.replace(path)
