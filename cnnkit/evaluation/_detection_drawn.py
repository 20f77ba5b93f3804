"""Objects and detections as the page draws them."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import DetectionTruth
from cnnkit.evaluation._detection_details import IOU, Details
from cnnkit.report import DrawnBoxes

RIGHT, FALSE, PASSED, FOUND, MISSED, LEFT_OUT = range(6)  # places in the page's kinds


def drawn_boxes(details: Details, labelled: DetectionTruth | None = None) -> DrawnBoxes:
    """All boxes that count, at IoU 0.5; `labelled` are the images of the rows, where not all of them are scored."""
    truth, found, matches = details.boxes.truth, details.boxes.found, details.matches
    rows = _rows_of(truth, labelled or truth)
    at = matches.threshold(IOU)
    kept = np.flatnonzero(matches.kept)
    taken = np.full(len(truth.image), np.nan)
    hits = kept[matches.hit[kept, at]]
    taken[matches.taken[hits, at]] = found.scores[hits]
    verdict = np.where(matches.hit[kept, at], RIGHT, np.where(matches.ignored[kept, at], PASSED, FALSE))
    state = np.where(~matches.counted, LEFT_OUT, np.where(taken >= details.confidence, FOUND, MISSED))
    return DrawnBoxes(
        image=rows[np.concatenate([truth.image, found.image[kept]])],
        kind=np.concatenate([state, verdict]),
        label=np.concatenate([truth.category, found.category[kept]]),
        score=np.concatenate([taken, found.scores[kept]]),
        box=_corners(np.concatenate([truth.xywh(), found.boxes[kept]])),
        confidence=details.confidence,
    )


def _rows_of(truth: DetectionTruth, labelled: DetectionTruth) -> NDArray[np.int64]:
    places = {key: at for at, key in enumerate(labelled.keys)}
    return np.array([places[key] for key in truth.keys], dtype=np.int64)


def _corners(xywh: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
