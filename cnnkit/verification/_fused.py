"""Files with their preprocessing inside: how the module that they were made from is fed."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.postprocess import probabilities
from cnnkit.spec import ClassificationOutput, ModelSpec

FUSED = "fused"  # in the provenance: input, preprocess and output of the spec before


def source_spec(spec: ModelSpec) -> ModelSpec:
    """The spec that the module is fed by: the same one, or the one that went into the graph."""
    inside = spec.provenance.get(FUSED)
    return spec if inside is None else ModelSpec.model_validate({**spec.to_dict(), **inside})


def activated(expected: list[NDArray[np.float64]], spec: ModelSpec) -> list[NDArray[np.float64]]:
    """The first output as probabilities, background included: (n, scores)."""
    assert isinstance(spec.output, ClassificationOutput)
    whole = spec.output.model_copy(update={"background": False})
    scores = expected[0].reshape(len(expected[0]), -1)
    return [probabilities(scores, whole).astype(np.float64)]
