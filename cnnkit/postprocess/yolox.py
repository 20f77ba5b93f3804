"""YOLOX: one tensor, boxes still relative to the cells of three grids."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.boxes import xyxy_from_cxcywh
from cnnkit.postprocess._candidates import BatchDecoder, one_by_one, output_of, refuse_shape, suppressed
from cnnkit.records import Detections, Geometry
from cnnkit.spec import ModelSpec

__all__ = ["STRIDES", "build_yolox", "grid_cells"]

STRIDES = (8, 16, 32)


def build_yolox(spec: ModelSpec) -> BatchDecoder:
    """A decoder of (n, N, 5 + C): x, y, w, h, objectness, C probabilities, N cells of the grids of all strides.

    With the cell (column, row) of a grid of stride s, the centre is (x + column) s, (y + row) s, the size e^w s, e^h s
    input pixels. A score is objectness times probability. Strides are 8, 16, 32 unless the spec says otherwise.
    """
    output, n_classes = output_of(spec), len(spec.classes)
    cells = grid_cells(spec.input.size, output.strides or STRIDES)

    def decode(raw: NDArray[Any], geometry: Geometry) -> Detections:
        if raw.shape != (len(cells), 5 + n_classes):
            raise refuse_shape(output, raw, f"({len(cells)} cells, 5 + {n_classes} classes)")
        return suppressed(raw[:, 5:].T, lambda at: _boxes(raw[at], cells[at]), geometry, output, raw[:, 4])

    return one_by_one(decode, output.name)


def _boxes(raw: NDArray[Any], cells: NDArray[np.float32]) -> NDArray[Any]:
    stride = cells[:, 2:]
    centres, sizes = (raw[:, :2] + cells[:, :2]) * stride, np.exp(raw[:, 2:4]) * stride
    return xyxy_from_cxcywh(np.concatenate([centres, sizes], axis=1))


def grid_cells(size: tuple[int, int], strides: Sequence[int]) -> NDArray[np.float32]:
    """(N, 3) column, row, stride of each cell, row by row, one stride after another.

    >>> grid_cells((16, 32), [16])
    array([[ 0.,  0., 16.],
           [ 1.,  0., 16.]], dtype=float32)
    """
    grids = []
    for stride in strides:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    return np.concatenate(grids).astype(np.float32)
