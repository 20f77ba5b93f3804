"""One model of a comparison, with all that its results folder holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit.results import Results
from cnnkit.spec import ModelSpec

if TYPE_CHECKING:
    import pyarrow as pa

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Contender:
    """`name` is its own among those compared, `source` what was given for it: messages name that.

    `spec` is None where the run is gone. `scores` takes keys and gives their whole score vectors (keys, classes), each
    class contiguous; None where they cannot be had, and `without_scores` says why.
    """

    name: str
    source: str
    results: Results
    rows: "pa.Table"
    spec: ModelSpec | None = None
    scores: Callable[[Sequence[str]], Scores] | None = None
    without_scores: str = "the run is gone"
