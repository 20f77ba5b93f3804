"""The ordered engine: batches go out to worker threads, results come back in order through a bounded window.

Each worker takes the next batch, reads and prepares its items one after the other into its own buffer, runs the
buffer and finishes the results. The engine knows no pixels and no models: it calls what it is given.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from cnnkit.runtime._jobs import Content, Done, Item, Job, Outputs, Result, State
from cnnkit.runtime._reading import ReadAhead, Reader
from cnnkit.runtime._timings import Timings

WINDOW = 8


def run_ordered(
    batches: Iterable[Sequence[Item]],
    job: Job[Item, Content, State, Result],
    *,
    workers: int,
    window: int | None = None,
    runners: int | None = None,
    timings: Timings | None = None,
) -> Generator[list[Result], None, None]:
    """Yield each batch's results, in the order of `batches`, whatever the threads do.

    At most `window` batches (8 for each worker) are under way or waiting to be taken, and `batches` is read no further
    ahead than that. An exception of a batch is raised when its turn comes, so everything before it is delivered.

    A batch on which `run` raises is run again an item at a time; those that raise again get `job.failed`.
    MemoryError is never an item's fault: it is raised.

    With `runners`, `job.run` is called by that many threads of their own and the workers only feed them: for a
    device that takes one or two batches at a time, whatever the number of threads that decode.
    """
    engine = _Engine(iter(batches), job, workers, window or WINDOW * workers, runners, timings or Timings())
    threads = [threading.Thread(target=engine.work, name=f"cnnkit-worker-{n}") for n in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield from engine.results()
    finally:
        engine.stop(workers)
        for thread in threads:
            thread.join()
        engine.close()


class _Engine(Generic[Item, Content, State, Result]):
    def __init__(
        self,
        batches: Iterator[Sequence[Item]],
        job: Job[Item, Content, State, Result],
        workers: int,
        window: int,
        runners: int | None,
        timings: Timings,
    ) -> None:
        self._batches = batches
        self._job = job
        self._timings = timings
        self._runners = ThreadPoolExecutor(runners, thread_name_prefix="cnnkit-runner") if runners else None
        self._read_ahead: ReadAhead[Item, Content] = ReadAhead(job.read, workers=workers)
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

    def stop(self, workers: int) -> None:
        self._stopped = True
        for _ in range(workers):
            self._permits.release()

    def close(self) -> None:
        self._read_ahead.close()
        if self._runners is not None:
            self._runners.shutdown()

    def work(self) -> None:
        worker = _Worker(self._job, Reader(self._read_ahead), self._run, self._timings)
        upcoming: deque[tuple[int, Sequence[Item]]] = deque()
        while taken := self._take(worker.reader, wait=True) if not upcoming else upcoming.popleft():
            turn, batch = taken
            try:
                places = worker.prepare(batch)
                while worker.reader.hungry and (further := self._take(worker.reader, wait=False)):
                    upcoming.append(further)
                self._put(turn, worker.finish(len(batch), places))
            except BaseException as error:
                self._put(turn, error)
                return  # whatever comes after it is not delivered

    def _take(self, reader: Reader[Item, Content], *, wait: bool) -> tuple[int, Sequence[Item]] | None:
        """The next batch and its turn, told to the reader; None at the end, or where there is no room and no wait."""
        if wait:
            with self._timings.stage("wait"):
                self._permits.acquire()
        elif not self._permits.acquire(blocking=False):
            return None
        with self._pull:
            taken = None if self._stopped or self._end is not None else self._pulled_batch()
        if taken is None:
            self._permits.release()
        else:
            reader.add(taken[1])
        return taken

    def _pulled_batch(self) -> tuple[int, Sequence[Item]] | None:
        turn = self._pulled
        try:
            batch = next(self._batches, None)
        except BaseException as error:
            self._pulled += 1
            self._put(turn, error)
            batch = None
        if batch is None:
            with self._changed:
                self._end = self._pulled
                self._changed.notify_all()
            return None
        self._pulled += 1
        return turn, batch

    def _put(self, turn: int, result: list[Result] | BaseException) -> None:
        with self._changed:
            self._ready[turn] = result
            self._changed.notify_all()

    def _run(self, buffer: NDArray[Any]) -> Outputs:
        if self._runners is not None:
            return self._runners.submit(self._job.run, buffer).result()
        return self._job.run(buffer)


class _Worker(Generic[Item, Content, State, Result]):
    """One thread's buffer, its files, and the states of the batch in hand."""

    def __init__(
        self,
        job: Job[Item, Content, State, Result],
        reader: Reader[Item, Content],
        run: Callable[[NDArray[Any]], Outputs],
        timings: Timings,
    ) -> None:
        self.reader = reader
        self._job = job
        self._run_buffer = run
        self._timings = timings
        self._buffer: NDArray[Any] = np.empty(0)
        self._states: list[State] = []
        self._results: dict[int, Result] = {}

    def prepare(self, batch: Sequence[Item]) -> list[int]:
        """Fill the buffer; the places in the batch of those that are to be run."""
        if len(self._buffer) < len(batch):
            self._buffer = self._job.new_buffer(len(batch))
        self._states, self._results = [], {}
        places: list[int] = []
        for place, item in enumerate(batch):
            with self._timings.stage("read"):
                content = self.reader.next()
            state = self._job.prepare(item, content, self._buffer[len(places)])
            if isinstance(state, Done):
                self._results[place] = state.result
            else:
                places.append(place)
                self._states.append(state)
        return places

    def finish(self, n: int, places: list[int]) -> list[Result]:
        """Run what was prepared; the results of all n items, in their order."""
        answers = self._answers(self._buffer[: len(places)], self._states)
        self._results.update(zip(places, answers, strict=True))
        return [self._results[place] for place in range(n)]

    def _answers(self, buffer: NDArray[Any], states: list[State]) -> list[Result]:
        if not states:
            return []
        try:
            with self._timings.stage("run"):
                outputs = self._run_buffer(buffer)
            with self._timings.stage("postprocess"):
                return self._job.finish(outputs, states)
        except Exception as error:
            if isinstance(error, MemoryError):
                raise
            if len(states) == 1:
                return [self._job.failed(states[0], error)]
        return [result for at, state in enumerate(states) for result in self._answers(buffer[at : at + 1], [state])]
