"""What a run took: the clock around it, its stages, the machine. Goes to run.json and nowhere else."""

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from cnnkit import __version__
from cnnkit.inference._shards import ShardRunner
from cnnkit.predictions import Attempt, RunFolder, RunRecord, read_record
from cnnkit.runtime import available_cores, bound_by

PACKAGES = (
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-ep-openvino",
    "opencv-python",
    "opencv-python-headless",
    "pillow",
    "pyarrow",
)


@contextmanager
def recorded(folder: RunFolder, runner: ShardRunner, *, images: Path, threads: int) -> Iterator[None]:
    """Add this attempt to run.json, however it ends."""
    started, began = datetime.now(UTC), time.monotonic()
    outcome = "complete"
    try:
        yield
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}".strip(": ")
        raise
    finally:
        stages = {name: round(seconds, 3) for name, seconds in runner.timings.totals().items()}
        attempt = Attempt(
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - began, 3),
            images=runner.done,
            workers=runner.workers,
            threads=threads,
            stages=stages,
            bound_by=bound_by(stages),
            events=tuple(runner.events),
            outcome=outcome,
        )
        add_attempt(folder, attempt, images=images, model=runner.model.path)


def add_attempt(folder: RunFolder, attempt: Attempt, *, images: Path, model: Path) -> None:
    before = read_record(folder.path)
    record = RunRecord(
        command=tuple(sys.argv),
        roots={"images": str(images.resolve()), "model": str(model.resolve())},
        machine=_machine(),
        attempts=(*(before.attempts if before else ()), attempt),
    )
    record.write(folder.path / "run.json")


def versions() -> dict[str, str]:
    """Of everything that may change an answer."""
    found = {"cnnkit": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _machine() -> dict[str, Any]:
    cores = available_cores()
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor(),
        "cores": cores.count,
        "cores_reason": cores.reason,
        "host_cores": os.cpu_count(),
        "versions": versions(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
