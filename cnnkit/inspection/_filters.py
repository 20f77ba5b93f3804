"""What a network looks for first: the kernels of its first convolution."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit import drawing, graphs
from cnnkit.inspection._drawing import Drawing, counted, sides
from cnnkit.spec import METADATA_KEY, Channels, parse_spec

COLOURS = 3


def draw_filters(path: Path, *, channels: Channels | None = None) -> Drawing:
    """Draw the kernels of the first convolution of an .onnx file, each scaled by itself with zero in the middle.

    `channels` is the order in which the file takes them; None for what its spec says, or RGB. Kernels over three
    channels are drawn in colour, others in grey, a row for each kernel where it has more than one channel.
    """
    kernels = graphs.first_kernels(path)
    order, known = _order(path, channels)
    weights = kernels.weights
    n, depth, height, width = weights.shape
    name = kernels.layer.module or kernels.layer.name
    largest = np.abs(weights).reshape(n, -1).max(axis=1)
    return Drawing(
        _grid(weights, order),
        f"{name}: {counted(n, 'kernel')} of {sides(height, width)}, {counted(depth, 'channel')}",
        (
            _reading(depth, order if known else f"{order}, as it says nothing else"),
            f"The largest weights are {largest.min():.3g} to {largest.max():.3g}.",
        ),
        {
            "layer": name,
            "kernels": n,
            "channels": depth,
            "size": [height, width],
            "largest_weight": [float(largest.min()), float(largest.max())],
        },
    )


def _grid(weights: NDArray[np.float32], channels: Channels) -> NDArray[np.uint8]:
    n, depth, height, width = weights.shape
    levels = drawing.signed_levels(weights)
    if depth == COLOURS:
        ordered = levels[:, ::-1] if channels == "BGR" else levels
        return drawing.tile_grid(np.ascontiguousarray(ordered.transpose(0, 2, 3, 1)))
    return drawing.tile_grid(levels.reshape(n * depth, height, width), columns=depth if depth > 1 else None)


def _order(path: Path, typed: Channels | None) -> tuple[Channels, bool]:
    """The order of the channels, and whether somebody said so."""
    if typed is not None:
        return typed, True
    text = graphs.read_metadata(path).get(METADATA_KEY)
    return ("RGB", False) if text is None else (parse_spec(text, source=str(path)).input.channels, True)


def _reading(depth: int, order: str) -> str:
    if depth == COLOURS:
        return (
            f"Colours are weights on red, green and blue (the file takes {order}): mid grey is 0, and each kernel's "
            "largest weight is full or no light."
        )
    rows = " A row is a kernel, its channels side by side." if depth > 1 else ""
    return f"Mid grey is 0; each kernel's largest weight is white, or black where it is negative.{rows}"
