"""Occlusion: what hiding a patch of the picture takes from the probability of a class."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit import images, postprocess
from cnnkit.inspection._seen import Seen, run
from cnnkit.pipeline import Model
from cnnkit.records import Classification

STEPS = 16  # patches along the longer side
OVERLAP = 3  # steps that a patch covers

Patch = tuple[slice, slice]


@dataclass(frozen=True)
class Occlusion:
    """`drops` (h, w), a value a pixel of the input: the mean fall of the probability over the patches that hide it."""

    drops: NDArray[np.float64]
    n_patches: int
    side: int


def occlude(
    model: Model, seen: Seen, class_id: int, *, probability: float, progress: Callable[[int, int], None]
) -> Occlusion:
    """Hide one square patch after another under the picture's mean colour, and see what the class loses.

    A patch is about a fifth of the longer side and moves by a third of itself, so nine of them hide each pixel.

    Reference: Zeiler and Fergus 2014, Visualizing and understanding convolutional networks, arXiv:1311.2901.
    """
    height, width = seen.pixels.shape[:2]
    patches, step = patches_over(height, width)
    blank = _blank(model, seen)
    size, _ = model.batch_size()
    falls: list[float] = []
    for start in range(0, len(patches), size):
        some = patches[start : start + size]
        batch = np.stack([_hidden(model, seen.values, blank, patch) for patch in some])
        falls += [probability - each for each in probabilities_of(model, seen, batch, class_id)]
        progress(len(falls), len(patches))
    return Occlusion(_mean_over(patches, falls, (height, width)), len(patches), OVERLAP * step)


def patches_over(height: int, width: int) -> tuple[list[Patch], int]:
    """Patches row by row, cut off at the border, and the step between them in pixels."""
    step = max(1, round(max(height, width) / STEPS))
    rows, columns = (list(_spans(length, step)) for length in (height, width))
    return [(row, column) for row in rows for column in columns], step


def probabilities_of(model: Model, seen: Seen, batch: NDArray[np.generic], class_id: int) -> list[float]:
    """What a class gets in each image of a batch."""
    decode = postprocess.build_decoder(model.spec)
    outputs = {name: value[: len(batch)] for name, value in run(model.session, model.spec, batch).items()}
    answers = decode(outputs, [seen.geometry] * len(batch))
    return [float(answer.scores[class_id]) for answer in answers if isinstance(answer, Classification)]


def _spans(length: int, step: int) -> Iterator[slice]:
    """Spans of OVERLAP steps around the middles of steps that cover the length."""
    before = step * (OVERLAP // 2)
    for start in range(0, length, step):
        yield slice(max(0, start - before), min(length, start - before + OVERLAP * step))


def _blank(model: Model, seen: Seen) -> NDArray[np.generic]:
    """What the model takes for a picture of the mean colour all over."""
    mean = np.rint(seen.pixels.mean(axis=(0, 1))).astype(np.uint8)
    return images.Preprocess(model.spec).values(np.ascontiguousarray(np.broadcast_to(mean, seen.pixels.shape)))


def _hidden(model: Model, values: NDArray[np.generic], blank: NDArray[np.generic], patch: Patch) -> NDArray[np.generic]:
    where = (slice(None), *patch) if model.spec.input.layout == "NCHW" else patch
    hidden = values.copy()
    hidden[where] = blank[where]
    return hidden


def _mean_over(patches: list[Patch], falls: list[float], size: tuple[int, int]) -> NDArray[np.float64]:
    total, times = np.zeros(size), np.zeros(size)
    for patch, fall in zip(patches, falls, strict=True):
        total[patch] += fall
        times[patch] += 1
    return np.asarray(total / times)
