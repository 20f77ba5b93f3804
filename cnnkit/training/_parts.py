"""Which images are learned from and which are held out."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnkit import data
from cnnkit.data import Labelled
from cnnkit.errors import UsageError
from cnnkit.training._recipe import Recipe

__all__ = ["Parts", "find_parts"]


class Parts(NamedTuple):
    training: Labelled
    validation: Labelled | None
    notes: list[str]


def find_parts(source: Path, recipe: Recipe) -> Parts:
    """The part `train` and, to score epochs on, `val`; without `val` the share that the recipe holds out, if any.

    Raises:
        DataError: no class folders, a class in `val` that `train` does not have.
        UsageError: early stopping without anything held out.
    """
    found = data.find_part(source, prefer=("train",))
    training = data.class_folders(found.root)
    notes = [*found.notes, *training.notes]
    beside = data.find_parts(source).get("val")
    if found.name is not None and beside is not None:
        validation = data.class_folders(beside, classes=training.classes)
        said = f"{beside.name} scores each epoch ({len(validation.labels)} images)."
        return Parts(training, validation, [*notes, *validation.notes, said])
    if recipe.holdout:
        kept, held = _hold_out(training, recipe)
        said = f"No val part: {len(held.labels)} images, chosen by seed, are held out to score each epoch."
        return Parts(kept, held, [*notes, said])
    if recipe.early_stop is not None:
        raise UsageError("--early-stop needs a val part to go by; --holdout 0.2 makes one.")
    said = f"No val part: all {len(training.labels)} images are learned from. --holdout 0.2 would keep a fifth back."
    return Parts(training, None, [*notes, said])


def _hold_out(part: Labelled, recipe: Recipe) -> tuple[Labelled, Labelled]:
    """A seeded share of each class: of two images or more at least one, never all."""
    random = np.random.default_rng((recipe.seed, 0))
    held = np.zeros(len(part.labels), dtype=bool)
    for label in range(len(part.classes)):
        members = random.permutation(np.flatnonzero(part.labels == label))
        n = min(max(1, round(recipe.holdout * len(members))), len(members) - 1)
        held[members[: max(n, 0)]] = True
    return _take(part, ~held), _take(part, held)


def _take(part: Labelled, chosen: NDArray[np.bool_]) -> Labelled:
    at = np.flatnonzero(chosen)
    return Labelled(part.listing.take(at.tolist()), part.labels[at], part.classes, part.notes)
