"""A spec's preprocessing as nodes of a graph: from (1, height, width, 3) uint8 pixels of any size.

A resize is two matrix products, horizontal first, whose weights the graph works out from the picture's size as Pillow
does, with the rounding to whole levels after each. ONNX's own Resize with antialias is several levels off.
"""

from typing import Any

from cnnkit.exporting._kernels import FILTERS
from cnnkit.exporting._nodes import FLOAT, INT64, Nodes
from cnnkit.spec import CenterCrop, ModelSpec, Normalize, Operation, Pad, Rescale, Resize, ToGray

DTYPES = {"float32": FLOAT, "float16": 10, "uint8": 2, "int8": 3}
TURN_CHANNELS = (2, 1, 0)


def pixel_nodes(spec: ModelSpec, *, image: str, order: str, result: str) -> list[Any]:
    """The nodes that turn the input `image` (channels in `order`) into `result`, the tensor that the model takes."""
    n = Nodes("fused")
    x = n.as_float(image)
    if order == "BGR":
        x = n("Gather", x, TURN_CHANNELS, axis=3)
    operations = list(spec.preprocess)
    for at, operation in enumerate(operations):
        neighbours = operations[at - 1] if at else None, operations[at + 1] if at + 1 < len(operations) else None
        x = _apply(n, x, operation, *neighbours, spec=spec)
    if spec.input.channels == "BGR":
        x = n("Gather", x, TURN_CHANNELS, axis=3)
    if spec.input.layout == "NCHW":
        x = n("Transpose", x, perm=[0, 3, 1, 2])
    channels, (height, width) = spec.input.n_channels, spec.input.size
    shape = (1, channels, height, width) if spec.input.layout == "NCHW" else (1, height, width, channels)
    n("Cast", n("Reshape", x, shape), to=DTYPES[spec.input.dtype])
    n.written[-1].output[0] = result
    return n.written


def _apply(
    n: Nodes, x: str, operation: Operation, previous: Operation | None, following: Operation | None, *, spec: ModelSpec
) -> str:
    """The picture after one operation: (1, height, width, C) float32, RGB or grey."""
    match operation:
        case ToGray():
            return _gray(n, x)
        case Resize():
            return _resize(n, x, operation, following.size if isinstance(following, CenterCrop) else None)
        case CenterCrop():  # a resize has made only what its crop keeps
            return x if isinstance(previous, Resize) else _crop(n, x, operation.size)
        case Pad(padding=(left, top, right, bottom)):
            return n("Pad", x, (0, top, left, 0, 0, bottom, right, 0), float(operation.fill), mode=operation.mode)
        case Rescale():
            return n("Add", n("Mul", x, operation.scale), operation.offset)
        case Normalize():
            turned = slice(None, None, -1) if spec.input.channels == "BGR" else slice(None)
            return n("Div", n("Sub", x, operation.mean[turned]), operation.std[turned])


def _gray(n: Nodes, x: str) -> str:
    """Pillow's (19595 R + 38470 G + 7471 B + 2^15) >> 16: whole numbers below 2^24, exact in float32."""
    total = n("ReduceSum", n("Mul", x, (19595.0, 38470.0, 7471.0)), (3,), keepdims=1)
    return n("Floor", n("Div", n("Add", total, 32768.0), 65536.0))


def _resize(n: Nodes, x: str, resize: Resize, crop: tuple[int, int] | None) -> str:
    height, width = n.side(x, 1), n.side(x, 2)
    if isinstance(resize.size, int):
        short = n("Min", height, width)
        new = [n("Max", n("Div", n("Mul", resize.size, side), short), 1) for side in (height, width)]
    else:
        new = [n("Identity", side) for side in resize.size]
    across = _weights(n, width, new[1], resize.filter, keep=crop[1] if crop else None)
    down = _weights(n, height, new[0], resize.filter, keep=crop[0] if crop else None)
    x = _levels(n, n("MatMul", across, x))
    x = _levels(n, n("MatMul", down, n("Transpose", x, perm=[0, 3, 1, 2])))
    return n("Transpose", x, perm=[0, 2, 3, 1])


def _weights(n: Nodes, old: str, new: str, filter_name: str, *, keep: int | None) -> str:
    """(kept, old) weights of one axis; rows outside the resized picture are zero, which is the crop's border."""
    first = _first(n, new, keep) if keep is not None else n("Identity", 0)
    last = n("Add", first, keep) if keep is not None else new
    rows = n("Unsqueeze", n.as_float(n("Range", first, last, 1)), (1,))
    columns = n.as_float(n("Range", 0, old, 1))
    scale = n("Div", n.as_float(old), n.as_float(new))
    centre = n("Mul", n("Add", rows, 0.5), scale)
    apart = n("Sub", n("Add", columns, 0.5), centre)
    raw = FILTERS[filter_name](n, n("Div", apart, n("Max", scale, 1.0)))
    weights = n("Div", raw, n("ReduceSum", raw, (1,), keepdims=1))
    inside = n("And", n("GreaterOrEqual", rows, 0.0), n("Less", rows, n.as_float(new)))
    return n("Where", inside, weights, 0.0)


def _first(n: Nodes, side: str, keep: int) -> str:
    """Where a centre crop begins: round((side - keep) / 2), halves to even; below 0 for a border."""
    halved = n("Mul", n.as_float(n("Sub", side, keep)), 0.5)
    # a border has its odd pixel right and below: -((keep - side) // 2)
    begins = n("Where", n("Less", halved, 0.0), n("Ceil", halved), n("Round", halved))
    return n("Cast", begins, to=INT64)


def _crop(n: Nodes, x: str, size: tuple[int, int]) -> str:
    for axis, keep in ((1, size[0]), (2, size[1])):
        side = n.side(x, axis)
        first = _first(n, side, keep)
        before = n("Max", n("Neg", first), 0)
        behind = n("Sub", n("Max", n("Sub", keep, side), 0), before)
        pads: list[Any] = [(0,)] * 8
        pads[axis], pads[axis + 4] = (n("Reshape", each, (1,)) for each in (before, behind))
        x = n("Pad", x, n("Concat", *pads, axis=0), 0.0)
        start = n("Max", first, 0)
        x = n("Gather", x, n("Range", start, n("Add", start, keep), 1), axis=axis)
    return x


def _levels(n: Nodes, x: str) -> str:
    """Rounded half up and clipped to 0 .. 255, as Pillow leaves each pass."""
    return n("Clip", n("Floor", n("Add", x, 0.5)), 0.0, 255.0)
