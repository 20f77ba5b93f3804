"""Everything that cnnkit raises on purpose.

CnnkitError                  exit code
├── CheckFailed              1   a gate or a check failed, or could not be decided
├── UsageError               2   the call itself is wrong
├── DataError                3   images, labels, predictions or results are bad
│   └── ImageError           3   one image; carries the status that its row gets
├── ModelError               3   an .onnx file, a spec or a checkpoint is bad
├── DeviceError              4   the device that was asked for could not be had
└── MachineError             5   the machine failed: disk full, out of memory, a library that does not load

Programmers' mistakes stay ValueError and TypeError. A message names the thing, the value found,
what was expected and the next step.
"""

from typing import Any, ClassVar

__all__ = [
    "CheckFailed",
    "CnnkitError",
    "DataError",
    "DeviceError",
    "ImageError",
    "MachineError",
    "ModelError",
    "UsageError",
]


class CnnkitError(Exception):
    exit_code: ClassVar[int] = 5


class CheckFailed(CnnkitError):
    """`record` is what was measured, where a command prints it although the check failed."""

    exit_code = 1

    def __init__(self, message: str, record: Any = None) -> None:
        super().__init__(message)
        self.record = record


class UsageError(CnnkitError):
    exit_code = 2


class DataError(CnnkitError):
    exit_code = 3


class ImageError(DataError):
    """One image that could not be read; `status` is one of `records.STATUSES` other than `ok`."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class ModelError(CnnkitError):
    exit_code = 3


class DeviceError(CnnkitError):
    exit_code = 4


class MachineError(CnnkitError):
    exit_code = 5
