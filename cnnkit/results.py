"""The results folder: results.json (every figure with its doubt and origin) and rows.parquet (each image's outcome).

`null` stands for what is undefined; the file never holds NaN or -1.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cnnkit.errors import DataError
from cnnkit.files import replace_atomically, write_text
from cnnkit.spec import ClassName, spec_problems

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "SCHEMA",
    "BestF1",
    "Bin",
    "BoxTable",
    "Calibration",
    "ClassFigures",
    "Confusion",
    "Cost",
    "Curve",
    "Curves",
    "DataFacts",
    "DetectionFacts",
    "Figure",
    "Intervals",
    "ModelFacts",
    "OperatingPoint",
    "ProviderFacts",
    "Results",
    "RunFacts",
    "Slice",
    "Speed",
    "read_results",
    "read_rows",
    "rows_schema",
    "schema_text",
    "write_results",
]

SCHEMA = 1
RESULTS_FILE = "results.json"
ROWS_FILE = "rows.parquet"


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, validate_by_alias=True
    )


class Figure(_Model):
    """One number with its 95 % interval, the count `n` it rests on, and how the interval was made.

    `value` is None where the number is undefined; `low` and `high` are None where there is no interval, and `note`
    says why.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    method: str | None = None
    n_positives: int | None = None
    note: str | None = None


class ModelFacts(_Model):
    """The model; of another tool's predictions only the name of their file is known."""

    name: str
    sha256: str | None = None
    spec_hash: str | None = None


class RunFacts(_Model):
    """Where the predictions lie, relative to the results folder, and the sha256 of their manifest or their file."""

    path: str | None
    sha256: str


class DataFacts(_Model):
    """What was scored. `n` images have a label and a prediction; `n_bad` have a label and could not be read."""

    root: str
    part: str | None = None
    truth: str | None = None
    fingerprint: str
    n: int
    n_bad: int = 0
    bad: dict[str, int] = {}
    n_unlabelled: int = 0
    n_outside_part: int = 0
    n_classes: int
    n_classes_scored: int


class ProviderFacts(_Model):
    name: str
    precision: str = "fp32"


class Cost(_Model):
    size_bytes: int | None = None
    parameters: int | None = None
    multiply_adds: int | None = None


class Speed(_Model):
    latency_ms_p50: float | None = None
    latency_ms_p95: float | None = None
    images_per_s: float | None = None
    peak_memory_bytes: int | None = None


class Intervals(_Model):
    """How the intervals that need resampling were made."""

    level: float = 0.95
    resamples: int
    seed: int


class BestF1(_Model):
    """The highest F1 of a detector at IoU 0.5, and the confidence from which detections are kept to have it."""

    confidence: float
    f1: float
    precision: float
    recall: float


class ClassFigures(_Model):
    """A class: `n` images carry its label, `n_predicted` got it as the answer. `intervals` is by name of the figure.

    Of a detector's class `n` are the objects to find and `n_predicted` the detections.
    """

    name: str
    n: int
    n_predicted: int | None = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    ap: float | None = None
    ap50: float | None = None
    roc_auc: float | None = None
    best_f1: BestF1 | None = None
    intervals: dict[str, tuple[float, float]] = {}
    note: str | None = None


class Confusion(_Model):
    """The cells that are not 0, as (label, predicted, count), indices into the classes, in that order.

    A detector has one class more at the end, the background: predicted, an object that nothing found; as a label,
    nothing that was taken for an object.
    """

    n_classes: int
    cells: tuple[tuple[int, int, int], ...]

    def matrix(self) -> NDArray[np.int64]:
        """All of it: (classes, classes), a row for each label, a column for each answer."""
        whole = np.zeros((self.n_classes, self.n_classes), dtype=np.int64)
        if self.cells:
            labels, predicted, counts = np.array(self.cells, dtype=np.int64).T
            whole[labels, predicted] = counts
        return whole


class Curve(_Model):
    """Points of a curve in the order of falling threshold; `index` is the class, None for a curve of all.

    `iou` is the overlap at which a detection counted as right.
    """

    index: int | None = None
    iou: float | None = None
    x: tuple[float, ...]
    y: tuple[float, ...]
    threshold: tuple[float, ...] = ()


class Curves(_Model):
    """For drawing; long curves are thinned.

    `pr` is recall and precision, `roc` false and true positive rate, `risk_coverage` the share of images that are
    answered and the accuracy on them, with thresholds on the confidence; `f1` threshold and F1 (multi-label: macro).
    """

    pr: tuple[Curve, ...] = ()
    roc: tuple[Curve, ...] = ()
    risk_coverage: Curve | None = None
    f1: Curve | None = None


