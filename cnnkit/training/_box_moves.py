"""Augmentation that moves pixels and boxes together: a window of the picture, then the spec's own geometry, mirrors."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnkit import boxes as box_arithmetic
from cnnkit import images
from cnnkit.records import Geometry
from cnnkit.spec import ModelSpec, Resize
from cnnkit.training._box_targets import IGNORED
from cnnkit.training._crops import crop_window
from cnnkit.training._recipe import Recipe

__all__ = ["LEAST_VISIBLE", "Moves", "Objects", "Placed", "Prepare"]

LEAST_VISIBLE = 0.5  # of an object's area; of one that shows less nothing is learned

Window = tuple[int, int, int, int]  # top, left, height, width in source pixels


class Objects(NamedTuple):
    """Boxes float64 (k, 4) xyxy and classes int64 (k,), -1 for regions of which nothing is learned."""

    boxes: NDArray[np.float64]
    classes: NDArray[np.int64]


class Placed(NamedTuple):
    """A picture as it goes into the network: uint8 (h, w, C), its objects in the same pixels.

    `geometry` says where the pixels of the window went, before any mirror.
    """

    pixels: NDArray[np.uint8]
    objects: Objects
    geometry: Geometry


@dataclass(frozen=True, slots=True)
class Moves:
    """How much pictures move: fields of `Recipe`."""

    resized_crop: float | None = None
    translate: float = 0.0
    zoom: float = 0.0
    flip: float = 0.0
    vertical_flip: float = 0.0

    @classmethod
    def of(cls, recipe: Recipe) -> "Moves":
        return cls(recipe.resized_crop, recipe.translate, recipe.zoom, recipe.flip, recipe.vertical_flip)


class Prepare:
    """`prepare(source, objects, random)`: RGB (H, W, 3) and its objects as the network sees them.

    With `moves` a window is drawn on the source: the whole picture or, with `resized_crop`, a part of it; then
    scaled about its middle so that things grow by a factor of 1 - zoom to 1 + zoom, and shifted by up to `translate`
    of its sides. What of it lies outside the picture is filled as the letterbox fills. The window then takes the
    place of the picture: the spec's own geometry fits it to the input. Mirrors come last. Without `moves` (and for
    evaluation always) the picture itself goes through the spec's geometry.

    Boxes go where their pixels go and are cut to the window. An object of which less than half of the area is left
    becomes a region of which nothing is learned; one of which nothing is left is gone.
    """

    def __init__(self, spec: ModelSpec, moves: Moves | None = None) -> None:
        self._from = (spec, moves)
        self._preprocess = images.Preprocess(spec)
        self._moves = moves
        resizes = [operation for operation in spec.geometry_operations if isinstance(operation, Resize)]
        self._fill = resizes[0].fill if resizes else 0

    def __reduce__(self) -> tuple[Any, ...]:
        return Prepare, self._from

    def __call__(self, source: NDArray[np.uint8], objects: Objects, random: np.random.Generator) -> Placed:
        size = source.shape[0], source.shape[1]
        window = (0, 0, *size) if self._moves is None else _window(self._moves, size, random)
        seen = _seen(objects, window)
        pixels, geometry = self._preprocess.geometry(_cut(source, window, self._fill))
        placed = Placed(pixels, Objects(geometry.to_input(seen.boxes), seen.classes), geometry)
        return placed if self._moves is None else _mirrored(placed, self._moves, random)


def _window(moves: Moves, size: tuple[int, int], random: np.random.Generator) -> Window:
    """Draw (top, left, height, width) in whole source pixels; it may reach outside the picture."""
    top, left, height, width = 0, 0, *size
    if moves.resized_crop is not None:
        top, left, height, width = crop_window(size[0], size[1], moves.resized_crop, random)
    if not (moves.zoom or moves.translate):
        return top, left, height, width
    grow = random.uniform(1 - moves.zoom, 1 + moves.zoom)
    high, wide = max(1, round(height / grow)), max(1, round(width / grow))
    down, right = (random.uniform(-moves.translate, moves.translate) for _ in range(2))
    return (
        round(top + (height - high) / 2 + down * high),
        round(left + (width - wide) / 2 + right * wide),
        high,
        wide,
    )


def _seen(objects: Objects, window: Window) -> Objects:
    """Objects in the window's own pixels, cut to it; those that show too little become regions, or go."""
    top, left, height, width = window
    whole = objects.boxes - np.array([left, top, left, top], dtype=np.float64)
    cut = box_arithmetic.clip(whole, (height, width))
    left_over, area = box_arithmetic.area(cut), box_arithmetic.area(whole)
    classes = np.where(left_over < LEAST_VISIBLE * area, IGNORED, objects.classes)
    kept = left_over > 0
    return Objects(cut[kept], classes[kept])


def _cut(source: NDArray[np.uint8], window: Window, fill: int) -> NDArray[np.uint8]:
    """The pixels of a window; those outside the picture are `fill`."""
    top, left, height, width = window
    cut = np.full((height, width, source.shape[2]), fill, np.uint8)
    rows = slice(max(0, top), min(source.shape[0], top + height))
    columns = slice(max(0, left), min(source.shape[1], left + width))
    if rows.start < rows.stop and columns.start < columns.stop:
        inside = source[rows, columns]
        cut[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = inside
    return cut


def _mirrored(placed: Placed, moves: Moves, random: np.random.Generator) -> Placed:
    pixels, boxes = placed.pixels, placed.objects.boxes
    height, width = pixels.shape[:2]
    if moves.flip and random.random() < moves.flip:
        pixels, boxes = pixels[:, ::-1], np.array([width, 0, width, 0]) - boxes[:, [2, 1, 0, 3]] * [1, -1, 1, -1]
    if moves.vertical_flip and random.random() < moves.vertical_flip:
        pixels, boxes = pixels[::-1], np.array([0, height, 0, height]) - boxes[:, [0, 3, 2, 1]] * [-1, 1, -1, 1]
    return Placed(np.ascontiguousarray(pixels), Objects(boxes, placed.objects.classes), placed.geometry)
