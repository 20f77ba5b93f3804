"""results.json and rows.parquet on the disk."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from cnnkit.errors import DataError
from cnnkit.files import replace_atomically, write_text
from cnnkit.results._results import Results
from cnnkit.spec import spec_problems

if TYPE_CHECKING:
    import pyarrow as pa

RESULTS_FILE = "results.json"
ROWS_FILE = "rows.parquet"
OF_RESULTS = (RESULTS_FILE, "report.html", "report.md")  # what says something of the rows
KINDS_OF_ROWS = (("classification", False), ("classification", True), ("detection", False))


def rows_schema(task: str, *, multilabel: bool = False) -> "pa.Schema":
    """The columns of rows.parquet, a row an image, in key order.

    classification: `label` and `predicted` index the classes, `rank` is the label's place (1 is first), `p` the
    label's probability, `confidence` the answer's; all but `label` are null where the image could not be read.
    Multi-label: `labels` and `predicted` are lists, the answers at the threshold of the results.
    detection: one entry for each box kept; bit i of `det_match` and `det_ignore` is IoU threshold i of ten,
    `det_object` the place among the image's objects of the one that it takes at the lowest, -1 for none. `truth_class`
    and `truth_box` are the objects that count. Boxes are xyxy in pixels of the image.
    """
    import pyarrow as pa

    fields = [pa.field("key", pa.string(), nullable=False), pa.field("digest", pa.binary(32))]
    if task == "detection":
        whole, bits, real, box = pa.int32(), pa.int16(), pa.float32(), pa.list_(pa.float32(), 4)
        kinds = {"det_class": whole, "det_score": real, "det_match": bits, "det_ignore": bits}
        kinds |= {"det_object": whole, "det_box": box, "truth_class": whole, "truth_box": box}
        fields += [pa.field(name, pa.list_(kind)) for name, kind in kinds.items()]
    elif multilabel:
        fields += [pa.field("labels", pa.list_(pa.int32())), pa.field("predicted", pa.list_(pa.int32()))]
    else:
        fields += [pa.field(name, pa.int32()) for name in ("label", "predicted", "rank")]
        fields += [pa.field(name, pa.float32()) for name in ("p", "confidence")]
    return pa.schema(fields)


def write_results(folder: Path, results: Results, rows: "pa.Table") -> None:
    """Write rows.parquet, then results.json: a folder that has results.json has both.

    What was written of other rows before goes first, the report too.
    """
    import pyarrow.parquet as pq

    wanted = rows_schema(results.task, multilabel=results.multilabel)
    if not rows.schema.equals(wanted):
        raise ValueError(f"rows have the columns {rows.schema.names}, expected {wanted.names} with their types")
    remove_results(folder)
    with replace_atomically(folder / ROWS_FILE) as temporary:
        pq.write_table(rows, temporary, compression="zstd")
    write_text(folder / RESULTS_FILE, results.to_json() + "\n")


def remove_results(folder: Path) -> None:
    """So that nothing in the folder speaks of results that are no longer there; rows and run stay."""
    for name in OF_RESULTS:
        (folder / name).unlink(missing_ok=True)


def read_results(folder: Path) -> Results:
    """Read results.json of a results folder, or the file itself."""
    path = folder / RESULTS_FILE if folder.is_dir() else folder
    if not path.exists():
        raise DataError(f"{folder}: not a results folder: it has no {RESULTS_FILE}. `cnnkit eval` makes one.")
    try:
        return Results.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(
            f"{path}: not a {RESULTS_FILE} that this cnnkit can read: {spec_problems(error)}. "
            f"Was it written by another version?"
        ) from error


def read_rows(folder: Path) -> "pa.Table":
    """Read rows.parquet of a results folder."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / ROWS_FILE
    try:
        rows = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Run cnnkit eval again.") from error
    known = [rows_schema(task, multilabel=several).names for task, several in KINDS_OF_ROWS]
    if rows.schema.names not in known:
        raise DataError(
            f"{path}: has the columns {', '.join(rows.schema.names)}, which are none that this cnnkit writes: "
            f"by another version? Run cnnkit eval again."
        )
    return rows


def schema_text() -> str:
    """The JSON schema of results.json, as docs/results.schema.json holds it."""
    return json.dumps(Results.model_json_schema(by_alias=True), indent=1) + "\n"
