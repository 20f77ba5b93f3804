"""Predictions and truth to results: the job behind `cnnkit eval`."""

from cnnkit.evaluation._job import evaluate

__all__ = ["evaluate"]
