"""Batches run in a child process, so that an image that kills its process kills only the child."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import IO, Any

from cnnkit import errors
from cnnkit.errors import CnnkitError, MachineError
from cnnkit.pipeline._job import RowOptions
from cnnkit.pipeline._model import DEFAULTS, Model
from cnnkit.predictions import rows_from_table
from cnnkit.records import Row, Sample

CHILD = "from cnnkit.pipeline._child import main; main()"

Batch = Sequence[Sample]


@dataclass(frozen=True, slots=True)
class IsolatedRows:
    """Runs samples as `Model.rows` does, in child processes. An image on which a child dies is `crashed`."""

    model: Model
    workers: int
    options: RowOptions = DEFAULTS

    def rows(self, samples: Sequence[Sample], *, batch_size: int) -> list[Row]:
        """The same rows, in the same batches, as in this process.

        When a child dies, another goes on after the batches that were answered, with one worker, so that its death
        tells which batch it was; the images of that batch are then run one by one, and it is run without the guilty.

        MachineError when a batch kills its process and none of its images does so alone.
        """
        batches = [samples[at : at + batch_size] for at in range(0, len(samples), batch_size)]
        rows: dict[str, Row] = {}
        workers = self.workers
        while batches:
            answered, died = self._in_child(batches, workers=workers)
            rows |= {row.key: row for row in answered}
            batches = [batch for batch in batches if batch[-1].key not in rows]
            if died is None:
                break
            if workers > 1:
                workers = 1  # several batches were under way
                continue
            crashed = self._guilty(batches[0], died)
            rows |= crashed
            innocent = [sample for sample in batches[0] if sample.key not in crashed]
            batches[:1] = [innocent] if innocent else []
        return [rows[sample.key] for sample in samples]

    def _guilty(self, batch: Batch, died: str) -> dict[str, Row]:
        """The images that kill a process without the others' help, by key."""
        crashed: dict[str, Row] = {}
        left: list[Batch] = [[sample] for sample in batch]
        while left:
            answered, how = self._in_child(left, workers=1)
            left = left[len(answered) :]
            if how is None:
                break
            key = left.pop(0)[0].key
            crashed[key] = Row(key, "crashed", f"the process that read or ran it died ({how})")
        if not crashed:
            raise MachineError(
                f"a batch of {len(batch)} images that begins with {batch[0].key} ends its process ({died}), none of "
                f"them does so alone. Memory may be short: a smaller --batch-size needs less."
            )
        return crashed

    def _in_child(self, batches: Sequence[Batch], *, workers: int) -> tuple[list[Row], str | None]:
        """The rows of the batches that were answered, in order, and how the child died, None when it did not."""
        request = json.dumps(self._request(batches, workers)).encode() + b"\n"
        with tempfile.TemporaryFile() as talk, _child(talk) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError):  # it died at once; what it left says why
                process.stdin.write(request)
                process.stdin.flush()
            rows, state = _read(process.stdout)
            if state == "done":
                return rows, None
            how = _how(process.wait())
            if state == "begun":
                raise MachineError(f"the child process did not start ({how}): {_last_line(talk)}")
        return rows, how

    def _request(self, batches: Sequence[Batch], workers: int) -> dict[str, Any]:
        return {
            "model": str(self.model.path.absolute()),
            "sha256": self.model.sha256,
            "spec": self.model.spec.to_dict(),
            "session": self.model.session.how,
            "batches": [[_facts(sample) for sample in batch] for batch in batches],
            "workers": workers,
            "options": asdict(self.options),
        }


def _facts(sample: Sample) -> list[Any]:
    """A name that is not UTF-8 keeps its bytes: JSON carries them as Python holds them."""
    return [sample.key, str(sample.path.absolute()), sample.size, sample.mtime_ns]


@contextmanager
def _child(talk: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python that answers one request; it ends when its input closes, so it never outlives this process."""
    command = [sys.executable, "-c", CHILD]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=talk)
    try:
        yield process
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        process.wait()


def _read(answers: IO[bytes]) -> tuple[list[Row], str]:
    """Rows until the child is done or its pipe ends; the state it was in: begun, ready or done."""
    import pyarrow as pa

    rows: list[Row] = []
    state = "begun"
    while line := answers.readline():
        if not line.endswith(b"\n"):
            break
        message = json.loads(line)
        _raise_error(message)
        state = message.get("state", state)
        if "bytes" in message:
            content = answers.read(message["bytes"])
            if len(content) < message["bytes"]:
                break
            rows += rows_from_table(pa.ipc.open_stream(content).read_all())
    return rows, state


def _raise_error(message: dict[str, Any]) -> None:
    """Raise here what the child raised there."""
    name = message.get("error")
    if name is None:
        return
    if name == "MemoryError":
        raise MemoryError(message["sentence"])
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, CnnkitError) and kind is not errors.ImageError:
        raise kind(message["sentence"])
    raise MachineError(f"the child process failed: {name}: {message['sentence']}")


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _last_line(talk: IO[bytes]) -> str:
    talk.seek(0)
    lines = talk.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
