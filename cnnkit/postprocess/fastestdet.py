"""FastestDet: one feature map, a candidate in each cell."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.boxes import xyxy_from_cxcywh
from cnnkit.postprocess._candidates import BatchDecoder, one_by_one, output_of, refuse_shape, suppressed
from cnnkit.records import Detections, Geometry
from cnnkit.spec import ModelSpec

__all__ = ["build_fastestdet"]


def build_fastestdet(spec: ModelSpec) -> BatchDecoder:
    """A decoder of (n, 5 + C, rows, columns): objectness, x, y, w, h, C probabilities in each cell.

    The centre is (tanh x + column) / columns, (tanh y + row) / rows, the size sigmoid w, sigmoid h, as shares of the
    input. A score is objectness^0.6 times probability^0.4.
    """
    output, n_classes = output_of(spec), len(spec.classes)
    scale = np.array([*spec.input.size[::-1]] * 2)

    def decode(raw: NDArray[Any], geometry: Geometry) -> Detections:
        if raw.ndim != 3 or raw.shape[0] != 5 + n_classes:
            raise refuse_shape(output, raw, f"(5 + {n_classes} classes, rows, columns)")
        rows, columns = raw.shape[1:]
        cells = np.asarray(raw, np.float32).reshape(5 + n_classes, -1)
        return suppressed(
            cells[5:] ** 0.4,
            lambda at: _shares(cells[1:5, at], at % columns, at // columns, rows, columns) * scale,
            geometry,
            output,
            cells[0] ** 0.6,
        )

    return one_by_one(decode, output.name)


def _shares(
    raw: NDArray[Any], column: NDArray[np.intp], row: NDArray[np.intp], rows: int, columns: int
) -> NDArray[Any]:
    x, y, w, h = raw
    centres = [(np.tanh(x) + column) / columns, (np.tanh(y) + row) / rows]
    sizes = [1 / (1 + np.exp(-w)), 1 / (1 + np.exp(-h))]
    return xyxy_from_cxcywh(np.stack([*centres, *sizes], axis=1))
