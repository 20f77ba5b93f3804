"""Quality against cost: which models are beaten by no other."""

from collections.abc import Callable, Sequence

from cnnkit.comparison._contender import Contender
from cnnkit.comparison._record import Front
from cnnkit.results import RateOf, Results

# what a model costs, less being better, and how it is got from its results
COSTS: dict[str, Callable[[Results], float | None]] = {
    "latency_ms_p50": lambda each: each.speed.latency_ms_p50,
    "latency_ms_p95": lambda each: each.speed.latency_ms_p95,
    "images_per_s": lambda each: None if each.speed.images_per_s is None else -each.speed.images_per_s,
    "peak_memory_bytes": lambda each: each.speed.peak_memory_bytes,
    "size_bytes": lambda each: each.cost.size_bytes,
    "parameters": lambda each: each.cost.parameters,
    "multiply_adds": lambda each: each.cost.multiply_adds,
}


def rate_kinds(contenders: Sequence[Contender]) -> dict[RateOf | None, list[str]]:
    """Whose images per second are of which kind: those of different kinds do not compare."""
    kinds: dict[RateOf | None, list[str]] = {}
    for each in contenders:
        if each.results.speed.images_per_s is not None:
            kinds.setdefault(each.results.speed.images_per_s_of, []).append(each.name)
    return kinds


def pareto_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Of (cost, quality) pairs those that no other beats: none is as cheap and as good, and better in one of them.

    >>> pareto_front([(1, 0.5), (2, 0.6), (3, 0.6)])
    [True, True, False]
    """
    return [
        not any(a <= cost and b >= quality and (a, b) != (cost, quality) for a, b in points) for cost, quality in points
    ]


def fronts(contenders: Sequence[Contender], measure: str, values: Sequence[float]) -> list[Front]:
    """The front of `values` against each cost that every model states."""
    found = []
    for cost, of in COSTS.items():
        spent = [of(each.results) for each in contenders]
        known = [each for each in spent if each is not None]
        if len(known) == len(contenders) > 1 and (cost != "images_per_s" or len(rate_kinds(contenders)) == 1):
            best = pareto_front(list(zip(known, values, strict=True)))
            names = tuple(each.name for each, on_front in zip(contenders, best, strict=True) if on_front)
            found.append(Front(measure=measure, cost=cost, models=names))
    return found
