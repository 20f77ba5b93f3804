"""The ordered engine on jobs of numbers: order, batches, failures, the window, interruption."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnnkit.runtime import Done, Outputs, Timings, bound_by, run_ordered


class Squares:
    """Squares numbers. Negative ones are finished unrun; `bad` ones make the run raise."""

    def __init__(self, *, bad: Sequence[int] = (), wait: float = 0.0) -> None:
        self.bad = set(bad)
        self.wait = wait
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()

    def new_buffer(self, n: int) -> NDArray[Any]:
        return np.zeros((n, 1))

    def read(self, item: int) -> str:
        return str(item)

    def prepare(self, item: int, content: str, out: NDArray[Any]) -> int | Done[str]:
        assert content == str(item)
        time.sleep(self.wait * (item % 3))
        if item < 0:
            return Done(f"{item} left out")
        out[0] = item
        return item

    def run(self, buffer: NDArray[Any]) -> Outputs:
        self.threads.add(threading.get_ident())
        numbers = [int(value) for value in buffer[:, 0]]
        self.batches.append(numbers)
        if self.bad.intersection(numbers):
            raise RuntimeError(f"cannot square {sorted(self.bad.intersection(numbers))}")
        return {"squares": buffer**2}

    def finish(self, outputs: Outputs, states: Sequence[int]) -> list[str]:
        return [f"{state} squared is {int(value[0])}" for state, value in zip(states, outputs["squares"], strict=True)]

    def failed(self, state: int, error: Exception) -> str:
        return f"{state} failed: {error}"


def _cut(numbers: Sequence[int], size: int) -> list[Sequence[int]]:
    return [numbers[at : at + size] for at in range(0, len(numbers), size)]


def _expected(number: int, bad: Sequence[int] = ()) -> str:
    if number < 0:
        return f"{number} left out"
    return f"{number} failed: cannot square [{number}]" if number in bad else f"{number} squared is {number**2}"


@settings(deadline=None, max_examples=40)
@given(
    numbers=st.lists(st.integers(-5, 50), max_size=40),
    bad=st.lists(st.integers(0, 50), max_size=3),
    size=st.integers(1, 7),
    workers=st.integers(1, 4),
)
def test_every_item_gets_its_result_in_order(numbers: list[int], bad: list[int], size: int, workers: int) -> None:
    batches = _cut(numbers, size)
    results = list(run_ordered(batches, Squares(bad=bad), workers=workers))
    assert results == [[_expected(number, bad) for number in batch] for batch in batches]


def test_slow_items_do_not_change_the_order() -> None:
    job = Squares(wait=0.003)
    results = list(run_ordered(_cut(range(30), 2), job, workers=4))
    assert [text for batch in results for text in batch] == [_expected(number) for number in range(30)]
    assert len(job.threads) > 1


def test_batches_are_cut_by_the_caller_and_lose_only_what_is_done() -> None:
    job = Squares()
    list(run_ordered([[1, -1, 2], [-2], [3]], job, workers=1))
    assert job.batches == [[1, 2], [3]]


def test_a_batch_that_raises_is_run_an_item_at_a_time() -> None:
    job = Squares(bad=[2])
    (results,) = run_ordered([[1, 2, 3]], job, workers=1)
    assert results == ["1 squared is 1", "2 failed: cannot square [2]", "3 squared is 9"]
    assert job.batches == [[1, 2, 3], [1], [2], [3]]


class OutOfMemory(Squares):
    def run(self, buffer: NDArray[Any]) -> Outputs:
        if 7 in buffer:
            raise MemoryError("no more")
        return super().run(buffer)


def test_memory_errors_are_raised_after_everything_before_them() -> None:
    rows = run_ordered(_cut(range(20), 2), OutOfMemory(), workers=3)
    assert [text for _ in range(3) for text in next(rows)] == [_expected(number) for number in range(6)]
    with pytest.raises(MemoryError, match="no more"):
        next(rows)


def test_an_error_of_the_batches_themselves_is_raised_in_turn() -> None:
    def batches() -> Iterator[list[int]]:
        yield [1]
        yield [2]
        raise OSError("the list ends here")

    rows = run_ordered(batches(), Squares(), workers=2)
    assert [next(rows), next(rows)] == [[_expected(1)], [_expected(2)]]
    with pytest.raises(OSError, match="the list ends here"):
        next(rows)


def test_the_window_bounds_how_far_the_batches_are_read() -> None:
    read = []

    def batches() -> Iterator[list[int]]:
        for number in range(100):
            read.append(number)
            yield [number]

    rows = run_ordered(batches(), Squares(), workers=2, window=3)
    for turn in range(10):
        next(rows)
        time.sleep(0.01)
        assert len(read) <= turn + 3
    rows.close()


def test_closing_early_ends_the_threads() -> None:
    before = threading.active_count()
    rows = run_ordered(_cut(range(1000), 2), Squares(), workers=4)
    next(rows)
    assert threading.active_count() > before
    rows.close()
    assert threading.active_count() == before


def test_an_empty_list_gives_nothing() -> None:
    assert list(run_ordered([], Squares(), workers=3)) == []


def test_buffers_are_reused_by_a_worker() -> None:
    made = []

    class Counted(Squares):
        def new_buffer(self, n: int) -> NDArray[Any]:
            made.append(n)
            return super().new_buffer(n)

    list(run_ordered(_cut(range(50), 4), Counted(), workers=1))
    assert made == [4]


class SlowDisk(Squares):
    """Reading takes a while and can be done by many at once, as on a network share."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = 0
        self.most = 0
        self.lock = threading.Lock()

    def read(self, item: int) -> str:
        with self.lock:
            self.reading += 1
            self.most = max(self.most, self.reading)
        time.sleep(0.01)
        with self.lock:
            self.reading -= 1
        return str(item)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("size", [1, 5, 40])
