"""Which nodes stay float: chosen by the error of the outputs on the calibration images, never by labels."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.quantization import _graph
from cnnkit.quantization._calibration import Feed
from cnnkit.runtime import open_session

WORTH_IT = 0.10  # a node stays float only if that takes a tenth of the error away
GOOD_ENOUGH = 1e-3  # relative squared error: the outputs are off by 3 % of their size
ONE_BY_ONE, GROUPS, BEST_GROUPS = 24, 8, 2
MOST_FLOAT = 4  # and at most a quarter of the nodes

BOX_NUMBERS = 4

Run = Callable[[frozenset[str]], float]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """The outputs whose error counts.

    Along `axis` of an output that mixes boxes and scores the first four are a box: each of them and the scores
    together count alike, whatever their size.
    """

    outputs: tuple[str, ...]
    axis: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """`keep_float` in the order in which they were found.

    Errors are |int8 - fp32| / |fp32| of the outputs; of several quantities the root of the mean square, each at most 1.
    """

    keep_float: tuple[str, ...]
    error: float
    error_all_int8: float


def choose_float(
    prepared: Path,
    ranges: Any,
    feeds: Sequence[Feed],
    *,
    watched: Watched,
    progress: Progress = lambda done, total: None,
) -> Choice:
    """Keep the node float that lowers the error most, then the next, while each takes a tenth of it away.

    Nothing stays float where the error is small as it is: each node in float costs speed. Of many nodes, neighbours
    are tried together first, and only those of the best groups one by one.
    """
    wanted = _outputs(prepared.read_bytes(), feeds, watched)

    def error_of(keep: frozenset[str]) -> float:
        made = _graph.quantized(prepared, ranges, keep_float=keep)
        return _error(_outputs(made, feeds, watched), wanted)

    nodes = _graph.weighted_nodes(prepared)
    plain = error_of(frozenset())
    if plain <= GOOD_ENOUGH:
        return _choice((), plain, plain)
    single = _tried_alone(nodes, error_of, progress)
    kept: tuple[str, ...] = ()
    error = plain
    for node in sorted(single, key=single.__getitem__)[: min(MOST_FLOAT, max(1, len(nodes) // 4))]:
        with_node = error_of(frozenset([*kept, node]))
        if with_node > error * (1 - WORTH_IT):
            break
        kept, error = (*kept, node), with_node
    return _choice(kept, error, plain)


def _choice(kept: tuple[str, ...], squared: float, squared_all_int8: float) -> Choice:
    return Choice(keep_float=kept, error=math.sqrt(squared), error_all_int8=math.sqrt(squared_all_int8))


def _tried_alone(nodes: Sequence[str], error_of: Run, progress: Progress) -> dict[str, float]:
    """The error with each of the most promising nodes in float, in the order of the graph."""
    done = 0
    while len(nodes) > ONE_BY_ONE:
        groups = [list(group) for group in np.array_split(np.array(nodes, dtype=object), GROUPS)]
        errors = []
        for group in groups:
            errors.append(error_of(frozenset(group)))
            done += 1
            progress(done, done + len(groups) - len(errors) + ONE_BY_ONE)
        best = sorted(np.argsort(errors, kind="stable")[:BEST_GROUPS].tolist())
        nodes = [node for at in best for node in groups[at]]
    single = {}
    for at, node in enumerate(nodes, 1):
        single[node] = error_of(frozenset([node]))
        progress(done + at, done + len(nodes))
    return single


def relative_squared_error(got: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """|got - wanted|^2 / |wanted|^2, 0 where both are zero; lower is better."""
    wanted = np.asarray(wanted, dtype=np.float64)
    power = float(np.square(wanted).sum())
    return float(np.square(got - wanted).sum()) / power if power else 0.0


def _error(got: Sequence[NDArray[np.float64]], wanted: Sequence[NDArray[np.float64]]) -> float:
    """The mean over the quantities of all outputs; 1 where another number of boxes comes out of the graph."""
    if any(one.shape != other.shape for one, other in zip(got, wanted, strict=True)):
        return 1.0
    pairs = [pair for both in zip(got, wanted, strict=True) for pair in zip(*map(_quantities, both), strict=True)]
    if len(pairs) == 1:
        return relative_squared_error(*pairs[0])
    return float(np.mean([min(relative_squared_error(*pair), 1.0) for pair in pairs]))


def _quantities(rows: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Each number of a box by itself, and what follows them, the scores, as one."""
    return [*rows[:BOX_NUMBERS], *([rows[BOX_NUMBERS:]] if len(rows) > BOX_NUMBERS else [])]


def _outputs(model: bytes, feeds: Sequence[Feed], watched: Watched) -> list[NDArray[np.float64]]:
    """Of each output (rows, values): a row for each place along the axis, or one for all."""
    session = open_session(model, device="cpu")
    answers = [session.run(dict(feed)) for feed in feeds]
    return [
        np.concatenate([_rows(answer[name], watched.axis) for answer in answers], axis=1) for name in watched.outputs
    ]


def _rows(values: NDArray[Any], axis: int | None) -> NDArray[np.float64]:
    numbers = values.astype(np.float64)
    return numbers.reshape(1, -1) if axis is None else np.moveaxis(numbers, axis, 0).reshape(numbers.shape[axis], -1)
