"""A row an image: what was found, what it took at each of ten thresholds, what there was to find."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.boxes import xyxy_from_xywh
from cnnkit.data import DetectionTruth
from cnnkit.evaluation._detection_boxes import Boxes
from cnnkit.metrics import threshold_bits
from cnnkit.results import rows_schema

if TYPE_CHECKING:
    import pyarrow as pa

NO_OBJECT = -1


def rows_of(
    boxes: Boxes, labelled: DetectionTruth | None = None, digests: Sequence[bytes | None] | None = None
) -> "pa.Table":
    """COCO's matching whatever the protocol: all areas, up to the limit for an image and class, crowds left out.

    `labelled` are all images to have a row: those of `boxes`, and in their order those without an answer, whose
    detections are null. `digests` are theirs.
    """
    import pyarrow as pa

    labelled = labelled or boxes.truth
    schema, n = rows_schema("detection"), len(labelled.keys)
    columns: dict[str, Any] = {
        "key": pa.array(labelled.keys, pa.string()),
        "digest": pa.array(digests or [None] * n, pa.binary(32)),
    }
    places = {key: at for at, key in enumerate(boxes.truth.keys)}
    order = pa.array([places.get(key) for key in labelled.keys], pa.int64())
    image, found = _found(boxes)
    for name, values in found.items():
        columns[name] = _lists(values, image, boxes.n_images, schema.field(name).type).take(order)
    objects = _objects(labelled)
    for name, values in (("truth_class", labelled.category), ("truth_box", xyxy_from_xywh(labelled.xywh()))):
        columns[name] = _lists(values[objects], labelled.image[objects], n, schema.field(name).type)
    return pa.table(columns, schema=schema)


def _found(boxes: Boxes) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """The image of each detection that counts, in their order, and the columns of these detections."""
    found, matches = boxes.found, boxes.matches
    kept = np.flatnonzero(matches.kept)
    kept = kept[np.argsort(found.image[kept], kind="stable")]
    loosest = matches.threshold(0)
    objects = _objects(boxes.truth)
    first_of_image = np.searchsorted(boxes.truth.image[objects], np.arange(boxes.n_images))
    places = np.full(len(boxes.truth.image) + 1, NO_OBJECT)
    places[objects] = np.arange(len(objects)) - first_of_image[boxes.truth.image[objects]]
    taken = np.where(matches.hit[:, loosest], matches.taken[:, loosest], len(boxes.truth.image))
    return found.image[kept], {
        "det_class": found.category[kept],
        "det_score": found.scores[kept],
        "det_match": threshold_bits(matches.hit[kept]),
        "det_ignore": threshold_bits(matches.ignored[kept]),
        "det_object": places[taken[kept]],
        "det_box": xyxy_from_xywh(found.boxes[kept]),
    }


def _objects(truth: DetectionTruth) -> NDArray[np.int64]:
    """The objects that count, in the order of the images."""
    objects = np.flatnonzero(~truth.iscrowd)
    return objects[np.argsort(truth.image[objects], kind="stable")]


def _lists(values: NDArray[Any], images: NDArray[np.int64], n: int, kind: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    offsets, of_one = np.searchsorted(images, np.arange(n + 1)).astype(np.int32), kind.value_type
    if values.ndim == 2:
        flat = pa.array(values.reshape(-1), of_one.value_type)
        return pa.ListArray.from_arrays(pa.array(offsets), pa.FixedSizeListArray.from_arrays(flat, type=of_one))
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values, of_one))
