"""Candidates measured in turn, round after round, so that the machine's moods fall on all of them alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from cnnkit import data, pipeline, runtime
from cnnkit.benchmark import _measure
from cnnkit.benchmark._facts import Benchmark, Candidate, Cell, Stages
from cnnkit.benchmark._machine import this_machine
from cnnkit.benchmark._memory import peak_memory
from cnnkit.errors import DataError, UsageError
from cnnkit.pipeline import Model
from cnnkit.records import Sample
from cnnkit.runtime import Timings

BATCH_SIZES = (1, 4, 16, 32)
PER_ROUND = 10  # single runs of each candidate in a round
MAX_IMAGES = 200

Progress = Callable[[int, int], None]


@dataclass
class _Running:
    """A candidate while it is measured: an entry a round in every list."""

    path: Path
    model: Model  # one intra-op thread, for the workers
    alone: Model  # all cores on one image
    options: dict[str, Any]
    load_ms: float
    cell_keys: list[tuple[int, int]]
    latencies: list[float] = field(default_factory=list)
    cells: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    from_files: list[float] = field(default_factory=list)
    timings: Timings = field(default_factory=Timings)


def bench(
    models: Sequence[Path],
    images: Path | None = None,
    *,
    precisions: Sequence[str] = ("fp32",),
    batch_sizes: Sequence[int] = (),
    workers: Sequence[int] = (),
    rounds: int = 7,
    seconds: float = 0.3,
    warmup: int = 5,
    limit: int = MAX_IMAGES,
    progress: Progress = lambda done, total: None,
    **options: Any,
) -> Benchmark:
    """Measure every model at every precision, in turn.

    Args:
        models: .onnx files.
        images: measure the whole way from these files too.
        precisions: the least precise arithmetic that the provider may use.
        batch_sizes: images in a batch, 1, 4, 16 and 32 unless given; a file with a fixed batch is measured at that.
        workers: numbers of worker threads; one, and as many as there are cores, unless given.
        rounds: how often everything is measured; medians and the middle half over rounds are reported.
        seconds: how long each batch size and number of workers runs in a round.
        warmup: runs before anything counts.
        limit: how many of `images` are used.
        progress: told (rounds done, rounds in all).
        options: those of `pipeline.open_model`.

    Raises:
        UsageError: no model. DataError: `images` holds none. What `open_model` raises.
    """
    if not models:
        raise UsageError("bench needs at least one model.")
    many = tuple(workers) or tuple(sorted({1, runtime.available_cores().count}))
    sizes = tuple(batch_sizes) or BATCH_SIZES
    samples = list(islice(data.find_images(images), limit)) if images is not None else []
    if images is not None and not samples:
        raise DataError(f"{images}: holds no image.")
    running = [
        _open(path, options | {"precision": precision}, sizes, many, warmup)
        for path in models
        for precision in precisions
    ]
    noise = []
    for number in range(rounds):
        noise.append(_measure.fixed_work_ms())
        for step in _steps(many, sizes, samples, seconds):
            for candidate in running:
                step(candidate)
        noise.append(_measure.fixed_work_ms())
        progress(number + 1, rounds)
    found = tuple(_candidate(each, running[0], max(many)) for each in running)
    return Benchmark(machine=this_machine(), candidates=found, rounds=rounds, noise=_measure.noise_of(noise))


def _open(path: Path, options: dict[str, Any], sizes: Sequence[int], many: Sequence[int], warmup: int) -> _Running:
    load_ms = _measure.time_ms(lambda: pipeline.open_model(path, **options))
    model = pipeline.open_model(path, **options)
    alone = pipeline.open_model(path, **(options | {"threads": runtime.available_cores().count}))
    fixed = model.fixed_batch
    keys = [(size, count) for size in ([fixed] if fixed else sizes) for count in many]
    for each in (model, alone):
        feed = {each.spec.input.name: _measure.random_batch(each, fixed or 1)}
        for _ in range(warmup):
            each.session.run(feed)
    return _Running(path, model, alone, options, load_ms, keys)


def _steps(
    many: Sequence[int], sizes: Sequence[int], samples: Sequence[Sample], seconds: float
) -> list[Callable[[_Running], None]]:
    """What is measured in a round, each for all candidates before the next."""
    steps: list[Callable[[_Running], None]] = [_one_by_one]
    cells = [(size, count) for size in sizes for count in many]
    steps += [partial(_throughput, at=at, seconds=seconds) for at in range(len(cells))]
    if samples:
        steps.append(partial(_from_files, samples=samples, workers=max(many)))
    return steps


def _one_by_one(candidate: _Running) -> None:
    feed = {candidate.alone.spec.input.name: _measure.random_batch(candidate.alone, candidate.alone.fixed_batch or 1)}
    run = partial(candidate.alone.session.run, feed)
    candidate.latencies += [_measure.time_ms(run) for _ in range(PER_ROUND)]


def _throughput(candidate: _Running, *, at: int, seconds: float) -> None:
    if at < len(candidate.cell_keys):
        size, count = candidate.cell_keys[at]
        rate = _measure.throughput(candidate.model, batch_size=size, workers=count, seconds=seconds)
        candidate.cells.setdefault((size, count), []).append(rate)


def _from_files(candidate: _Running, *, samples: Sequence[Sample], workers: int) -> None:
    def run() -> None:
        for _ in candidate.model.rows(samples, workers=workers, timings=candidate.timings):
            pass

    candidate.from_files.append(len(samples) / _measure.time_ms(run) * 1000)


def _candidate(each: _Running, first: _Running, workers: int) -> Candidate:
    cells = []
    for (size, count), rates in each.cells.items():
        median, low, high = _measure.spread(rates)
        cells.append(Cell(batch_size=size, workers=count, images_per_s=median, low=low, high=high))
    best, best_of_first = _best(each), _best(first)
    latencies = [list(pair) for pair in (each.latencies, first.latencies)]
    return Candidate(
        model=each.model.name,
        sha256=each.model.sha256,
        precision=each.model.session.provider.precision,
        asked_precision=each.options["precision"],
        provider=each.model.session.provider.name,
        notes=each.model.notes,
        load_ms=each.load_ms,
        latency=_measure.latency_of(each.latencies),
        cells=tuple(cells),
        from_files=_stages(each) if each.from_files else None,
        peak_memory_bytes=peak_memory(
            each.path, batch_size=each.cell_keys[-1][0], workers=workers, options=each.options
        ),
        latency_ratio=_measure.ratio_of(*latencies),
        throughput_ratio=_measure.ratio_of(first.cells[best_of_first], each.cells[best]),
    )


def _best(each: _Running) -> tuple[int, int]:
    return max(each.cells, key=lambda key: _measure.spread(each.cells[key])[0])


def _stages(each: _Running) -> Stages:
    median, low, high = _measure.spread(each.from_files)
    totals = {name: seconds for name, seconds in each.timings.totals().items() if name != "wait"}
    whole = sum(totals.values())
    shares = {name: seconds / whole for name, seconds in totals.items()}
    return Stages(images_per_s=median, low=low, high=high, shares=shares)
