"""All images read once, and the spec that they complete."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cnnkit.spec import ModelSpec
from cnnkit.training._parts import Parts
from cnnkit.training._pixels import Pictures, load
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import DataRecord
from cnnkit.training._spec import learns_values, with_values
from cnnkit.training._values import mean_and_std
from cnnkit.training._watch import Watch

__all__ = ["Prepared", "named_apart", "prepare", "say_bad"]

MANY_BAD = 20  # more bad images than this are counted on the screen and listed in the record


@dataclass(frozen=True)
class Prepared:
    spec: ModelSpec
    training: Pictures
    validation: Pictures | None
    record: DataRecord


def prepare(parts: Parts, spec: ModelSpec, recipe: Recipe, *, workers: int, watch: Watch) -> Prepared:
    """Read all images once and finish the spec with what they say. DataError when none can be read."""
    n_training, n_validation = len(parts.training.labels), len(parts.validation.labels) if parts.validation else 0
    watch.total = n_training + n_validation + recipe.epochs * n_training
    training = load(parts.training, spec, resized_crop=recipe.resized_crop, workers=workers, report=watch.count)
    validation = None
    if parts.validation:
        validation = load(parts.validation, spec, resized_crop=None, workers=workers, report=watch.count)
    if learns_values(recipe):
        spec = with_values(spec, *mean_and_std(training.levels, spec))
    bad = dict(training.bad)
    if validation:
        bad |= named_apart(validation.bad, validation.listing.root, training.listing.root)
    say_bad(bad, watch)
    return Prepared(spec, training, validation, _record(parts, training, validation, bad))


def named_apart(bad: dict[str, str], root: Path, training: Path) -> dict[str, str]:
    """A key is a path below its part: bad images of another part than the training part are named with its folder."""
    before = "" if root == training else f"{root.name}/"
    return {before + key: reason for key, reason in bad.items()}


def say_bad(bad: dict[str, str], watch: Watch) -> None:
    for key, reason in list(bad.items())[:MANY_BAD]:
        watch.say(f"Left out, {key}: {reason}")
    if len(bad) > MANY_BAD:
        watch.say(f"Left out besides: {len(bad) - MANY_BAD} images, listed in the training record.")


def _record(parts: Parts, training: Pictures, validation: Pictures | None, bad: dict[str, str]) -> DataRecord:
    names = parts.training.classes
    counts = dict.fromkeys(names, 0)
    for label in training.labels.tolist():
        counts[names[label]] += 1
    return DataRecord(
        root=str(training.listing.root),
        fingerprint=_fingerprint(training, validation),
        n=len(training),
        n_val=len(validation) if validation else 0,
        per_class=counts,
        bad=bad,
    )


def _fingerprint(*parts: Pictures | None) -> str:
    """sha256 over key, size, time and label of every image, so that a run does not go on with other images."""
    digest = hashlib.sha256()
    for part in parts:
        for sample, label in zip(part.listing, part.labels.tolist(), strict=True) if part else ():
            digest.update(f"{sample.key}\t{sample.size}\t{sample.mtime_ns}\t{label}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()
