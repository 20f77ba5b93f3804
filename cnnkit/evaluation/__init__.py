"""Predictions and truth to results: the job behind `cnnkit eval`."""

from cnnkit.evaluation._compare import compare
from cnnkit.evaluation._gates import failed_floors, parse_floors
from cnnkit.evaluation._job import evaluate
from cnnkit.evaluation._source import default_output

__all__ = ["compare", "default_output", "evaluate", "failed_floors", "parse_floors"]
