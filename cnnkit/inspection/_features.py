"""What a layer of a network makes of a picture."""

import difflib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit import drawing, graphs
from cnnkit.errors import ModelError, UsageError
from cnnkit.graphs import Layer
from cnnkit.inspection._drawing import Drawing, counted, sides
from cnnkit.inspection._seen import run, see, session_with
from cnnkit.pipeline import Model

CONVOLUTION = "Conv"


def draw_features(model: Model, image: Path, *, layer: str | None = None) -> Drawing:
    """Draw what a layer makes of a picture, one map a channel, each scaled by itself.

    `layer` is a name as `cnnkit inspect` lists them, a node's name or a tensor's; of several layers of one name the
    last is drawn. Without it the first convolution is. A vector becomes a square a value.

    Raises:
        UsageError: the file has no such layer; the sentence lists those it has.
        DataError: the picture cannot be read.
    """
    seen = see(model.spec, image)
    graph = graphs.inlined(graphs.load(model.path))
    chosen = _chosen(graphs.layers_of(graph, size=seen.geometry.input_size), layer, source=model.path)
    session = session_with(model, graph, [chosen.tensor])
    maps = _maps(run(session, model.spec, seen.values[None])[chosen.tensor], _name(chosen))
    signed = bool((maps < 0).any())
    silent = int((np.abs(maps).reshape(len(maps), -1).max(axis=1) == 0).sum())
    n, height, width = maps.shape
    lines = (
        f"Of {image.name}, as the network takes it: {sides(*seen.geometry.input_size)} (height x width).",
        _reading(silent, n, signed=signed),
    )
    return Drawing(
        drawing.tile_grid(drawing.signed_levels(maps) if signed else drawing.unsigned_levels(maps)),
        f"{_name(chosen)} ({chosen.op}): {counted(n, 'map')} of {sides(height, width)}",
        lines,
        {"layer": _name(chosen), "operator": chosen.op, "maps": n, "size": [height, width], "silent": silent},
        inset=seen.rgb,
    )


def _chosen(layers: list[Layer], name: str | None, *, source: Path) -> Layer:
    if name is None:
        fitting = [layer for layer in layers if layer.kernel and CONVOLUTION in layer.op][:1]
        missing = "it has no convolution. Name a layer: --layer NAME"
    else:
        fitting = [layer for layer in layers if name in (_name(layer), layer.name, layer.tensor)]
        missing = f"it has no layer {name!r}{_near(layers, name)}"
    if not fitting:
        names = list(dict.fromkeys(_name(layer) for layer in layers))
        raise UsageError(f"{source}: {missing}. Its layers are {', '.join(names)}.")
    return fitting[-1]


def _name(layer: Layer) -> str:
    return layer.module or layer.name


def _near(layers: list[Layer], name: str) -> str:
    near = difflib.get_close_matches(name, [_name(layer) for layer in layers], n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _maps(values: NDArray[np.generic], layer: str) -> NDArray[np.float64]:
    """(n, height, width) of what a layer gives for the first image of a batch."""
    if values.dtype.kind not in "fiub" or not values.size:
        raise ModelError(f"layer {layer!r} gives {values.dtype} {values.shape}, which cannot be drawn.")
    first = np.asarray(values[0] if values.ndim > 1 else values, np.float64)
    if first.ndim == 1:
        return first[:, None, None]
    return first.reshape(-1, *first.shape[-2:])


def _reading(silent: int, n: int, *, signed: bool) -> str:
    levels = "mid grey is 0, white or black its largest value" if signed else "black is 0, white its largest value"
    none = f" {silent} of {n} are 0 everywhere." if silent else ""
    return f"Each map is scaled by itself: {levels}.{none}"
