"""What is looked into beside the figures: groups of images, and the labels themselves."""

from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit.evaluation._label_health import with_label_health
from cnnkit.evaluation._scored import Asked
from cnnkit.evaluation._slices import with_slices
from cnnkit.results import Results

if TYPE_CHECKING:
    import pyarrow as pa


def examined(results: Results, rows: "pa.Table", keys_root: Path, output: Path | None, asked: Asked) -> Results:
    """Results with what was asked for of slices and label health.

    Raises:
        DataError: as `data.read_attributes`.
    """
    results = with_slices(results, rows, keys_root, asked)
    return with_label_health(results, rows, keys_root, output, asked)
