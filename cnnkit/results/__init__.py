"""The results folder: results.json (every figure with its doubt and origin) and rows.parquet (each image's outcome).

`null` stands for what is undefined; the file never holds NaN or -1.
"""

from cnnkit.results._confidence import Bin, Calibration, OperatingPoint
from cnnkit.results._detection import BoxTable, DetectionFacts
from cnnkit.results._facts import (
    NO_PREDICTION,
    RATE_LABELS,
    Cost,
    DataFacts,
    Intervals,
    ModelFacts,
    ProviderFacts,
    RateOf,
    RunFacts,
    Speed,
    place_in_words,
)
from cnnkit.results._figures import BestF1, ClassFigures, Confusion, Curve, Curves, Figure
from cnnkit.results._files import (
    RESULTS_FILE,
    read_results,
    read_rows,
    remove_results,
    rows_schema,
    schema_text,
    write_results,
)
from cnnkit.results._health import Duplicates, LabelHealth, MutualConfusion, SamePicture, SuspectLabel
from cnnkit.results._nothing_found import nothing_found
from cnnkit.results._results import SCHEMA, Results
from cnnkit.results._slices import Slice, SlicedBy

__all__ = [
    "NO_PREDICTION",
    "RATE_LABELS",
    "RESULTS_FILE",
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
    "Duplicates",
    "Figure",
    "Intervals",
    "LabelHealth",
    "ModelFacts",
    "MutualConfusion",
    "OperatingPoint",
    "ProviderFacts",
    "RateOf",
    "Results",
    "RunFacts",
    "SamePicture",
    "Slice",
    "SlicedBy",
    "Speed",
    "SuspectLabel",
    "nothing_found",
    "place_in_words",
    "read_results",
    "read_rows",
    "remove_results",
    "rows_schema",
    "schema_text",
    "write_results",
]
