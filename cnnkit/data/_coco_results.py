"""Other tools' detections in COCO's results JSON."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._coco_numbering import translate_ids
from cnnkit.data._coco_records import boxes_of, look_up, read_detections, refuse
from cnnkit.data._detection_truth import DetectionTruth


@dataclass(frozen=True, slots=True)
class DetectedBoxes:
    """Another tool's detections, in the order of their file: m boxes.

    `image` and `category` int64 (m,): positions in the truth's `keys` and `classes`; `boxes` float64 (m, 4) xywh as
    the file has them; `scores` float64 (m,), finite. `n_ignored` belonged to images that the truth does not list.
    """

    source: Path
    image: NDArray[np.int64]
    category: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    n_ignored: int = 0
    notes: tuple[str, ...] = ()


def read_coco_results(path: Path, truth: DetectionTruth, *, ignore_unknown_images: bool = False) -> DetectedBoxes:
    """Read a COCO results file (a list of image_id, category_id, bbox, score) against its ground truth.

    Category ids in COCO's other numbering (80 from 0 or from 1, or 91) are translated where the file shows which it
    is. What else a record holds (area, iscrowd, id) is not believed.

    Raises:
        DataError: as `read_coco`; a score that is not finite, an image (unless `ignore_unknown_images`) or a
            category that the truth does not list.
    """
    found = read_detections(path)
    boxes = boxes_of(path, "", found)
    scores = np.fromiter((entry.score for entry in found), dtype=np.float64, count=len(found))
    refuse(path, "", "score", ~np.isfinite(scores), scores, "a score is a finite number")
    category_ids = [entry.category_id for entry in found]
    categories, notes = translate_ids(path, category_ids, truth.category_ids, truth.classes)
    category = look_up(path, "", "category_id", category_ids, categories, f"{truth.source}")
    image_ids = [entry.image_id for entry in found]
    images = {image_id: at for at, image_id in enumerate(truth.image_ids)}
    if ignore_unknown_images:
        images |= dict.fromkeys(set(image_ids) - images.keys(), -1)
    hint = " --ignore-unknown-images leaves such detections out."
    image = look_up(path, "", "image_id", image_ids, images, f"{truth.source}", hint=hint)
    kept = image >= 0
    n_ignored = len(kept) - int(kept.sum())
    if n_ignored:
        notes = (*notes, f"Detections in images that the ground truth does not list, left out: {n_ignored}.")
    return DetectedBoxes(path, image[kept], category[kept], boxes[kept], scores[kept], n_ignored, notes)
