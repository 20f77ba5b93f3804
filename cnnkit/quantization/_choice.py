"""Which nodes stay float: chosen by the error of the outputs on the calibration images, never by labels."""

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
MOST_FLOAT = 4  # and at most a quarter of the nodes

Run = Callable[[frozenset[str]], float]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """`keep_float` in the order in which they were found; errors are |int8 - fp32|^2 / |fp32|^2 of the outputs."""

    keep_float: tuple[str, ...]
    error: float
    error_all_int8: float


def choose_float(
    prepared: Path, ranges: Any, feeds: Sequence[Feed], *, output: str, progress: Progress = lambda done, total: None
) -> Choice:
    """Keep the node float that lowers the error most, then the next, while each takes a tenth of it away.

    Nothing stays float where the error is small as it is: each node in float costs speed.
    """
    wanted = _outputs(prepared.read_bytes(), feeds, output)

    def error_of(keep: frozenset[str]) -> float:
        got = _outputs(_graph.quantized(prepared, ranges, keep_float=keep), feeds, output)
        return relative_error(got, wanted)

    nodes = _graph.weighted_nodes(prepared)
    plain = error_of(frozenset())
    if plain <= GOOD_ENOUGH:
        return Choice((), plain, plain)
    single = {}
    for done, node in enumerate(nodes):
        single[node] = error_of(frozenset([node]))
        progress(done + 1, len(nodes))
    kept: tuple[str, ...] = ()
    error = plain
    for node in sorted(nodes, key=single.__getitem__)[: min(MOST_FLOAT, max(1, len(nodes) // 4))]:
        with_node = error_of(frozenset([*kept, node]))
        if with_node > error * (1 - WORTH_IT):
            break
        kept, error = (*kept, node), with_node
    return Choice(keep_float=kept, error=error, error_all_int8=plain)


def relative_error(got: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """|got - wanted|^2 / |wanted|^2, 0 where both are zero; lower is better."""
    wanted = np.asarray(wanted, dtype=np.float64)
    power = float(np.square(wanted).sum())
    return float(np.square(got - wanted).sum()) / power if power else 0.0


def _outputs(model: bytes, feeds: Sequence[Feed], output: str) -> NDArray[np.float64]:
    session = open_session(model, device="cpu")
    return np.concatenate([session.run(dict(feed))[output].astype(np.float64).reshape(-1) for feed in feeds])