class Bin(_Model):
    """Images with a confidence in (low, high]: how many, their mean confidence, the share that is right."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


class Calibration(_Model):
    """Reliability bins, and the temperature that would mend the probabilities (1 is none)."""

    equal_width: tuple[Bin, ...] = ()
    equal_mass: tuple[Bin, ...] = ()
    temperature: float | None = None
    cross_entropy_at_temperature: float | None = None


class Slice(_Model):
    """Images that share a property: `by` names it (brightness, folder), `value` says which (dark, north).

    `figure` is `measure` on them, `rest` on all other images; `p_value` is for a difference between the two, corrected
    for the number of slices.
    """

    by: str
    value: str
    measure: str = "top1_accuracy"
    figure: Figure
    rest: Figure | None = None
    p_value: float | None = None


class OperatingPoint(_Model):
    """The lowest confidence from which the wanted precision is reached, and what it costs; None: it cannot be had."""

    wanted_precision: float
    threshold: float | None
    precision: float | None
    coverage: float | None


class BoxTable(_Model):
    """A class's detections at IoU 0.5 by falling confidence, and the AP of this table, exact where it is short."""

    name: str
    n_objects: int
    confidence: tuple[float, ...]
    verdict: tuple[Literal["TP", "FP", "left out"], ...]
    ap: dict[str, float] = {}
    fractions: dict[str, str] = {}


class DetectionFacts(_Model):
    """What only a detector has.

    `n_objects` are to be found, `n_ignored` (crowds, difficult ones) neither right nor wrong; `n_detections` were
    scored. `best_f1` is of all classes in one ranking. `errors` counts TIDE's kinds of error over all detections,
    `errors_at_best_f1` from its confidence on. `truth` counts what was odd about the labels.
    """

    n_objects: int
    n_ignored: int = 0
    n_detections: int
    best_f1: BestF1 | None = None
    errors: dict[str, int] = {}
    errors_at_best_f1: dict[str, int] = {}
    tables: tuple[BoxTable, ...] = ()
    truth: dict[str, int] = {}


class Results(_Model):
    """What results.json holds. Figures have flat names that carry direction and unit."""

    schema_: Literal[1] = Field(1, alias="schema")
    task: Literal["classification", "detection"]
    multilabel: bool = False
    model: ModelFacts
    run: RunFacts
    classes: tuple[ClassName, ...]
    data: DataFacts
    provider: ProviderFacts | None = None
    versions: dict[str, str]
    cost: Cost = Cost()
    speed: Speed = Speed()
    intervals: Intervals | None = None
    figures: dict[str, Figure]
    per_class: tuple[ClassFigures, ...]
    confusion: Confusion | None = None
    curves: Curves = Curves()
    calibration: Calibration | None = None
    operating_points: tuple[OperatingPoint, ...] = ()
    slices: tuple[Slice, ...] = ()
    detection: DetectionFacts | None = None
    protocol: dict[str, Any] = {}
    warnings: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.per_class) != len(self.classes):
            raise ValueError(f"per_class has {len(self.per_class)} entries for {len(self.classes)} classes")
        return self

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.classes]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)


def rows_schema(task: str, *, multilabel: bool = False) -> "pa.Schema":
    """The columns of rows.parquet, a row an image, in key order.

    classification: `label` and `predicted` index the classes, `rank` is the label's place (1 is first), `p` the
    label's probability, `confidence` the answer's; all but `label` are null where the image could not be read.
    Multi-label: `labels` and `predicted` are lists, the answers at the threshold of the results.
    detection: one entry for each box kept; bit i of `det_match` and `det_ignore` is IoU threshold i of ten.
    """
    import pyarrow as pa

    fields = [pa.field("key", pa.string(), nullable=False), pa.field("digest", pa.binary(32))]
    if task == "detection":
        whole, bits, real = pa.int32(), pa.int16(), pa.float32()
        kinds = {"det_class": whole, "det_score": real, "det_match": bits, "det_ignore": bits, "truth_class": whole}
        fields += [pa.field(name, pa.list_(kind)) for name, kind in kinds.items()]
    elif multilabel:
        fields += [pa.field("labels", pa.list_(pa.int32())), pa.field("predicted", pa.list_(pa.int32()))]
    else:
        fields += [pa.field(name, pa.int32()) for name in ("label", "predicted", "rank")]
        fields += [pa.field(name, pa.float32()) for name in ("p", "confidence")]
    return pa.schema(fields)


def write_results(folder: Path, results: Results, rows: "pa.Table") -> None:
    """Write rows.parquet, then results.json: a folder that has results.json has both."""
    import pyarrow.parquet as pq

    wanted = rows_schema(results.task, multilabel=results.multilabel)
    if not rows.schema.equals(wanted):
        raise ValueError(f"rows have the columns {rows.schema.names}, expected {wanted.names} with their types")
    (folder / RESULTS_FILE).unlink(missing_ok=True)
    with replace_atomically(folder / ROWS_FILE) as temporary:
        pq.write_table(rows, temporary, compression="zstd")
    write_text(folder / RESULTS_FILE, results.to_json() + "\n")


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
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Run cnnkit eval again.") from error


def schema_text() -> str:
    """The JSON schema of results.json, as docs/results.schema.json holds it."""
    return json.dumps(Results.model_json_schema(by_alias=True), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
