"""The ordered engine: batches go out to worker threads, results come back in order through a bounded window.

Each worker takes the next batch, prepares its items one after the other into its own buffer, runs the buffer and
finishes the results. The engine knows no pixels and no models: it calls what it is given.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnkit.runtime._timings import Timings

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)
State = TypeVar("State")
Result = TypeVar("Result")

Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """What `prepare` returns for an item that is finished without being run: a bad image."""

    result: Result


class Job(Protocol[Item_contra, State, Result]):
    """What the engine calls. Every method may be called by several threads at once.

    new_buffer: an array of shape (n, ...), reused by one worker for all its batches.
    prepare: fill `out` (one slot of a buffer) from the item; return what `finish` needs, or Done.
    run: (n, ...) to arrays by output name, each with n as first axis.
    finish: arrays of n results and the n states to n results.
    failed: what an item gets when `run` or `finish` raised on it alone.
    """

    def new_buffer(self, n: int) -> NDArray[Any]: ...
    def prepare(self, item: Item_contra, out: NDArray[Any]) -> State | Done[Result]: ...
    def run(self, buffer: NDArray[Any]) -> Outputs: ...
    def finish(self, outputs: Outputs, states: Sequence[State]) -> list[Result]: ...
    def failed(self, state: State, error: Exception) -> Result: ...


def run_ordered(
    batches: Iterable[Sequence[Item]],
    job: Job[Item, State, Result],
    *,
    workers: int,
    window: int | None = None,
    timings: Timings | None = None,
) -> Generator[list[Result], None, None]:
    """Yield each batch's results, in the order of `batches`, whatever the threads do.

    At most `window` batches (2 * workers) are under way or waiting to be taken, and `batches` is read no further
    ahead than that. An exception of a batch is raised when its turn comes, so everything before it is delivered.

    A batch on which `run` raises is run again an item at a time; those that raise again get `job.failed`.
    MemoryError is never an item's fault: it is raised.
    """
    engine = _Engine(iter(batches), job, window or 2 * workers, timings or Timings())
    threads = [threading.Thread(target=engine.work, name=f"cnnkit-worker-{n}") for n in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield from engine.results()
    finally:
        engine.stop()
        for thread in threads:
            thread.join()


class _Engine(Generic[Item, State, Result]):
    def __init__(
        self, batches: Iterator[Sequence[Item]], job: Job[Item, State, Result], window: int, timings: Timings
    ) -> None:
        self._batches = batches
        self._job = job
        self._timings = timings
        self._permits = threading.Semaphore(window)
        self._pull = threading.Lock()
        self._pulled = 0
        self._end: int | None = None
        self._ready: dict[int, list[Result] | BaseException] = {}
        self._changed = threading.Condition()
        self._stopped = False

    def results(self) -> Iterator[list[Result]]:
        turn = 0
        while True:
            with self._changed:
                while turn not in self._ready and self._end != turn:
                    self._changed.wait()
                if turn not in self._ready:
                    return
                result = self._ready.pop(turn)
            if isinstance(result, BaseException):
                raise result
            yield result
            self._permits.release()
            turn += 1

    def stop(self) -> None:
        self._stopped = True
        for _ in range(threading.active_count()):
            self._permits.release()

    def work(self) -> None:
        buffers = _Buffers(self._job.new_buffer)
        while True:
            with self._timings.stage("wait"):
                self._permits.acquire()
            taken = self._take()
            if taken is None:
                return
            turn, batch = taken
            try:
                result: list[Result] | BaseException = self._process(batch, buffers)
            except BaseException as error:
                result = error
            self._put(turn, result)

    def _take(self) -> tuple[int, Sequence[Item]] | None:
        with self._pull:
            if self._stopped or self._end is not None:
                self._permits.release()
                return None
            try:
                batch = next(self._batches, None)
            except BaseException as error:
                self._ready[self._pulled] = error
                batch = None
                self._pulled += 1
            if batch is None:
                with self._changed:
                    self._end = self._pulled
                    self._changed.notify_all()
                self._permits.release()
                return None
            self._pulled += 1
            return self._pulled - 1, batch

    def _put(self, turn: int, result: list[Result] | BaseException) -> None:
        with self._changed:
            self._ready[turn] = result
            self._changed.notify_all()

    def _process(self, batch: Sequence[Item], buffers: "_Buffers") -> list[Result]:
        buffer = buffers.of(len(batch))
        results: dict[int, Result] = {}
        places: list[int] = []
        states: list[State] = []
        for place, item in enumerate(batch):
            state = self._job.prepare(item, buffer[len(states)])
            if isinstance(state, Done):
                results[place] = state.result
            else:
                places.append(place)
                states.append(state)
        results.update(zip(places, self._run(buffer[: len(states)], states), strict=True))
        return [results[place] for place in range(len(batch))]

    def _run(self, buffer: NDArray[Any], states: list[State]) -> list[Result]:
        if not states:
            return []
        try:
            with self._timings.stage("run"):
                outputs = self._job.run(buffer)
            with self._timings.stage("postprocess"):
                return self._job.finish(outputs, states)
        except Exception as error:
            if isinstance(error, MemoryError):
                raise
            if len(states) == 1:
                return [self._job.failed(states[0], error)]
        return [result for at, state in enumerate(states) for result in self._run(buffer[at : at + 1], [state])]


class _Buffers:
    """One array, made for the largest batch so far."""

    def __init__(self, make: Callable[[int], NDArray[Any]]) -> None:
        self._make = make
        self._buffer: NDArray[Any] = np.empty(0)

    def of(self, n: int) -> NDArray[Any]:
        if len(self._buffer) < n:
            self._buffer = self._make(n)
        return self._buffer[:n]
