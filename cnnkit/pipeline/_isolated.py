"""Batches run in a child process, so that an image that kills its process kills only the child."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from cnnkit import errors
from cnnkit.errors import CnnkitError, MachineError
from cnnkit.pipeline._model import Model, OnError
from cnnkit.predictions import rows_from_table
from cnnkit.records import Row, Sample

CHILD = "from cnnkit.pipeline._child import main; main()"


class ChildDied(Exception):
    """The child process ended without an answer; the message says how."""


@dataclass(frozen=True, slots=True)
class IsolatedRows:
    """Runs samples as `Model.rows` does, each call in a child process of its own."""

    model: Model
    workers: int
    topk: int
    on_error: OnError
    max_pixels: int | None

    def rows(self, samples: Sequence[Sample], *, batch_size: int) -> list[Row]:
        """The same rows, in the same batches, as in this process. An image on which the child dies is `crashed`.

        MachineError when a batch kills its process and none of its images does so alone.
        """
        try:
            return self._in_child(samples, batch_size=batch_size)
        except ChildDied as died:
            return self._bisect(samples, batch_size, died)

    def _bisect(self, samples: Sequence[Sample], batch_size: int, died: ChildDied) -> list[Row]:
        """Halve at batch borders, which changes no batch; within one batch, take out the guilty images."""
        n_batches = -(-len(samples) // batch_size)
        if n_batches > 1:
            middle = n_batches // 2 * batch_size
            halves = samples[:middle], samples[middle:]
            return [row for half in halves for row in self.rows(half, batch_size=batch_size)]
        guilty = self._guilty(list(samples), died)
        if not guilty:
            raise MachineError(
                f"a batch of {len(samples)} images that begins with {samples[0].key} ends its process ({died}), "
                f"none of them does so alone. Memory may be short: a smaller --batch-size needs less."
            )
        innocent = [sample for sample in samples if sample.key not in guilty]
        rows = {row.key: row for row in self.rows(innocent, batch_size=batch_size)} if innocent else {}
        return [rows.get(sample.key) or _crashed(sample, guilty[sample.key]) for sample in samples]

    def _guilty(self, samples: Sequence[Sample], died: ChildDied) -> dict[str, str]:
        """The images that kill a process without the others' help, each with how it died."""
        if len(samples) == 1:
            return {samples[0].key: str(died)}
        found: dict[str, str] = {}
        middle = len(samples) // 2
        for half in (samples[:middle], samples[middle:]):
            try:
                self._in_child(half, batch_size=len(half) if self.model.fixed_batch is None else self.model.fixed_batch)
            except ChildDied as half_died:
                found |= self._guilty(half, half_died)
        return found

    def _in_child(self, samples: Sequence[Sample], *, batch_size: int) -> list[Row]:
        with tempfile.TemporaryFile() as talk, _child(talk) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            request = self._request(samples, batch_size)
            with suppress(BrokenPipeError):  # it died at once; what it left says why
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
            ready = process.stdout.readline()
            answer = process.stdout.readline()
            table = process.stdout.read()
            code = process.wait()
            if not ready:
                raise MachineError(f"the child process did not start ({_how(code)}): {_last_line(talk)}")
        _raise_error(json.loads(answer or ready))
        if not answer:
            raise ChildDied(_how(code))
        import pyarrow as pa

        return list(rows_from_table(pa.ipc.open_stream(table).read_all()))

    def _request(self, samples: Sequence[Sample], batch_size: int) -> dict[str, Any]:
        return {
            "model": os.fsdecode(self.model.path.absolute()),
            "sha256": self.model.sha256,
            "spec": self.model.spec.to_dict(),
            "session": self.model.session.how,
            "samples": [
                [sample.key, os.fsdecode(sample.path.absolute()), sample.size, sample.mtime_ns] for sample in samples
            ],
            "batch_size": batch_size,
            "workers": self.workers,
            "topk": self.topk,
            "on_error": self.on_error,
            "max_pixels": self.max_pixels,
        }


@contextmanager
def _child(talk: Any) -> Iterator["subprocess.Popen[bytes]"]:
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


def _raise_error(answer: dict[str, Any]) -> None:
    """Raise here what the child raised there."""
    name = answer.get("error")
    if name is None:
        return
    if name == "MemoryError":
        raise MemoryError(answer["sentence"])
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, CnnkitError) and kind is not errors.ImageError:
        raise kind(answer["sentence"])
    raise MachineError(f"the child process failed: {name}: {answer['sentence']}")


def _crashed(sample: Sample, how: str) -> Row:
    return Row(sample.key, "crashed", f"the process that read or ran it died ({how})")


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _last_line(talk: Any) -> str:
    talk.seek(0)
    lines = talk.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
