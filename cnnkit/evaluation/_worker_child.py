"""The child's side of a worker: a JSON line on stdin is a case, JSON lines on stdout are its progress and outcome."""

import json
import os
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from cnnkit.evaluation._case import Place
from cnnkit.evaluation._outcome import outcome_of
from cnnkit.suites import Case


def main() -> None:
    answers = _own_stdout()
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        try:
            answer = _run(json.loads(requests.get()), answers)
        except Exception as error:
            _say(answers, {"error": f"{type(error).__name__}: {error}"})
        else:
            _say(answers, {"answer": answer})


def _own_stdout() -> BinaryIO:
    """The pipe to the parent; what libraries print to stdout goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _listen(requests: "SimpleQueue[bytes]") -> None:
    """Take requests as they come; when the parent is gone, so is this process, whatever it is at."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _say(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


def _run(request: dict[str, Any], answers: BinaryIO) -> dict[str, Any]:
    def progress(done: int, total: int) -> None:
        _say(answers, {"progress": [done, total]})

    place = Place(Case.model_validate(request["case"]), Path(request["base"]), Path(request["output"]))
    outcome = outcome_of(
        place, request["accepted"], overwrite=request["overwrite"], progress=progress, options=request["options"]
    )
    return outcome.model_dump(mode="json")
