"""Which class is taken for which, with background."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.metrics.detection import FoundBoxes, TrueBoxes
from cnnkit.metrics.detection_matches import match_detections

__all__ = ["detection_confusion"]


def detection_confusion(
    truth: TrueBoxes, found: FoundBoxes, *, iou: float = 0.5, confidence: float = 0.25
) -> NDArray[np.int64]:
    """Count objects by their class and by the class under which they were found.

    In each image, by falling score, a detection takes the free object that it overlaps most, whatever its class, at or
    above `iou`. One that takes only a crowd is left out.

    Args:
        truth: objects.
        found: detections.
        iou: least overlap.
        confidence: least score of a detection that takes part.

    Returns:
        (classes + 1, classes + 1): row the true class, column the one found; the last row are detections where nothing
        is, the last column objects that were not found; the last cell is 0.
    """
    background = truth.n_classes
    sure = found.scores >= confidence
    found = FoundBoxes(
        image=found.image[sure],
        category=found.category[sure],
        boxes=found.boxes[sure],
        scores=found.scores[sure],
        form=found.form,
    )
    matches = match_detections(truth, found, iou_thresholds=[iou], max_detections=None, by_class=False)
    taken, hit = matches.taken[:, 0], matches.hit[:, 0]
    wrong = ~hit & ~matches.ignored[:, 0]
    missed = ~truth.crowd
    missed[taken[hit]] = False
    matrix = np.zeros((background + 1, background + 1), np.int64)
    np.add.at(matrix, (truth.category[taken[hit]], found.category[hit]), 1)
    np.add.at(matrix[background], found.category[wrong], 1)
    np.add.at(matrix[:, background], truth.category[missed], 1)
    return matrix
