"""How an order of images is cut into batches."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["batches_of"]


def batches_of(order: NDArray[np.int64], size: int) -> Sequence[NDArray[np.int64]]:
    """Cut (n,) into batches; a last one of a single image joins the one before, since batch norm needs two.

    >>> [batch.tolist() for batch in batches_of(np.arange(7), 3)]
    [[0, 1, 2], [3, 4, 5, 6]]
    """
    ends = list(range(size, len(order), size))
    if ends and size > 1 and len(order) - ends[-1] == 1:
        ends.pop()
    return np.split(order, ends)
