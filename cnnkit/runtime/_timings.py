"""Where the time goes: seconds by stage, summed over threads."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Timings", "bound_by"]


class Timings:
    """Seconds by stage. Every thread adds to its own table, so nothing waits on a lock."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._tables: list[dict[str, float]] = []
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            table = self._table()
            table[name] = table.get(name, 0.0) + time.perf_counter() - began

    def totals(self) -> dict[str, float]:
        """Seconds of each stage, summed over all threads, by name."""
        sums: dict[str, float] = {}
        with self._lock:
            for table in self._tables:
                for name, seconds in list(table.items()):
                    sums[name] = sums.get(name, 0.0) + seconds
        return dict(sorted(sums.items()))

    def _table(self) -> dict[str, float]:
        table: dict[str, float] | None = getattr(self._local, "table", None)
        if table is None:
            table = self._local.table = {}
            with self._lock:
                self._tables.append(table)
        return table


def bound_by(stages: dict[str, float]) -> str:
    """Say in one line where the workers' time went: `run: 71 % of the workers' time (decode 18 %, ...)`."""
    work = {name: seconds for name, seconds in stages.items() if name != "write" and seconds > 0}
    total = sum(work.values())
    if not total:
        return "nothing was run"
    ranked = sorted(work, key=lambda name: -work[name])
    shares = [f"{name} {100 * work[name] / total:.0f} %" for name in ranked]
    told = {
        "wait": "waiting for results to be written",
        "isolated": "running in a child process what a process died on",
    }
    first = shares[0].replace(ranked[0], told.get(ranked[0], ranked[0]), 1)
    return f"{first} of the workers' time ({', '.join(shares[1:])})" if shares[1:] else f"{first} of the workers' time"
