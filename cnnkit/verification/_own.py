"""The source's own transform beside the preprocessing of the spec, on the same decoded pictures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import images
from cnnkit.spec import ModelSpec, Normalize, Rescale
from cnnkit.verification._differences import decisions
from cnnkit.verification._forward import forward, in_eval_mode
from cnnkit.verification._pictures import Picture
from cnnkit.verification._record import OwnPreprocessing

if TYPE_CHECKING:
    from torch import nn

MEAN_LEVELS = 0.5  # rounding the two passes of a resize in another order stays far below


def compare_transform(
    transform: Any, module: "nn.Module", spec: ModelSpec, pictures: Sequence[Picture], *, exact: bool = True
) -> OwnPreprocessing:
    """Run a transform and the spec's operations on the same pixels, and the module on both.

    Differences are in levels of 0 .. 255. A picture whose mean difference is above half a level is a problem, unless
    `exact` is False: then it is known to differ, and the figures are there to be read.
    """
    preprocess = images.Preprocess(spec)
    levels = _level(spec)
    ours, theirs, problems = [], [], []
    for picture in pictures:
        pixels = images.decode(picture.data, spec.decode)
        try:
            own = _run(transform, pixels)
        except Exception as error:  # an object of another library may raise anything
            reason = f"the source's transform does not run here: {type(error).__name__}: {error}"
            return OwnPreprocessing(not_run=reason)
        prepared = np.asarray(preprocess(pixels)[0], dtype=np.float32)
        channels_first = prepared if spec.input.layout == "NCHW" else prepared.transpose(2, 0, 1)
        if own.shape != channels_first.shape:
            problems.append(
                f"the source's transform makes {own.shape} of {picture.name}, the spec {channels_first.shape}."
            )
            return OwnPreprocessing(problems=tuple(problems))
        ours.append(channels_first)
        theirs.append(own)
    apart = np.abs(np.stack(ours) - np.stack(theirs)) / levels
    means = apart.mean(axis=(1, 2, 3))
    worst = int(means.argmax())
    if exact and means[worst] > MEAN_LEVELS:
        problems.append(
            f"The spec's pixels of {pictures[worst].name} are {means[worst]:.3g} levels of 255 from those of the "
            f"source's transform on the average, {MEAN_LEVELS} is allowed."
        )
    with in_eval_mode(module):
        first, second = (_scores(module, each) for each in (theirs, ours))
    return OwnPreprocessing(
        max_level=float(apart.max()),
        mean_level=float(means[worst]),
        top1_agreement=decisions(first, second, within=0.0).top1,
        problems=tuple(problems),
    )


def _run(transform: Any, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a transform makes of RGB (H, W, 3): (C, H, W)."""
    from PIL import Image

    if type(transform).__module__.partition(".")[0] == "albumentations":
        made = transform(image=pixels)["image"]
    else:
        made = Image.fromarray(pixels)
        for step in transform if isinstance(transform, list | tuple) else [transform]:
            made = step(made)
    is_tensor = hasattr(made, "detach")
    array = np.asarray(made.detach().cpu().numpy() if is_tensor else made, dtype=np.float32)
    if array.ndim == 2:
        return array[None]
    return array if is_tensor else array.transpose(2, 0, 1)


def _level(spec: ModelSpec) -> NDArray[np.float64]:
    """How far one level of 255 moves the input's values, by channel: (C, 1, 1)."""
    level = np.ones(spec.input.n_channels)
    for operation in spec.value_operations:
        if isinstance(operation, Rescale):
            level = level * abs(operation.scale)
        elif isinstance(operation, Normalize):
            level = level / np.asarray(operation.std)
    return level[:, None, None]


def _scores(module: "nn.Module", prepared: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    scores = [forward(module, each[None])[0].reshape(1, -1) for each in prepared]
    return np.concatenate(scores)
