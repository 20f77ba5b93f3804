"""--tune: a few settings tried on the first images, the best taken, and remembered for this model on this machine."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from cnnkit.files import write_text
from cnnkit.inference._pace import Pace
from cnnkit.inference._record import processor, versions
from cnnkit.pipeline import Model, RowOptions
from cnnkit.records import Sample

BATCH_SIZES = (1, 4, 8, 16, 32)
LARGE_BATCHES = (64, 128)  # for a GPU
IMAGES = 64  # the first of the folder, over and over
SECONDS = 1.5  # for each setting
WORTH = 1.03  # a setting must be that much faster than the one it replaces: less is noise


Open = Callable[[Pace], Model]
Clock = Callable[[], float]


def tuned(
    open_with: Open,
    samples: Sequence[Sample],
    *,
    cores: int,
    batch_size: int | None,
    options: RowOptions,
    say: Callable[[str], None],
    memory: Path | None = None,
    clock: Clock = time.perf_counter,
) -> Pace:
    """The fastest setting for a model on this machine: the remembered one, else measured now and remembered.

    `open_with` opens the model for a setting, `batch_size` is what was typed or planned. Answers do not depend on
    workers and threads; the batch size goes into the plan.
    """
    memory = memory or _memory()
    first = open_with(Pace(cores, 1, batch_size or 1))
    key = _key(first, cores, batch_size, options)
    known = _remembered(memory).get(key)
    if known is not None:
        pace = Pace(**known)
        say(f"Tuned before: {pace} ({memory}; delete it to measure again).")
        return pace
    images = samples[:IMAGES]
    sizes = _sizes(first, batch_size)
    best, speed = Pace(cores, 1, sizes[0]), 0.0
    for pace in _candidates(sizes, cores):
        pace = pace if pace.threads == 1 else replace(pace, batch_size=best.batch_size)
        measured = _images_per_s(open_with(pace), images, pace, options, clock)
        say(f"  {pace}: {measured:.1f} images/s")
        if measured > speed * WORTH:
            best, speed = pace, measured
    say(f"Tuned: {best}.")
    write_text(memory, json.dumps(_remembered(memory) | {key: asdict(best)}, indent=1, sort_keys=True) + "\n")
    return best


def _sizes(model: Model, typed: int | None) -> Sequence[int]:
    """The batch sizes to try: one, where it was typed or the model has a need of its own."""
    size, reason = model.batch_size(typed)
    if typed is not None or reason is not None:
        return (size,)
    return (*BATCH_SIZES, *LARGE_BATCHES) if model.session.wants_full_batches else BATCH_SIZES


def _candidates(sizes: Sequence[int], cores: int) -> Iterator[Pace]:
    """Batch sizes first, then fewer workers with more threads each."""
    for size in sizes:
        yield Pace(cores, 1, size)
    for workers in sorted({cores // 2, 1} - {0, cores}, reverse=True):
        yield Pace(workers, cores // workers, sizes[0])


def _images_per_s(model: Model, images: Sequence[Sample], pace: Pace, options: RowOptions, clock: Clock) -> float:
    """Over what is answered between the first batch, which warms up, and the last."""
    ends: list[float] = []
    counts: list[int] = []
    for rows in model.run_batches(_batches(images, pace, clock), options, workers=pace.workers):
        ends.append(clock())
        counts.append(len(rows))
    seconds = ends[-1] - ends[0]
    return sum(counts[1:]) / seconds if seconds > 0 else float(sum(counts))


def _batches(images: Sequence[Sample], pace: Pace, clock: Clock) -> Iterator[list[Sample]]:
    began = clock()
    size = pace.batch_size or 1
    at = 0
    while at < 2 * pace.workers or clock() - began < SECONDS:
        yield [images[(at * size + place) % len(images)] for place in range(size)]
        at += 1


def _memory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cnnkit" / "tuned.json"


def _remembered(memory: Path) -> dict[str, dict[str, int]]:
    try:
        known: dict[str, dict[str, int]] = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    return known


def _key(model: Model, cores: int, batch_size: int | None, options: RowOptions) -> str:
    """Everything that the answer may depend on: model, preprocessing, provider, machine, versions, what was typed."""
    provider, decoding = model.session.provider, "fast" if options.fast_decode else "exact"
    reading = [model.spec.spec_hash, decoding]
    facts = [model.sha256, *reading, provider.name, provider.precision, processor(), cores, batch_size, versions()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
