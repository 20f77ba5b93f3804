"""The child's side: one request comes as a JSON line on stdin, the rows go back as Arrow on stdout."""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from cnnkit.errors import ModelError
from cnnkit.files import sha256_of
from cnnkit.pipeline._open import open_model
from cnnkit.predictions import schema_for, table_from_rows
from cnnkit.records import Sample
from cnnkit.spec import ModelSpec


def main() -> None:
    answers = _own_stdout()
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        table = _table(request, answers)
        _say(answers, {"error": None})
        answers.write(table)
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


def _say(answers: BinaryIO, fact: dict[str, Any]) -> None:
    answers.write(json.dumps(fact).encode() + b"\n")
    answers.flush()


def _table(request: dict[str, Any], answers: BinaryIO) -> bytes:
    import pyarrow as pa

    path = Path(request["model"])
    if sha256_of(path) != request["sha256"]:
        raise ModelError(f"{path}: was changed while it was being run.")
    spec = ModelSpec.model_validate(request["spec"])
    model = open_model(path, spec=spec, **request["session"])
    samples = [Sample(key, Path(name), size, mtime) for key, name, size, mtime in request["samples"]]
    _say(answers, {"ready": True})
    rows = model.rows(
        samples,
        batch_size=request["batch_size"],
        workers=request["workers"],
        topk=request["topk"],
        on_error=request["on_error"],
        max_pixels=request["max_pixels"],
    )
    table = table_from_rows(list(rows), schema_for(spec, request["topk"]))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
