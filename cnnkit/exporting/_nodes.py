"""Nodes of a graph, written one after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

FLOAT, INT64 = 1, 7

Value = str | float | int | Sequence[float] | Sequence[int]


class Nodes:
    """`new = nodes("Mul", old, 0.5)` adds a node; numbers become constants, float32 or int64 as they are written."""

    def __init__(self, prefix: str) -> None:
        self.written: list[Any] = []
        self._prefix = prefix

    def __call__(self, operator: str, *inputs: Value, **attributes: Any) -> str:
        """Add a node with one output; that output's name."""
        import onnx

        names = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        return self._append(onnx.helper.make_node(operator, names, [self._name()], **attributes))

    def as_float(self, value: str) -> str:
        return self("Cast", value, to=FLOAT)

    def side(self, image: str, axis: int) -> str:
        """How long an axis is, an int64 scalar."""
        return self("Gather", self("Shape", image), axis)

    def _constant(self, value: float | int | Sequence[float] | Sequence[int]) -> str:
        import onnx

        array = np.asarray(value)
        tensor = onnx.numpy_helper.from_array(array.astype(np.float32 if array.dtype.kind == "f" else np.int64))
        return self._append(onnx.helper.make_node("Constant", [], [self._name()], value=tensor))

    def _append(self, node: Any) -> str:
        self.written.append(node)
        return str(node.output[0])

    def _name(self) -> str:
        return f"{self._prefix}_{len(self.written)}"
