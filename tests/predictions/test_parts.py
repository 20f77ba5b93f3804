"""A part file is the same whatever the blocks its rows come in, and is there whole or not at all."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.predictions import rows_from_table, schema_for
from cnnkit.predictions._part import ROW_GROUP, writing_part
from cnnkit.records import Classification, Row
from cnnkit.spec import ModelSpec

SCHEMA = schema_for(
    ModelSpec.model_validate(
        {
            "input": {"size": [8, 8]},
            "preprocess": [],
            "output": {"name": "y"},
            "classes": [{"name": "ant"}, {"name": "bee"}],
        }
    ),
    1,
)


def row(at: int) -> Row:
    if at % 7 == 6:
        return Row(f"{at:04d}.png", "corrupt", "it is damaged")
    scores = np.array([at, 1], np.float32) / (at + 1)
    return Row(f"{at:04d}.png", width=at, height=1, prediction=Classification(scores, np.array([0], np.int32)))


def written(path: Path, rows: list[Row], cuts: list[int]) -> bytes:
    with writing_part(path, SCHEMA, len(rows)) as part:
        for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            part.add(rows[start:stop])
    return path.read_bytes()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2 * ROW_GROUP + 1), st.data())
def test_blocks_do_not_show(tmp_path_factory: pytest.TempPathFactory, n: int, data: st.DataObject) -> None:
    rows = [row(at) for at in range(n)]
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=6)))
    folder = tmp_path_factory.mktemp("parts")
    assert written(folder / "a", rows, cuts) == written(folder / "b", rows, [])
    file = pq.ParquetFile(folder / "a")
    assert [each.key for each in rows_from_table(file.read())] == [each.key for each in rows]
    sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert all(size == ROW_GROUP for size in sizes[:-1])


def test_without_a_row_it_has_the_columns(tmp_path: Path) -> None:
    written(tmp_path / "a", [], [])
    assert pq.read_schema(tmp_path / "a").names == SCHEMA.names


def test_what_ends_early_leaves_nothing(tmp_path: Path) -> None:
    def stopped() -> None:
        with writing_part(tmp_path / "a", SCHEMA, 2 * ROW_GROUP) as part:
            part.add([row(at) for at in range(ROW_GROUP + 1)])
            raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        stopped()
    with (
        pytest.raises(ValueError, match="a is for 3 images, got 1 rows"),
        writing_part(tmp_path / "a", SCHEMA, 3) as one,
    ):
        one.add([row(0)])
    assert list(tmp_path.iterdir()) == []
