"""Whether a module gives probabilities or logits, seen on real images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import images, pipeline, postprocess
from cnnkit.spec import ClassificationOutput, ModelSpec
from cnnkit.verification import Pictures, Source, forward, in_eval_mode, output_tensors, refused_by

N_SEEN = 8
LAYERS = ("Addmm", "Mm", "Convolution", "Bmm", "Baddbmm", "MkldnnLinear")
LINEAR = (  # what moves, adds up or averages the values of a layer, as autograd calls it
    *("View", "UnsafeView", "Reshape", "ReshapeAlias", "Squeeze", "Unsqueeze", "Permute", "Transpose", "T", "Alias"),
    *("ToCopy", "Clone", "Add", "Mean", "AvgPool2D", "AdaptiveAvgPool2D"),
)


def seen_activation(source: Source, spec: ModelSpec, pictures: Pictures) -> tuple[ModelSpec, list[str]]:
    """The spec with activation none, and a sentence on why, where the scores are probabilities already.

    Scores that add up to 1 on every image are; scores within 0 .. 1 are taken as those of a sigmoid, unless a layer
    of weights makes them, whose values lie there by chance. ModelError when the module does not run.
    """
    output = spec.output
    if not isinstance(output, ClassificationOutput):
        return spec, []
    seen = pictures.each[:: max(1, len(pictures.each) // N_SEEN)][:N_SEEN]
    batch = pipeline.squeezed(spec, [images.decode(picture.data, spec.decode) for picture in seen])
    with in_eval_mode(source.module):
        kind = postprocess.score_kind(_scores(source, batch))
        if kind == "logits" or (kind == "shares" and _is_layer(source, batch)):
            return spec, []
    told = pipeline.said_of(kind, "Its output", f"{len(seen)} images ({pictures.origin})")
    return spec.model_copy(update={"output": output.model_copy(update={"activation": "none"})}), [told]


def _scores(source: Source, batch: NDArray[Any]) -> NDArray[np.float32]:
    """(n, outputs); the first images again where the module takes a fixed number at a time."""
    size = source.fixed_batch or len(batch)
    filled = batch[np.arange(-(-len(batch) // size) * size) % len(batch)]
    with refused_by(f"{source.text}: does not run on {size} images at a time"):
        raw = [forward(source.module, filled[at : at + size])[0] for at in range(0, len(filled), size)]
    return np.concatenate([each.reshape(size, -1) for each in raw])[: len(batch)].astype(np.float32)


def _is_layer(source: Source, batch: NDArray[Any]) -> bool:
    """Whether the last thing that makes the scores is a layer of weights, as autograd records it."""
    import torch

    given = torch.from_numpy(batch[: source.fixed_batch or 1].copy())
    parameter = next(source.module.parameters(), None)
    try:
        with torch.enable_grad():
            given = given.to("cpu" if parameter is None else parameter.device).requires_grad_()
            step: Any = output_tensors(source.module(given))[0].grad_fn
    except Exception:  # what cannot be differentiated says nothing
        return False
    return _comes_of_layer(step)


def _comes_of_layer(step: Any) -> bool:
    if step is None:
        return False
    name = step.name().partition("Backward")[0]
    return name in LAYERS or (name in LINEAR and any(_comes_of_layer(before) for before, _ in step.next_functions))
