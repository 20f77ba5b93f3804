"""Class activation: what each place of the last feature map says for each class, read from the graph itself."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import graphs, runtime
from cnnkit.graphs import PooledHead
from cnnkit.inspection._seen import Seen, run, session_with
from cnnkit.pipeline import Model

TOLERANCE = 0.02  # of the spread of the scores: int8 layers round each place by itself


@dataclass(frozen=True)
class ClassActivation:
    """`maps` (outputs, h, w): what each place says for each output. Their means over the places are `scores`.

    `layer` is the tensor before the pooling; `off` how far the means lie from the scores at most.
    """

    maps: NDArray[np.float64]
    scores: NDArray[np.float64]
    layer: str
    off: float


def class_activation(model: Model, seen: Seen) -> ClassActivation | str:
    """Class activation maps of a picture, or one sentence that says why the graph has none.

    Where scores are a linear function of the mean of a feature map F (h, w, K) over its places,
    scores = W mean(F) + b, place (y, x) says W F[y, x] + b, and the mean of that over the places is the scores.
    So the end of the graph is run once for each place, on a map that holds that place's values everywhere.

    Reference: Zhou et al. 2016, Learning deep features for discriminative localization, arXiv:1512.04150.
    """
    if model.spec.input.any_size:
        return "the file prepares pictures itself, so its maps do not lie over the picture"
    graph = graphs.inlined(graphs.load(model.path))
    head = graphs.pooled_head(graph, model.spec.output.name)
    if head is None:
        return "the graph does not end in global average pooling and a linear layer"
    features = run(session_with(model, graph, [head.features]), model.spec, seen.values[None])[head.features][:1]
    if features.ndim != 4 or features.shape[head.axes[0]] * features.shape[head.axes[1]] == 1:
        return f"the map before the pooling has the shape {features.shape[1:]}, one place only"
    found = _maps(model, graph, head, features)
    if found.off > TOLERANCE * np.ptp(found.scores):
        return f"the places' parts do not add up to the scores (they are {found.off:.2g} off)"
    return found


def _maps(model: Model, graph: Any, head: PooledHead, features: NDArray[Any]) -> ClassActivation:
    part = graphs.head_of(graph, head, dtype=features.dtype)
    session = runtime.open_session(graphs.to_bytes(part, what="The class activation"), **model.session.how)
    height, width = (features.shape[axis] for axis in head.axes)
    scores = _scores(session.run({head.features: features}), head)
    places = []
    for y, x in np.ndindex(height, width):
        here = features.take([y], axis=head.axes[0]).take([x], axis=head.axes[1])
        everywhere = np.ascontiguousarray(np.broadcast_to(here, features.shape))
        places.append(_scores(session.run({head.features: everywhere}), head))
    maps = np.stack(places, axis=-1).reshape(len(scores), height, width)
    return ClassActivation(maps, scores, head.features, float(np.abs(maps.mean(axis=(1, 2)) - scores).max()))


def _scores(outputs: dict[str, NDArray[Any]], head: PooledHead) -> NDArray[np.float64]:
    return np.asarray(outputs[head.scores], np.float64).reshape(-1)
