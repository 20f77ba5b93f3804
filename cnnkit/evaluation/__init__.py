"""Predictions and truth to results: the job behind `cnnkit eval`."""

from cnnkit.evaluation._attributes import SLICE_BY
from cnnkit.evaluation._baseline import parse_baseline, worse_than_baseline
from cnnkit.evaluation._compare import compare
from cnnkit.evaluation._data_check import DataCheck, check_data
from cnnkit.evaluation._detection_files import is_results_file
from cnnkit.evaluation._gates import failed_floors, notes_on_floors, parse_floors
from cnnkit.evaluation._job import evaluate
from cnnkit.evaluation._outcome import CaseOutcome
from cnnkit.evaluation._source import default_output
from cnnkit.evaluation._suite import SuiteOutcome, run_suite

__all__ = [
    "SLICE_BY",
    "CaseOutcome",
    "DataCheck",
    "SuiteOutcome",
    "check_data",
    "compare",
    "default_output",
    "evaluate",
    "failed_floors",
    "is_results_file",
    "notes_on_floors",
    "parse_baseline",
    "parse_floors",
    "run_suite",
    "worse_than_baseline",
]
