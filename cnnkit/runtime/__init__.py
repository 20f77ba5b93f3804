"""onnxruntime sessions and the engine that keeps all cores busy in order. Knows no pixels and no labels."""

from cnnkit.runtime._cores import Cores, available_cores
from cnnkit.runtime._devices import DEVICES, Provider, device_of
from cnnkit.runtime._engine import run_ordered
from cnnkit.runtime._jobs import Done, Job, Outputs
from cnnkit.runtime._session import Session, TensorInfo, first_line, import_onnxruntime, open_session
from cnnkit.runtime._timings import Timings, bound_by

__all__ = [
    "DEVICES",
    "Cores",
    "Done",
    "Job",
    "Outputs",
    "Provider",
    "Session",
    "TensorInfo",
    "Timings",
    "available_cores",
    "bound_by",
    "device_of",
    "first_line",
    "import_onnxruntime",
    "open_session",
    "run_ordered",
]
