"""Clocks: one run, many runs on several threads, a fixed piece of work that tells how quiet the machine is."""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.benchmark._facts import Latency, Ratio
from cnnkit.pipeline import Model, input_shape

FIXED_WORK = bytes(8 << 20)


def random_batch(model: Model, n: int) -> NDArray[Any]:
    """(n, ...) in the model's dtype: noise in the range of pixels, so that no shortcut for zeros is taken."""
    shape = (n, *input_shape(model.spec))
    return np.random.default_rng(0).integers(0, 100, shape).astype(model.spec.input.dtype)


def time_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def throughput(model: Model, *, batch_size: int, workers: int, seconds: float) -> float:
    """Images per second of `workers` threads that each run batches until the time is up."""
    feed = {model.spec.input.name: random_batch(model, batch_size)}
    gate = threading.Barrier(workers)
    counts, spans = [0] * workers, [0.0] * workers

    def work(at: int) -> None:
        gate.wait()
        began = time.perf_counter()
        while spans[at] < seconds:
            model.session.run(feed)
            counts[at] += batch_size
            spans[at] = time.perf_counter() - began

    threads = [threading.Thread(target=work, args=(at,)) for at in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(count / span for count, span in zip(counts, spans, strict=True))


def fixed_work_ms() -> float:
    """A hash of 8 MiB on one core: as long as ever on a quiet machine."""
    return time_ms(lambda: hashlib.sha256(FIXED_WORK).digest())


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, and the ends of the middle half."""
    low, median, high = np.percentile(values, [25, 50, 75]).tolist()
    return median, low, high


def noise_of(values: Sequence[float]) -> float:
    """How far apart the tenth and the ninetieth percentile are, as a share of the median."""
    low, median, high = np.percentile(values, [10, 50, 90]).tolist()
    return float((high - low) / median)


def latency_of(times: Sequence[float]) -> Latency:
    p50, p90, p95, p99 = np.percentile(times, [50, 90, 95, 99]).tolist()
    return Latency(n=len(times), p50=p50, p90=p90, p95=p95, p99=p99)


def ratio_of(first: Sequence[float], other: Sequence[float]) -> Ratio:
    """What `other` is to `first`, pair by pair."""
    median, low, high = spread([b / a for a, b in zip(first, other, strict=True)])
    return Ratio(median=median, low=low, high=high)
