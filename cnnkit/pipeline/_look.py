"""Whether a file of others gives probabilities, where its graph does not say so: seen on photographs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import data, images, postprocess
from cnnkit.pipeline._checks import input_shape
from cnnkit.runtime import Session
from cnnkit.spec import ClassificationOutput, ModelSpec, Resize, ToGray

PARTS = 4  # of each photograph: the whole, and cuts that end earlier and earlier


def seen_activation(session: Session, spec: ModelSpec) -> tuple[ModelSpec, list[str]]:
    """The spec with activation none, and a sentence on why, where the values are probabilities already.

    scikit-learn's two photographs are looked at, in the same cuts each time: a softmax adds up to 1 and a sigmoid
    stays within 0 .. 1 on any picture, and one file is read alike wherever it is opened. A model that does not run,
    or gives anything else, keeps its spec.
    """
    output = spec.output
    if not isinstance(output, ClassificationOutput):
        return spec, []
    try:
        raw = _outputs(session, spec)
    except Exception:  # onnxruntime's errors have no common class; each image's own run says what is wrong
        return spec, []
    kind = postprocess.score_kind(raw, scale=output.scale, zero_point=output.zero_point)
    if kind == "logits":
        return spec, []
    return spec.model_copy(update={"output": output.model_copy(update={"activation": "none"})}), [
        said_of(kind, f'Output "{output.name}"', f"{len(raw)} cuts of two photographs")
    ]


def said_of(kind: postprocess.ScoreKind, what: str, pictures: str) -> str:
    """What was seen and what follows, as a sentence."""
    if kind == "probabilities":
        return f"{what} adds up to 1 on {pictures}: taken as probabilities (--activation says otherwise)."
    return (
        f"{what} stays within 0 and 1 on {pictures} without adding up to 1, as after a sigmoid: each value is taken "
        "as the score of its class, and no softmax is put on top (--activation says otherwise)."
    )


def squeezed(spec: ModelSpec, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[Any]:
    """RGB pictures of any size to a batch (n, C, H, W) or (n, H, W, C): the spec's values, its geometry a squeeze."""
    gray = (ToGray(),) if spec.input.channels == "GRAY" else ()
    squeeze = Resize(size=spec.input.size, mode="exact")
    preprocess = images.Preprocess(spec.model_copy(update={"preprocess": (*gray, squeeze, *spec.value_operations)}))
    batch = np.empty((len(pictures), *input_shape(spec)), dtype=spec.input.dtype)
    for picture, place in zip(pictures, batch, strict=True):
        preprocess(picture, place)
    return batch


def _outputs(session: Session, spec: ModelSpec) -> NDArray[Any]:
    """(n, outputs) of the photographs."""
    pictures = _pictures()
    batch = squeezed(spec, pictures)
    size = session.inputs[0].shape[0] or len(batch)
    batch = batch[np.arange(-(-len(batch) // size) * size) % len(batch)]  # the first ones again where it must be full
    parts = [batch[start : start + size] for start in range(0, len(batch), size)]
    raw = [session.run({spec.input.name: part})[spec.output.name] for part in parts]
    return np.concatenate([each.reshape(size, -1) for each in raw])[: len(pictures)]


def _pictures() -> list[NDArray[np.uint8]]:
    photos = [images.decode(photo) for photo in data.sample_photos().values()]
    return [
        np.ascontiguousarray(photo[: photo.shape[0] // part, : photo.shape[1] // part])
        for photo in photos
        for part in range(1, PARTS + 1)
    ]
