"""Reading apart from computing, once the disk turns out to be slow."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic

from cnnkit.runtime._jobs import Content, Item

AHEAD = 8  # files of one worker that are read or waiting to be used
SLOW = 0.3  # a share of the workers' time beyond which the disk is called slow
ENOUGH_S = 0.25  # of reading, before it is judged


class ReadAhead(Generic[Item, Content]):
    """Judges the disk by the time that workers wait for it, and gives them threads that read ahead when it is slow."""

    def __init__(self, read: Callable[[Item], Content], *, workers: int) -> None:
        self.read = read
        self._workers = workers
        self._lock = threading.Lock()
        self._spent = 0.0
        self._began = time.perf_counter()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def on(self) -> bool:
        return self._pool is not None

    def spent(self, seconds: float) -> None:
        """Count time that a worker waited for a file."""
        if self._pool is not None:
            return
        with self._lock:
            self._spent += seconds
            share = self._spent / (self._workers * (time.perf_counter() - self._began))
            if self._spent > ENOUGH_S and share > SLOW and self._pool is None:
                self._pool = ThreadPoolExecutor(self._workers * AHEAD // 2, thread_name_prefix="cnnkit-reader")

    def submit(self, item: Item) -> "Future[Content]":
        assert self._pool is not None
        return self._pool.submit(self.read, item)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


class Reader(Generic[Item, Content]):
    """One worker's files, in order: read when they are wanted, or some files ahead."""

    def __init__(self, ahead: ReadAhead[Item, Content]) -> None:
        self._ahead = ahead
        self._items: deque[Item] = deque()
        self._waiting: deque[Future[Content]] = deque()

    @property
    def hungry(self) -> bool:
        """Whether more items should be added, to have something to read ahead."""
        return self._ahead.on and len(self._items) + len(self._waiting) < AHEAD

    def add(self, batch: Sequence[Item]) -> None:
        """Items that will be asked for, after those that were added before."""
        self._items.extend(batch)
        self._fill()

    def next(self) -> Content:
        """The content of the next item."""
        began = time.perf_counter()
        self._fill()
        content = self._waiting.popleft().result() if self._waiting else self._ahead.read(self._items.popleft())
        self._fill()
        self._ahead.spent(time.perf_counter() - began)
        return content

    def _fill(self) -> None:
        while self._ahead.on and self._items and len(self._waiting) < AHEAD:
            self._waiting.append(self._ahead.submit(self._items.popleft()))
