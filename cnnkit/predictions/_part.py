"""One part file, written as its rows come: no more than a row group of them is held."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit.files import replace_atomically
from cnnkit.predictions._table import table_from_rows
from cnnkit.records import Row

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROW_GROUP = 256


class PartWriter:
    """Takes rows in order, in blocks of any size; row groups are cut by position, so equal rows make equal bytes."""

    def __init__(self, file: "pq.ParquetWriter", schema: "pa.Schema") -> None:
        self.n = 0
        self._file, self._schema = file, schema
        self._held: list[Row] = []

    def add(self, rows: Sequence[Row]) -> None:
        self.n += len(rows)
        self._held.extend(rows)
        while len(self._held) >= ROW_GROUP:
            self._write(ROW_GROUP)

    def end(self) -> None:
        if self._held:
            self._write(len(self._held))

    def _write(self, n: int) -> None:
        self._file.write_table(table_from_rows(self._held[:n], self._schema))
        del self._held[:n]


@contextmanager
def writing_part(path: Path, schema: "pa.Schema", n: int) -> Iterator[PartWriter]:
    """The file takes its name when the block ends well with `n` rows; ValueError with another number."""
    import pyarrow.parquet as pq

    with replace_atomically(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=["status"]) as file:
            writer = PartWriter(file, schema)
            yield writer
            writer.end()
        if writer.n != n:
            raise ValueError(f"{path.name} is for {n} images, got {writer.n} rows")
