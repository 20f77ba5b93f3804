"""What is there before the first step: the parts, the spec, the pictures."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnkit.errors import UsageError
from cnnkit.spec import ModelSpec
from cnnkit.training._parts import Parts, find_parts
from cnnkit.training._pixels import Pictures, load
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import DataRecord
from cnnkit.training._spec import draft_spec, learns_values, with_values
from cnnkit.training._values import mean_and_std

__all__ = ["Count", "Prepared", "prepare"]

MANY_BAD = 20  # more bad images than this are counted on the screen and listed in the record


class Count:
    """Images done, of those to come: one to read each, then one for each epoch."""

    def __init__(self, report: Callable[[int, int], None]) -> None:
        self._report = report
        self.done = self.total = 0

    def __call__(self, n: int) -> None:
        self.done += n
        self._report(self.done, max(self.total, self.done))


@dataclass(frozen=True)
class Prepared:
    spec: ModelSpec
    training: Pictures
    validation: Pictures | None
    record: DataRecord
    notes: list[str]


def prepare(source: Path, recipe: Recipe, *, workers: int, count: Count, say: Callable[[str], None]) -> Prepared:
    """Read all images once. DataError when there are none, UsageError when early stopping has nothing to go by."""
    parts = find_parts(source, recipe)
    if recipe.early_stop is not None and parts.validation is None:
        raise UsageError("--early-stop needs a val part to go by; --holdout 0.2 makes one.")
    for note in parts.notes:
        say(note)
    n_read = len(parts.training.labels) + (len(parts.validation.labels) if parts.validation else 0)
    count.total = n_read + recipe.epochs * len(parts.training.labels)
    spec = draft_spec(recipe, parts.training.classes)
    training = load(parts.training, spec, resized_crop=recipe.resized_crop, workers=workers, report=count)
    validation = None
    if parts.validation:
        validation = load(parts.validation, spec, resized_crop=None, workers=workers, report=count)
    if learns_values(recipe):
        spec = with_values(spec, *mean_and_std(training.levels, spec))
    bad = _all_bad(training, validation)
    for note in _say_bad(bad):
        say(note)
    record = _record(parts, training, validation, bad)
    return Prepared(spec, training, validation, record, [*parts.notes, *_say_bad(bad)])


def _all_bad(training: Pictures, validation: Pictures | None) -> dict[str, str]:
    """Held-out images are named with their folder, since a key is a path below it."""
    if validation is None:
        return training.bad
    folder = validation.listing.root.name
    return {**training.bad, **{f"{folder}/{key}": reason for key, reason in validation.bad.items()}}


def _say_bad(bad: dict[str, str]) -> list[str]:
    told = [f"Left out, {key}: {reason}" for key, reason in list(bad.items())[:MANY_BAD]]
    more = len(bad) - len(told)
    return [*told, f"Left out besides: {more} images, listed in the training record."] if more else told


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
