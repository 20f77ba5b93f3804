"""Boxes to be drawn on the images of a detector's page."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "OBJECTS", "DrawnBoxes", "Kind"]

Kind = Literal["right", "false", "passed", "found", "missed", "left_out"]
DETECTIONS: tuple[Kind, ...] = ("right", "false", "passed")  # passed: in a region that is left out
OBJECTS: tuple[Kind, ...] = ("found", "missed", "left_out")
KINDS = (*DETECTIONS, *OBJECTS)


@dataclass(frozen=True, slots=True)
class DrawnBoxes:
    """Objects and detections of the images of the rows.

    Args:
        image: (m,) the row of each box's image.
        kind: (m,) places in `KINDS`; an object is found by a detection from `confidence` on.
        label: (m,) classes.
        score: (m,) the detection's confidence; an object has that of the detection that takes it, NaN without one.
        box: (m, 4) xyxy in pixels of the source.
        confidence: from which detections are shown together with the objects.
    """

    image: NDArray[np.int64]
    kind: NDArray[np.int64]
    label: NDArray[np.int64]
    score: NDArray[np.float64]
    box: NDArray[np.float64]
    confidence: float

    def are(self, *kinds: Kind) -> NDArray[np.bool_]:
        """(m,) whether a box is of one of these kinds."""
        return np.isin(self.kind, [KINDS.index(each) for each in kinds])

    @property
    def shown(self) -> NDArray[np.bool_]:
        """(m,) the objects, and the detections that are sure enough."""
        return self.are(*OBJECTS) | (self.score >= self.confidence)
