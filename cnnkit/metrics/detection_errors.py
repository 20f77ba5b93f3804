"""Why detections are wrong: the kinds of error that TIDE tells apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics._detection_pairs import largest_overlaps, meeting_pairs
from cnnkit.metrics.detection import FoundBoxes, TrueBoxes
from cnnkit.metrics.detection_matches import match_detections

__all__ = ["ERROR_KINDS", "ErrorKinds", "error_kinds"]

ERROR_KINDS = ("classification", "localisation", "both", "duplicate", "background")


@dataclass(frozen=True, slots=True)
class ErrorKinds:
    """What went wrong.

    Args:
        kind: (n,) int8, for each detection its place in `ERROR_KINDS`, or -1 where it is no error.
        missed: (m,) bools, for each object.
    """

    kind: NDArray[np.int8]
    missed: NDArray[np.bool_]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind, and `missed`. Lower is better."""
        counts = {name: int((self.kind == at).sum()) for at, name in enumerate(ERROR_KINDS)}
        return counts | {"missed": int(self.missed.sum())}


def error_kinds(truth: TrueBoxes, found: FoundBoxes, *, iou: float = 0.5, background: float = 0.1) -> ErrorKinds:
    """Sort what went wrong into TIDE's six kinds.

    A detection that takes no object and no crowd (COCO's matching at `iou`, at most 100 for each image and class) is,
    by the first that holds, where overlaps are with objects that are no crowds,

    - localisation: it overlaps an object of its class by `background` to `iou` at most;
    - classification: it overlaps an object of another class by `iou` or more;
    - duplicate: it overlaps an object of its class by `iou` or more, which another detection has;
    - background: it overlaps nothing by more than `background`;
    - both: the rest, of another class and badly placed.

    An object that no detection takes is missed, unless it is the one that a detection errs on by class or place. Of
    equal overlaps the first object counts.

    Args:
        truth: objects.
        found: detections.
        iou: what counts as found.
        background: overlap up to which a detection is about nothing.

    Returns:
        `ErrorKinds`, in the orders of `found` and `truth`.

    Reference: Bolya et al. 2020, arXiv:2008.08115.
    """
    matches = match_detections(truth, found, iou_thresholds=[iou])
    wrong = np.flatnonzero(matches.kept & (matches.taken[:, 0] < 0))
    objects = np.flatnonzero(~truth.crowd)
    pairs = meeting_pairs(found.image[wrong], found.xywh[wrong], truth.image[objects], truth.xywh[objects], floor=0.0)
    same = found.category[wrong][pairs.found] == truth.category[objects][pairs.true]
    own, own_object = largest_overlaps(pairs.where(same), len(wrong))
    other, other_object = largest_overlaps(pairs.where(~same), len(wrong))
    misplaced = (own >= background) & (own <= iou)
    conditions = [misplaced, other >= iou, own >= iou, other <= background]
    names = ("localisation", "classification", "duplicate", "background")
    kind = np.full(len(found), -1, np.int8)
    kind[wrong] = np.select(conditions, [ERROR_KINDS.index(name) for name in names], ERROR_KINDS.index("both"))
    missed = ~truth.crowd
    missed[matches.taken[matches.hit[:, 0], 0]] = False
    missed[objects[own_object[misplaced]]] = False
    missed[objects[other_object[~misplaced & (other >= iou)]]] = False
    return ErrorKinds(kind, missed)
