"""Where the windows of a convolution or a pooling lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Padding", "Pair", "Windows"]

Array = NDArray[np.floating[Any]]
Pair = int | tuple[int, int]  # one number for both axes, or (y, x)
Padding = Literal["valid", "same", "same_lower", "full"] | int | tuple[int, int] | tuple[int, int, int, int]


@dataclass(frozen=True)
class Windows:
    """The oh x ow windows that slide over a picture of height x width; every pair is (y, x).

    A kernel of F cells with dilation D spans D (F - 1) + 1 pixels, so over N pixels with P of padding in all and
    stride S there are

        floor((N + P - D (F - 1) - 1) / S) + 1    windows,

    ceil in place of floor where `ceil` says so; then a window that would start beyond the picture and the padding
    before it is dropped, and the missing pixels behind the last one are `extra`.
    """

    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int, int, int]  # top, left, bottom, right
    extra: tuple[int, int]
    output: tuple[int, int]

    @classmethod
    def over(
        cls,
        size: tuple[int, int],
        kernel: Pair,
        *,
        stride: Pair = 1,
        padding: Padding = "valid",
        dilation: Pair = 1,
        ceil: bool = False,
    ) -> "Windows":
        """Lay windows over a picture of `size`.

        `padding` is a number for all sides, (y, x), (top, left, bottom, right), or a word: `valid` pads nothing,
        `full` pads so much that every window that touches the picture counts, `same` so much that ceil(N / S) windows
        fit, an odd pixel at the bottom and right (`same_lower`: at the top and left).
        """
        kernel, stride, dilation = _pair(kernel), _pair(stride), _pair(dilation)
        if min(*kernel, *stride, *dilation) < 1:
            raise ValueError(f"kernel {kernel}, stride {stride} and dilation {dilation} must be at least 1")
        sides = [_sides(padding, axis, size[axis], kernel[axis], stride[axis], dilation[axis]) for axis in (0, 1)]
        counts = [
            _count(size[axis], sides[axis], _span(kernel[axis], dilation[axis]), stride[axis], ceil=ceil)
            for axis in (0, 1)
        ]
        if min(counts) < 1:
            raise ValueError(f"no window of {kernel} with dilation {dilation} fits a picture of {size} + {sides}")
        extra = [
            max(
                0,
                (counts[axis] - 1) * stride[axis] + _span(kernel[axis], dilation[axis]) - size[axis] - sum(sides[axis]),
            )
            for axis in (0, 1)
        ]
        (top, bottom), (left, right) = sides
        return cls(
            size, kernel, stride, dilation, (top, left, bottom, right), (extra[0], extra[1]), (counts[0], counts[1])
        )

    def pad(self, x: Array, value: float = 0.0, *, extra: float | None = None) -> Array:
        """(..., height, width) with its padding of `value`; the pixels behind a `ceil` window are `extra`."""
        top, left, bottom, right = self.padding
        before = [(0, 0)] * (x.ndim - 2)
        if any(self.padding):
            x = np.pad(x, [*before, (top, bottom), (left, right)], constant_values=value)
        if any(self.extra):
            behind = value if extra is None else extra
            x = np.pad(x, [*before, (0, self.extra[0]), (0, self.extra[1])], constant_values=behind)
        return x

    def crop(self, padded: Array) -> Array:
        """The picture without its padding: the inverse of `pad`."""
        top, left = self.padding[:2]
        return padded[..., top : top + self.size[0], left : left + self.size[1]]

    @property
    def padded_size(self) -> tuple[int, int]:
        top, left, bottom, right = self.padding
        return self.size[0] + top + bottom + self.extra[0], self.size[1] + left + right + self.extra[1]

    def cells(self, padded: Array) -> Iterator[Array]:
        """For each cell of the kernel, row by row, what it sees in every window: a view (..., oh, ow)."""
        for y in range(self.kernel[0]):
            for x in range(self.kernel[1]):
                yield padded[..., self._steps(0, y), self._steps(1, x)]

    def _steps(self, axis: int, cell: int) -> slice:
        first = cell * self.dilation[axis]
        return slice(first, first + (self.output[axis] - 1) * self.stride[axis] + 1, self.stride[axis])


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _span(kernel: int, dilation: int) -> int:
    return dilation * (kernel - 1) + 1


def _sides(padding: Padding, axis: int, size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Padding before and behind along one axis."""
    span = _span(kernel, dilation)
    match padding:
        case "valid":
            return 0, 0
        case "full":
            return span - 1, span - 1
        case "same" | "same_lower":
            total = max(0, (-(-size // stride) - 1) * stride + span - size)
            less, more = total // 2, total - total // 2
            return (less, more) if padding == "same" else (more, less)
        case int():
            return padding, padding
        case (int(), int()):
            return padding[axis], padding[axis]
        case (int(), int(), int(), int()):
            return padding[axis], padding[axis + 2]
    raise ValueError(f"padding {padding!r} is not a number, 2 or 4 numbers, or one of valid, same, same_lower, full")


def _count(size: int, sides: tuple[int, int], span: int, stride: int, *, ceil: bool) -> int:
    room = size + sum(sides) - span
    if room < 0:
        return 0
    count = (-(-room // stride) if ceil else room // stride) + 1
    return count - 1 if ceil and (count - 1) * stride >= size + sides[0] else count
