"""Rows to an Arrow table and back. Needs pyarrow, which is imported where used."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit.records import STATUSES, Classification, Detections, Row
from cnnkit.spec import ModelSpec

if TYPE_CHECKING:
    import pyarrow as pa


def schema_for(spec: ModelSpec, topk: int) -> "pa.Schema":
    """The columns of a part: `scores` has C values, `top_ids` min(topk, C)."""
    import pyarrow as pa

    fields = [
        pa.field("key", pa.string(), nullable=False),
        pa.field("status", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("error", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("digest", pa.binary(32)),
    ]
    if spec.task == "classification":
        n_classes = len(spec.classes)
        fields.append(pa.field("scores", pa.list_(pa.float32(), n_classes)))
        fields.append(pa.field("top_ids", pa.list_(pa.int32(), min(topk, n_classes))))
    else:
        fields.append(pa.field("boxes", pa.list_(pa.list_(pa.float32(), 4))))
        fields.append(pa.field("box_scores", pa.list_(pa.float32())))
        fields.append(pa.field("box_classes", pa.list_(pa.int32())))
    return pa.schema(fields)


def table_from_rows(rows: Sequence[Row], schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    codes = np.array([STATUSES.index(row.status) for row in rows], dtype=np.int8)
    columns = {
        "key": pa.array([row.key for row in rows], pa.string()),
        "status": pa.DictionaryArray.from_arrays(codes, list(STATUSES)),
        "error": pa.array([row.error for row in rows], pa.string()),
        "width": pa.array([row.width for row in rows], pa.int32()),
        "height": pa.array([row.height for row in rows], pa.int32()),
        "digest": pa.array([row.digest for row in rows], pa.binary(32)),
    }
    columns |= _scores(rows, schema) if "scores" in schema.names else _boxes(rows)
    return pa.table(columns, schema=schema)


def rows_from_table(table: "pa.Table | pa.RecordBatch") -> Iterator[Row]:
    classification = "scores" in table.schema.names
    for at in range(table.num_rows):
        facts = {
            name: table.column(name)[at].as_py() for name in ("key", "status", "error", "width", "height", "digest")
        }
        prediction: Classification | Detections | None = None
        if facts["status"] == "ok":
            prediction = _classification(table, at) if classification else _detections(table, at)
        yield Row(**facts, prediction=prediction)


def _scores(rows: Sequence[Row], schema: "pa.Schema") -> "dict[str, pa.Array]":
    import pyarrow as pa

    absent = np.array([row.prediction is None for row in rows])
    columns = {}
    for name in ("scores", "top_ids"):
        kind = schema.field(name).type
        values = np.zeros((len(rows), kind.list_size), dtype=kind.value_type.to_pandas_dtype())
        for at, row in enumerate(rows):
            if row.prediction is not None:
                values[at] = getattr(row.prediction, name)
        columns[name] = pa.FixedSizeListArray.from_arrays(values.reshape(-1), type=kind, mask=pa.array(absent))
    return columns


def _boxes(rows: Sequence[Row]) -> "dict[str, pa.Array]":
    import pyarrow as pa

    found = [row.prediction for row in rows]
    counts = [0 if each is None else len(each.boxes) for each in found if each is None or isinstance(each, Detections)]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    absent = pa.array([each is None for each in found])
    present = [each for each in found if isinstance(each, Detections)]
    boxes = _concatenated([each.boxes.reshape(-1) for each in present], np.float32)
    flat = {
        "boxes": pa.FixedSizeListArray.from_arrays(boxes, 4),
        "box_scores": pa.array(_concatenated([each.scores for each in present], np.float32)),
        "box_classes": pa.array(_concatenated([each.classes for each in present], np.int32)),
    }
    return {
        name: pa.ListArray.from_arrays(pa.array(offsets), values, mask=absent if len(found) else None)
        for name, values in flat.items()
    }


def _concatenated(arrays: list[NDArray[np.generic]], dtype: type[np.generic]) -> NDArray[np.generic]:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=dtype)


def _classification(table: "pa.Table | pa.RecordBatch", at: int) -> Classification:
    return Classification(
        scores=np.array(table.column("scores")[at].values, dtype=np.float32),
        top_ids=np.array(table.column("top_ids")[at].values, dtype=np.int32),
    )


def _detections(table: "pa.Table | pa.RecordBatch", at: int) -> Detections:
    boxes = table.column("boxes")[at].values
    return Detections(
        boxes=np.array(boxes.flatten(), dtype=np.float32).reshape(-1, 4),
        scores=np.array(table.column("box_scores")[at].values, dtype=np.float32),
        classes=np.array(table.column("box_classes")[at].values, dtype=np.int32),
    )
