"""A row an image: what was found, what it took at each of ten thresholds, what there was to find."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.evaluation._detection_boxes import Boxes
from cnnkit.metrics import threshold_bits
from cnnkit.results import rows_schema

if TYPE_CHECKING:
    import pyarrow as pa


def rows_of(boxes: Boxes, digests: "pa.Array | None" = None) -> "pa.Table":
    """COCO's matching whatever the protocol: all areas, up to the limit for an image and class, crowds left out."""
    import pyarrow as pa

    schema, matches = rows_schema("detection"), boxes.matches
    kept = np.flatnonzero(matches.kept)
    kept = kept[np.argsort(boxes.found.image[kept], kind="stable")]
    bits = {"det_match": matches.hit, "det_ignore": matches.ignored}
    found: dict[str, NDArray[Any]] = {"det_class": boxes.found.category[kept], "det_score": boxes.found.scores[kept]}
    found |= {name: threshold_bits(flags[kept]) for name, flags in bits.items()}
    truth = boxes.truth
    objects = np.flatnonzero(~truth.iscrowd)
    objects = objects[np.argsort(truth.image[objects], kind="stable")]
    n = boxes.n_images
    columns: dict[str, Any] = {"key": pa.array(truth.keys, pa.string()), "digest": digests}
    if digests is None:
        columns["digest"] = pa.nulls(n, pa.binary(32))
    for name, values in found.items():
        columns[name] = _lists(values, boxes.found.image[kept], n, schema.field(name).type)
    columns["truth_class"] = _lists(truth.category[objects], truth.image[objects], n, schema.field("truth_class").type)
    return pa.table(columns, schema=schema)


def _lists(values: NDArray[Any], images: NDArray[np.int64], n: int, kind: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    offsets = np.searchsorted(images, np.arange(n + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values, kind.value_type))
