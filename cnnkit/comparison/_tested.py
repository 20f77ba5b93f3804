"""The outcome of one test: what sentences and verdicts are made of."""

from dataclasses import dataclass

from cnnkit.metrics.intervals import Interval


@dataclass(frozen=True)
class Tested:
    """`value` is second minus first; `split` how many images each alone gets right, for a proportion."""

    first: str
    second: str
    measure: str
    value: float
    interval: Interval | None
    p: float | None
    n: int
    method: str
    split: tuple[int, int] | None = None
