"""Labelled boxes to learn from, and those that are held out: in any format that `cnnkit.data` reads."""

import os
from array import array
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnkit import data
from cnnkit.data import BoxPart, DetectionTruth, Listing
from cnnkit.errors import DataError, UsageError
from cnnkit.training._box_moves import Objects
from cnnkit.training._box_targets import IGNORED
from cnnkit.training._recipe import Recipe

__all__ = ["BoxParts", "Boxed", "find_box_parts"]


class Boxed(NamedTuple):
    """Pictures with their objects, in source pixels. `truth` holds the same objects as their file has them."""

    listing: Listing
    objects: list[Objects]
    truth: DetectionTruth

    @property
    def classes(self) -> tuple[str, ...]:
        return self.truth.classes

    def take(self, positions: list[int]) -> "Boxed":
        return Boxed(self.listing.take(positions), [self.objects[at] for at in positions], _of(self.truth, positions))


class BoxParts(NamedTuple):
    training: Boxed
    validation: Boxed | None
    notes: list[str]


def find_box_parts(source: Path, recipe: Recipe) -> BoxParts:
    """The part `train` and, to score epochs on, `val`; without `val` the share that the recipe holds out, if any.

    Raises:
        DataError: no labelled boxes or no pictures of them, no part to learn from, no object in it.
        UsageError: early stopping without anything held out.
    """
    found = data.open_boxes(source)
    name = None if None in found.parts else "train"
    if name not in found.parts:
        have = ", ".join(map(str, found.parts))
        raise DataError(f"{source}: has the parts {have}, and train is what is learned from.")
    parts = {part.name: part for part in data.read_box_parts(found, split=None, images=None)}
    training = _boxed(parts[name], source)
    notes = [*_named(parts[name]), *_said_of_classes(training)]
    if name is not None and "val" in parts:
        validation = _boxed(parts["val"], source)
        notes += [*_named(parts["val"]), f"val scores each epoch ({len(validation.listing)} images)."]
        return BoxParts(training, validation, notes)
    n = len(training.listing)
    if recipe.holdout:
        kept, held = _held_out(n, recipe)
        notes.append(f"No val part: {len(held)} images, chosen by seed, are held out to score each epoch.")
        return BoxParts(training.take(kept), training.take(held), notes)
    if recipe.early_stop is not None:
        raise UsageError("--early-stop needs a val part to go by; --holdout 0.2 makes one.")
    notes.append(f"No val part: all {n} images are learned from. --holdout 0.2 would keep a fifth back.")
    return BoxParts(training, None, notes)


def _boxed(part: BoxPart, source: Path) -> Boxed:
    if part.pictures is None:
        raise DataError(
            f"{part.truth.source}: the pictures of its {len(part.truth.keys)} images are not found: expected below "
            f"{source}, in images/ or JPEGImages/, in a folder named after the part, or beside the labels."
        )
    truth = part.truth
    if not len(truth.boxes):
        raise DataError(f"{truth.source}: has no object, so there is nothing to learn.")
    x, y, w, h = truth.xywh().T
    boxes = np.stack([x, y, x + w, y + h], axis=1)
    classes = np.where(truth.iscrowd, IGNORED, truth.category)
    order = np.argsort(truth.image, kind="stable")
    ends = np.cumsum(np.bincount(truth.image, minlength=len(truth.keys)))[:-1]
    objects = [
        Objects(each, of_class)
        for each, of_class in zip(np.split(boxes[order], ends), np.split(classes[order], ends), strict=True)
    ]
    return Boxed(_listed(part.pictures, truth.keys), objects, truth)


def _listed(root: Path, keys: tuple[str, ...]) -> Listing:
    """The pictures as they are named by the labels; one that is not there is met when it is read."""
    facts = [(root / key).stat() if (root / key).is_file() else None for key in keys]
    sizes, times = array("q"), array("q")
    for fact in facts:
        sizes.append(fact.st_size if fact else 0)
        times.append(fact.st_mtime_ns if fact else 0)
    return Listing(root, [os.fsencode(key) for key in keys], sizes, times)


def _of(truth: DetectionTruth, images: list[int]) -> DetectionTruth:
    """The truth of some of the images, in the order given."""
    place = np.full(len(truth.keys), -1, dtype=np.int64)
    place[images] = np.arange(len(images))
    kept: NDArray[np.bool_] = place[truth.image] >= 0
    return replace(
        truth,
        keys=tuple(truth.keys[at] for at in images),
        sizes=truth.sizes[images].reshape(-1, 2),
        image=place[truth.image[kept]],
        category=truth.category[kept],
        boxes=truth.boxes[kept],
        area=truth.area[kept],
        iscrowd=truth.iscrowd[kept],
        difficult=truth.difficult[kept],
        image_ids=(),
    )


def _held_out(n: int, recipe: Recipe) -> tuple[list[int], list[int]]:
    """A seeded share of the images, at least one, never all: positions that are kept, and those held out."""
    if n < 2:
        raise UsageError(f"--holdout {recipe.holdout} of {n} image leaves nothing to learn from.")
    order = np.random.default_rng((recipe.seed, 0)).permutation(n)
    count = min(max(1, round(recipe.holdout * n)), n - 1)
    return sorted(order[count:].tolist()), sorted(order[:count].tolist())


def _named(part: BoxPart) -> list[str]:
    """What was met in a part's labels, said with its name."""
    return [f"{part.name}: {note}" if part.name else note for note in part.notes]


def _said_of_classes(training: Boxed) -> list[str]:
    counts = np.bincount(training.truth.category[~training.truth.iscrowd], minlength=len(training.classes))
    none = [name for name, count in zip(training.classes, counts, strict=True) if not count]
    return [f"Classes without an object to learn from: {len(none)} ({', '.join(none[:5])})."] if none else []
