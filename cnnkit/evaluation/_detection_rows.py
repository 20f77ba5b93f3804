"""A row an image: what was found, what it took at each of ten thresholds, what there was to find."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import DetectionTruth
from cnnkit.evaluation._detection_boxes import Boxes
from cnnkit.metrics import threshold_bits
from cnnkit.results import rows_schema

if TYPE_CHECKING:
    import pyarrow as pa


def rows_of(
    boxes: Boxes, labelled: DetectionTruth | None = None, digests: Sequence[bytes | None] | None = None
) -> "pa.Table":
    """COCO's matching whatever the protocol: all areas, up to the limit for an image and class, crowds left out.

    `labelled` are all images to have a row: those of `boxes`, and in their order those without an answer, whose
    detections are null. `digests` are theirs.
    """
    import pyarrow as pa

    labelled = labelled or boxes.truth
    schema, matches = rows_schema("detection"), boxes.matches
    kept = np.flatnonzero(matches.kept)
    kept = kept[np.argsort(boxes.found.image[kept], kind="stable")]
    bits = {"det_match": matches.hit, "det_ignore": matches.ignored}
    found: dict[str, NDArray[Any]] = {"det_class": boxes.found.category[kept], "det_score": boxes.found.scores[kept]}
    found |= {name: threshold_bits(flags[kept]) for name, flags in bits.items()}
    n = len(labelled.keys)
    columns: dict[str, Any] = {
        "key": pa.array(labelled.keys, pa.string()),
        "digest": pa.array(digests or [None] * n, pa.binary(32)),
    }
    places = {key: at for at, key in enumerate(boxes.truth.keys)}
    order = pa.array([places.get(key) for key in labelled.keys], pa.int64())
    for name, values in found.items():
        columns[name] = _lists(values, boxes.found.image[kept], boxes.n_images, schema.field(name).type).take(order)
    objects = np.flatnonzero(~labelled.iscrowd)
    objects = objects[np.argsort(labelled.image[objects], kind="stable")]
    kind = schema.field("truth_class").type
    columns["truth_class"] = _lists(labelled.category[objects], labelled.image[objects], n, kind)
    return pa.table(columns, schema=schema)


def _lists(values: NDArray[Any], images: NDArray[np.int64], n: int, kind: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    offsets = np.searchsorted(images, np.arange(n + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values, kind.value_type))
