"""How many workers, threads and images at a time: typed, hinted at, or tuned."""

from dataclasses import dataclass
from typing import Literal

from cnnkit.runtime import available_cores

Hint = Literal["throughput", "latency"]


@dataclass(frozen=True, slots=True)
class Pace:
    """`batch_size` is what a new run takes when none was typed and the model has no need of its own."""

    workers: int
    threads: int
    batch_size: int | None = None

    def __str__(self) -> str:
        size = "" if self.batch_size is None else f" -b {self.batch_size}"
        return f"-j {self.workers} --threads {self.threads}{size}"


def choose_pace(hint: Hint, *, workers: int | None, threads: int | None) -> Pace:
    """A worker for each core with one thread each; with the hint `latency` one worker that has all cores."""
    cores = available_cores().count
    if hint == "latency":
        return Pace(workers or 1, threads or cores, 1)
    return Pace(workers or cores, threads or 1)
