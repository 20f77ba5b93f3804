"""The rows of detection results as arrays, the boxes of all images one after another."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.comparison._contender import Contender
from cnnkit.comparison._resampled import Bools, Floats, Ints

THRESHOLDS = 10


@dataclass(frozen=True)
class DetectedRows:
    """What a detector found in n images.

    Args:
        image: (m,) the place of each detection's image.
        label: (m,) its class.
        score: (m,) as the rows have it, float32.
        hit: (m, 10) bools: at each IoU threshold, whether it takes an object.
        ignored: (m, 10) bools: it takes a crowd and does not count.
        taken: (m,) the place of the object that it takes at the first threshold among those of its image, -1 for none.
        box: (m, 4) xyxy.
    """

    image: Ints
    label: Ints
    score: NDArray[np.float32]
    hit: Bools
    ignored: Bools
    taken: Ints
    box: Floats


@dataclass(frozen=True)
class TrueRows:
    """The objects of n images that count: (m,) places of images, (m,) classes, (m, 4) boxes, xyxy."""

    image: Ints
    label: Ints
    box: Floats

    def counts(self, n: int, n_classes: int) -> Ints:
        """(n, classes) how many objects of each class an image has."""
        counts = np.zeros((n, n_classes), dtype=np.int64)
        np.add.at(counts, (self.image, self.label), 1)
        return counts


def detected_rows(contender: Contender, rows: Ints) -> DetectedRows:
    """Those of the images in `rows`; an image that the model could not read is one on which it finds nothing."""
    image, label = _column(contender, "det_class", rows)
    flat = {name: _column(contender, f"det_{name}", rows)[1] for name in ("score", "match", "ignore", "object", "box")}
    return DetectedRows(
        image=image,
        label=label.astype(np.int64),
        score=flat["score"].astype(np.float32),
        hit=_bits(flat["match"]),
        ignored=_bits(flat["ignore"]),
        taken=flat["object"].astype(np.int64),
        box=flat["box"].astype(np.float64),
    )


def true_rows(contender: Contender, rows: Ints) -> TrueRows:
    image, label = _column(contender, "truth_class", rows)
    return TrueRows(image, label.astype(np.int64), _column(contender, "truth_box", rows)[1].astype(np.float64))


def _column(contender: Contender, name: str, rows: Ints) -> tuple[Ints, NDArray[Any]]:
    """The image of each entry, and all entries in one row."""
    import pyarrow.compute as pc

    column = contender.rows.column(name).take(rows)
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0).to_numpy(), dtype=np.int64)
    image, values = np.repeat(np.arange(len(rows)), lengths), pc.list_flatten(column)
    if name.endswith("_box"):
        return image, np.asarray(pc.list_flatten(values).to_numpy()).reshape(-1, 4)
    return image, np.asarray(values.to_numpy())


def _bits(numbers: NDArray[Any]) -> Bools:
    """(m,) numbers to (m, 10) flags: bit i is IoU threshold i."""
    return np.asarray((numbers.astype(np.int64)[:, None] >> np.arange(THRESHOLDS)) & 1, dtype=np.bool_)
