"""All pictures with boxes read once, the bad ones said, the rest counted."""

import hashlib

import numpy as np

from cnnkit.spec import ModelSpec
from cnnkit.training._box_engine import PreparedBoxes
from cnnkit.training._box_moves import Moves
from cnnkit.training._box_parts import BoxParts
from cnnkit.training._box_pictures import BoxPictures, load_boxes
from cnnkit.training._prepare import named_apart, say_bad
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import DataRecord
from cnnkit.training._watch import Watch

__all__ = ["prepare_boxes"]


def prepare_boxes(parts: BoxParts, spec: ModelSpec, recipe: Recipe, *, workers: int, watch: Watch) -> PreparedBoxes:
    """Read all pictures once. DataError when none can be read."""
    n, held_out = len(parts.training.listing), parts.validation
    watch.total = n + (len(held_out.listing) if held_out else 0) + recipe.epochs * n
    training = load_boxes(parts.training, spec, moves=Moves.of(recipe), workers=workers, report=watch.count)
    validation = None
    if held_out:
        validation = load_boxes(held_out, spec, moves=None, workers=workers, report=watch.count)
    bad = dict(training.bad)
    if validation:
        bad |= named_apart(validation.bad, validation.part.listing.root, training.part.listing.root)
    say_bad(bad, watch)
    record = DataRecord(
        root=str(training.part.listing.root),
        fingerprint=_fingerprint(training, validation),
        n=len(training),
        n_val=len(validation) if validation else 0,
        per_class=_objects_of(training),
        bad=bad,
    )
    return PreparedBoxes(spec, training, validation, record)


def _objects_of(training: BoxPictures) -> dict[str, int]:
    truth = training.part.truth
    counts = np.bincount(truth.category[~truth.iscrowd], minlength=len(truth.classes))
    return dict(zip(truth.classes, counts.tolist(), strict=True))


def _fingerprint(*parts: BoxPictures | None) -> str:
    """sha256 over key, size, time and objects of every picture, so that a run does not go on with other ones."""
    digest = hashlib.sha256()
    for part in parts:
        for sample, objects in zip(part.part.listing, part.part.objects, strict=True) if part else ():
            digest.update(f"{sample.key}\t{sample.size}\t{sample.mtime_ns}\n".encode())
            digest.update(objects.boxes.tobytes() + objects.classes.tobytes())
        digest.update(b"\n")
    return digest.hexdigest()
