"""Pillow's filters as nodes of a graph: weights from distances x, in units of the filter's reach."""

import math
from collections.abc import Callable

from cnnkit.exporting._nodes import Nodes


def _bilinear(n: Nodes, x: str) -> str:
    """max(0, 1 - |x|)."""
    return n("Relu", n("Sub", 1.0, n("Abs", x)))


def _bicubic(n: Nodes, x: str) -> str:
    """Keys' cubic, a = -0.5: (1.5 |x| - 2.5) x^2 + 1 within 1, a (((|x| - 5) |x| + 8) |x| - 4) within 2."""
    size = n("Abs", x)
    near = n("Add", n("Mul", n("Sub", n("Mul", size, 1.5), 2.5), n("Mul", size, size)), 1.0)
    far = n("Sub", n("Mul", n("Add", n("Mul", n("Sub", size, 5.0), size), 8.0), size), 4.0)
    return n("Where", n("Less", size, 1.0), near, n("Where", n("Less", size, 2.0), n("Mul", far, -0.5), 0.0))


def _hamming(n: Nodes, x: str) -> str:
    """sinc(x) (0.54 + 0.46 cos(pi x)) within 1."""
    window = n("Add", n("Mul", n("Cos", n("Mul", x, math.pi)), 0.46), 0.54)
    return _within(n, x, 1.0, n("Mul", _sinc(n, x), window))


def _lanczos(n: Nodes, x: str) -> str:
    """sinc(x) sinc(x / 3) within 3."""
    return _within(n, x, 3.0, n("Mul", _sinc(n, x), _sinc(n, n("Div", x, 3.0))))


def _sinc(n: Nodes, x: str) -> str:
    """sin(pi x) / (pi x), 1 at 0."""
    turned = n("Mul", x, math.pi)
    at_zero = n("Equal", x, 0.0)
    return n("Where", at_zero, 1.0, n("Div", n("Sin", turned), n("Where", at_zero, 1.0, turned)))


def _within(n: Nodes, x: str, reach: float, value: str) -> str:
    return n("Where", n("Less", n("Abs", x), reach), value, 0.0)


# without box and nearest: there a last bit of a distance decides over whole levels
FILTERS: dict[str, Callable[[Nodes, str], str]] = {
    "bilinear": _bilinear,
    "bicubic": _bicubic,
    "hamming": _hamming,
    "lanczos": _lanczos,
}
