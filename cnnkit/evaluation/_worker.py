"""Cases of a suite in a process of their own, so that one that kills its process kills nothing else.

One process runs case after case; it is started when it is first wanted, and anew after one died.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnnkit.errors import MachineError

CHILD = "from cnnkit.evaluation._worker_child import main; main()"

Progress = Callable[[int, int], None]


class WorkerDied(Exception):
    """Its sentence says how."""


class Worker:
    """Runs requests one after another in a child process; use it as a context, which ends the process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *stopped: object) -> None:
        self._end()

    def run(self, request: Mapping[str, Any], *, progress: Progress | None) -> dict[str, Any]:
        """The answer to a request of JSON values.

        Raises:
            WorkerDied: the process ended before it answered.
            MachineError: it could not be started, or failed in a way that no case can.
        """
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it died at once; the missing answer says so
            process.stdin.write(json.dumps(request, default=_as_text).encode() + b"\n")
            process.stdin.flush()
        while line := process.stdout.readline():
            message = json.loads(line)
            if "progress" in message and progress is not None:
                progress(*message["progress"])
            if "error" in message:
                raise MachineError(f"the process that runs the cases failed: {message['error']}")
            if "answer" in message:
                answer: dict[str, Any] = message["answer"]
                return answer
        raise WorkerDied(_how(self._end()))

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            command = [sys.executable, "-c", CHILD]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process

    def _end(self) -> int:
        """Close its pipes, at which it ends; the code that it ended with."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        return process.wait()


def _as_text(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(
        f"{value!r} cannot be handed to the process that runs the cases; isolate=False runs them in this one"
    )


def _how(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code} and no word"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ": memory may have run out, or it was ended from outside" if name == "SIGKILL" else ""
    return f"its process died ({name}{hint})"
