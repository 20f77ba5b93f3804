"""What the engine does for images: read, decode, prepare, run, decode the answer, each timed."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnkit import images
from cnnkit.errors import CnnkitError, DataError, ImageError
from cnnkit.pipeline._checks import input_shape
from cnnkit.postprocess import Decoder
from cnnkit.records import Geometry, Row, Sample
from cnnkit.runtime import Done, Outputs, Session, Timings, first_line
from cnnkit.spec import ModelSpec

MAX_FILE_BYTES = 1 << 30  # more than any picture within the pixel limit takes


@dataclass(frozen=True, slots=True)
class Given:
    """An image that is no file of a data set: bytes of a file, or its pixels."""

    key: str
    content: bytes | NDArray[np.uint8]


OnError = Literal["skip", "fail"]
Item = Sample | Given
Content = bytes | NDArray[np.uint8] | ImageError


@dataclass(frozen=True, slots=True)
class RowOptions:
    """What decides a row besides model, spec and image.

    topk: how many best classes a row names. on_error: a bad image gets a row, or raises DataError.
    max_pixels: the limit on what an image's header may claim; None is the default of `images.decode`.
    fast_decode: JPEGs of more than twice the size needed are decoded at a half, a quarter or an eighth.
    """

    topk: int = 5
    on_error: OnError = "skip"
    max_pixels: int | None = None
    fast_decode: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of an image while it is run."""

    key: str
    digest: bytes | None
    geometry: Geometry


class ImageJob:
    """The engine's callables for one model; see `runtime.Job`."""

    def __init__(
        self, spec: ModelSpec, session: Session, decoder: Decoder, *, options: RowOptions, timings: Timings
    ) -> None:
        self._spec = spec
        self._session = session
        self._decoder = decoder
        self._timings = timings
        self._options = options
        self._max_pixels = images.DEFAULT_MAX_PIXELS if options.max_pixels is None else options.max_pixels
        self._preprocess = images.Preprocess(spec)
        self._fixed_batch = next(info.shape[0] for info in session.inputs if info.name == spec.input.name)
        self._largest_batch = 1

    def new_buffer(self, n: int) -> NDArray[Any]:
        self._largest_batch = max(self._largest_batch, n)
        if self._spec.input.any_size:
            return np.empty((n, 1), dtype=object)  # a picture each, of its own size
        return self._session.new_buffer((n, *input_shape(self._spec)), self._spec.input.dtype)

    def read(self, item: Item) -> Content:
        if isinstance(item, Given):
            return item.content
        try:
            return read_file(item.path)
        except ImageError as error:
            return error

    def prepare(self, item: Item, content: Content, out: NDArray[Any]) -> State | Done[Row]:
        digest: bytes | None = None
        try:
            if isinstance(content, ImageError):
                raise content
            with self._timings.stage("decode"):
                if isinstance(content, bytes):
                    digest = hashlib.sha256(content).digest()
                    image, size = self._preprocess.decode(
                        content, fast=self._options.fast_decode, max_pixels=self._max_pixels
                    )
                else:
                    image, size = content, (content.shape[0], content.shape[1])
            with self._timings.stage("preprocess"):
                if self._spec.input.any_size:
                    out[0], geometry = self._preprocess(image)
                else:
                    _, geometry = self._preprocess(image, out, source_size=size)
        except MemoryError:
            raise
        except Exception as error:
            return Done(self._bad(item.key, error, digest))
        return State(item.key, digest, geometry)

    def run(self, buffer: NDArray[Any]) -> Outputs:
        """Run a batch; where it must be full, the empty slots are filled with zeros and left out again."""
        if self._spec.input.any_size:
            return self._session.run({self._spec.input.name: buffer[0, 0][None]})
        n = len(buffer)
        full = self._largest_batch if self._session.wants_full_batches else n
        missing = (self._fixed_batch or full) - n
        if missing <= 0:  # outputs stay whole: the boxes of one image may have no axis for the batch
            return self._session.run({self._spec.input.name: buffer})
        buffer = np.concatenate([buffer, np.zeros((missing, *buffer.shape[1:]), dtype=buffer.dtype)])
        return {name: value[:n] for name, value in self._session.run({self._spec.input.name: buffer}).items()}

    def finish(self, outputs: Outputs, states: Sequence[State]) -> list[Row]:
        predictions = self._decoder(outputs, [state.geometry for state in states])
        return [
            Row(state.key, "ok", None, *_width_height(state), state.digest, prediction)
            for state, prediction in zip(states, predictions, strict=True)
        ]

    def failed(self, state: State, error: Exception) -> Row:
        return self._bad(state.key, error, state.digest, *_width_height(state))

    def _bad(
        self, key: str, error: Exception, digest: bytes | None, width: int | None = None, height: int | None = None
    ) -> Row:
        status = error.status if isinstance(error, ImageError) else "failed"
        sentence = str(error) if isinstance(error, CnnkitError) else f"{type(error).__name__}: {first_line(error)}"
        if self._options.on_error == "fail":
            raise DataError(f"{key}: {sentence} (--on-error skip records it and goes on)") from error
        return Row(key, status, sentence, width, height, digest)


def read_file(path: Path) -> bytes:
    """The bytes of an image file; ImageError says what the file system refused."""
    try:
        with path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise ImageError("too_large", f"the file is larger than {MAX_FILE_BYTES >> 20} MiB")
            return file.readall()
    except OSError as error:
        broken = path.is_symlink() and not path.exists()
        reason = "is a link to a file that is not there" if broken else f"cannot be read: {error.strerror}"
        raise ImageError("unreadable", reason) from error


def _width_height(state: State) -> tuple[int, int]:
    height, width = state.geometry.source_size
    return width, height
