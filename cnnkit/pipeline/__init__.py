"""Spec and session to rows in key order: the one place that joins images, runtime and postprocess."""

from cnnkit.pipeline._checks import check_spec, input_shape, refuse_open_size
from cnnkit.pipeline._isolated import IsolatedRows
from cnnkit.pipeline._job import Given, OnError, RowOptions, read_file
from cnnkit.pipeline._look import said_of, squeezed
from cnnkit.pipeline._model import BATCH_SIZE, Model, Prediction
from cnnkit.pipeline._open import open_model
from cnnkit.pipeline._override import overridden
from cnnkit.pipeline._prepared import prepared
from cnnkit.pipeline._resolve import SpecOptions, given_spec

__all__ = [
    "BATCH_SIZE",
    "Given",
    "IsolatedRows",
    "Model",
    "OnError",
    "Prediction",
    "RowOptions",
    "SpecOptions",
    "check_spec",
    "given_spec",
    "input_shape",
    "open_model",
    "overridden",
    "prepared",
    "read_file",
    "refuse_open_size",
    "said_of",
    "squeezed",
]
