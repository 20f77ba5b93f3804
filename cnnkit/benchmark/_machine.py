"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cnnkit.benchmark._facts import Machine
from cnnkit.runtime import available_cores

PACKAGES = ("cnnkit", "numpy", "onnxruntime", "onnxruntime-gpu", "onnxruntime-ep-openvino", "opencv-python", "pillow")


def this_machine() -> Machine:
    cores = available_cores()
    return Machine(
        cpu=_cpu_name(),
        cores=cores.count,
        cores_reason=cores.reason,
        memory_bytes=_memory_bytes(),
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        versions={name: found for name in PACKAGES if (found := _version(name)) is not None},
    )


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
