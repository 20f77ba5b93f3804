"""Objects and both detectors' boxes, to be drawn."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnkit.comparison._objects import Found, Objects

BoxKind = Literal[
    "both", "only_first", "only_second", "neither", "first_right", "second_right", "first_false", "second_false"
]
BOX_KINDS: tuple[BoxKind, ...] = (
    *("both", "only_first", "only_second", "neither"),  # objects, by who finds them
    *("first_right", "second_right", "first_false", "second_false"),  # detections from each one's confidence on
)


@dataclass(frozen=True, slots=True)
class PairedBoxes:
    """All boxes of a pair, (m,) each.

    Args:
        key: of the image.
        kind: places in `BOX_KINDS`.
        label: classes among the first model's, -1 for one that could be several of them.
        score: the confidence of a detection, NaN of an object.
        box: (m, 4) xyxy in pixels of the source.
    """

    key: NDArray[np.str_]
    kind: NDArray[np.int64]
    label: NDArray[np.int64]
    score: NDArray[np.float64]
    box: NDArray[np.float64]


def boxes_to_draw(objects: Objects, first: Found, second: Found, keys: NDArray[np.str_]) -> PairedBoxes:
    state = np.where(first.found, np.where(second.found, 0, 1), np.where(second.found, 2, 3))
    kinds = [np.where(found.right, 4, 6) + at for at, found in enumerate((first, second))]
    return PairedBoxes(
        key=keys[np.concatenate([objects.image, first.image, second.image])],
        kind=np.concatenate([state, *kinds]),
        label=np.concatenate([objects.label, first.label, second.label]),
        score=np.concatenate([np.full(len(state), np.nan), first.score, second.score]),
        box=np.concatenate([objects.box, first.box, second.box]),
    )
