"""The child's side: one request comes as a JSON line on stdin, the rows go back batch by batch on stdout.

Every message is a JSON line; {"bytes": n} is followed by a batch's rows as an Arrow stream of n bytes.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cnnkit.errors import ModelError
from cnnkit.graphs import sha256_of
from cnnkit.pipeline._job import RowOptions
from cnnkit.pipeline._open import open_model
from cnnkit.predictions import schema_for, table_from_rows
from cnnkit.records import Sample
from cnnkit.spec import ModelSpec


def main() -> None:
    answers = _own_stdout()
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        for content in _answered(request, answers):
            _say(answers, {"bytes": len(content)}, content)
        _say(answers, {"state": "done"})
    except Exception as error:
        _say(answers, {"error": type(error).__name__, "sentence": str(error)})
    answers.close()


def _own_stdout() -> BinaryIO:
    """The pipe to the parent; what libraries print to stdout goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _say(answers: BinaryIO, message: dict[str, Any], content: bytes = b"") -> None:
    answers.write(json.dumps(message).encode() + b"\n" + content)
    answers.flush()


def _answered(request: dict[str, Any], answers: BinaryIO) -> Iterator[bytes]:
    path = Path(request["model"])
    if sha256_of(path) != request["sha256"]:
        raise ModelError(f"{path}: was changed while it was being run.")
    spec = ModelSpec.model_validate(request["spec"])
    model = open_model(path, spec=spec, **request["session"])
    _say(answers, {"state": "ready"})
    # one worker, and no batch is begun before the last one's rows are sent: the first that is missing is guilty
    window = 1 if request["workers"] == 1 else None
    batches = ([Sample(key, Path(name), *facts) for key, name, *facts in batch] for batch in request["batches"])
    options = RowOptions(**request["options"])
    for rows in model.run_batches(batches, options, workers=request["workers"], window=window):
        yield _stream(table_from_rows(rows, schema_for(spec, options.topk)))


def _stream(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