def test_a_slow_disk_is_read_ahead_and_nothing_else_changes(size: int, workers: int) -> None:
    job = SlowDisk()
    results = list(run_ordered(_cut(range(200), size), job, workers=workers))
    assert [text for batch in results for text in batch] == [_expected(number) for number in range(200)]
    assert job.most > workers
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("cnnkit")]


def test_a_fast_disk_is_read_by_the_workers_themselves() -> None:
    readers = set()

    class Fast(Squares):
        def read(self, item: int) -> str:
            readers.add(threading.current_thread().name)
            return super().read(item)

    list(run_ordered(_cut(range(500), 4), Fast(), workers=2))
    assert all(name.startswith("cnnkit-worker") for name in readers)


class TestRunners:
    def test_only_they_run(self) -> None:
        names = []

        class Named(Squares):
            def run(self, buffer: NDArray[Any]) -> Outputs:
                names.append(threading.current_thread().name)
                return super().run(buffer)

        results = list(run_ordered(_cut(range(60), 4), Named(bad=[7]), workers=5, runners=2))
        assert [text for batch in results for text in batch] == [_expected(number, [7]) for number in range(60)]
        assert {name.rstrip("01") for name in names} == {"cnnkit-runner_"}

    def test_no_more_batches_run_at_once(self) -> None:
        running, most = 0, 0
        lock = threading.Lock()

        class Counted(Squares):
            def run(self, buffer: NDArray[Any]) -> Outputs:
                nonlocal running, most
                with lock:
                    running += 1
                    most = max(most, running)
                time.sleep(0.002)
                with lock:
                    running -= 1
                return super().run(buffer)

        list(run_ordered(_cut(range(60), 2), Counted(), workers=6, runners=2))
        assert most == 2


def test_stages_are_timed_over_all_threads() -> None:
    timings = Timings()
    list(run_ordered(_cut(range(20), 2), Squares(), workers=2, timings=timings))
    assert set(timings.totals()) == {"postprocess", "read", "run", "wait"}
    assert all(seconds >= 0 for seconds in timings.totals().values())


def test_bound_by_says_the_largest_share_first() -> None:
    stages = {"decode": 1.0, "run": 3.0, "wait": 0.0, "write": 50.0}
    assert bound_by(stages) == "run 75 % of the workers' time (decode 25 %)"
    assert bound_by({"wait": 9.0, "run": 1.0}).startswith("waiting for results to be written 90 %")
    assert bound_by({}) == "nothing was run"
