"""Peak memory of a process that does nothing but open a model and run it."""

import multiprocessing
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cnnkit.errors import MachineError


def peak_memory(path: Path, *, batch_size: int, workers: int, options: dict[str, Any]) -> int:
    """Bytes resident at most in a fresh process that runs `workers` threads with batches of `batch_size`."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_measure, args=(theirs, path, batch_size, workers, options), daemon=True)
    child.start()
    theirs.close()
    try:
        found: int = ours.recv()
    except EOFError:
        raise MachineError(f"{path}: the process that measures its memory died. Was there enough?") from None
    finally:
        child.join()
    return found


def peak_of_this_process() -> int:
    """Bytes resident at most so far.

    On Linux from the kernel's page on this process: getrusage also counts what the parent had when it started this one.
    """
    import resource

    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, others KiB


def _measure(answer: Connection, path: Path, batch_size: int, workers: int, options: dict[str, Any]) -> None:
    from cnnkit.benchmark._measure import throughput
    from cnnkit.pipeline import open_model

    throughput(open_model(path, **options), batch_size=batch_size, workers=workers, seconds=0.05)
    answer.send(peak_of_this_process())
