"""An open model: images in, rows out, in order."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from cnnkit import graphs, postprocess
from cnnkit.errors import ImageError, UsageError
from cnnkit.images import opencv_on_one_thread
from cnnkit.pipeline._job import Given, ImageJob, Item, OnError, RowOptions, read_file
from cnnkit.records import Classification, Detections, Row, Sample
from cnnkit.runtime import Session, Timings, available_cores, run_ordered
from cnnkit.spec import ModelSpec

Image = str | Path | bytes | NDArray[np.uint8]

BATCH_SIZE = 32
DEFAULTS = RowOptions()


@dataclass(frozen=True)
class Prediction:
    """The answer for one image, with the model's class names at hand."""

    row: Row
    names: tuple[str, ...]

    def __repr__(self) -> str:
        if isinstance(self.row.prediction, Classification):
            shown = ", ".join(f"{name} {score:.4f}" for name, score in self.top(len(self.row.prediction.top_ids)))
        else:
            shown = f"{len(self.boxes)} boxes"
        return f"Prediction({self.row.key}: {shown})"

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The k best classes with their scores, best first, ties lowest class index first."""
        answer = self.row.prediction
        if not isinstance(answer, Classification):
            raise TypeError("top() is for classifiers; a detector's answer is in .boxes")
        best = postprocess.top_k(answer.scores[None], k=k)[0]
        return [(self.names[at], float(answer.scores[at])) for at in best]

    @property
    def scores(self) -> NDArray[np.float32]:
        """Classification: (C,) scores in the order of the model's classes. Detection: (n,) scores of the boxes."""
        if self.row.prediction is None:
            raise TypeError("this image has no prediction")
        return self.row.prediction.scores

    @property
    def boxes(self) -> list[tuple[str, float, tuple[float, float, float, float]]]:
        """A detector's finds: class name, score, (x1, y1, x2, y2) in pixels of the source."""
        answer = self.row.prediction
        if not isinstance(answer, Detections):
            raise TypeError("boxes is for detectors; a classifier's answer is in .top()")
        columns = zip(answer.classes, answer.scores.tolist(), answer.boxes.tolist(), strict=True)
        return [(self.names[at], score, (x1, y1, x2, y2)) for at, score, (x1, y1, x2, y2) in columns]

    def as_data(self, k: int = 5) -> list[dict[str, Any]]:
        """The k best classes, or the boxes, as plain values for JSON."""
        if isinstance(self.row.prediction, Detections):
            return [{"class": name, "score": score, "box": list(box)} for name, score, box in self.boxes]
        return [{"class": name, "p": p} for name, p in self.top(k)]


@dataclass(frozen=True)
class Model:
    """A session with the spec that says how to feed it and read it. Get one from `open_model`."""

    path: Path
    sha256: str
    spec: ModelSpec
    session: Session
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def fixed_batch(self) -> int | None:
        """How many images the file takes at a time, None when it takes any number."""
        return self.session.inputs[0].shape[0]

    @cached_property
    def _quantizes_dynamically(self) -> bool:
        return graphs.quantizes_dynamically(self.path)

    def batch_size(self, asked: int | None = None) -> tuple[int, str | None]:
        """How many images go into a batch, and why when neither the caller nor the default decided."""
        if self.fixed_batch is not None:
            if asked not in (None, self.fixed_batch):
                raise UsageError(
                    f"{self.path}: takes exactly {self.fixed_batch} image(s) at a time, --batch-size {asked} was asked "
                    f"for. Leave it out, or export with a dynamic batch."
                )
            return self.fixed_batch, f"the file takes exactly {self.fixed_batch} at a time"
        if asked is not None:
            return asked, None
        if self._quantizes_dynamically:
            return 1, "the model quantises dynamically, so an answer would depend on the other images of its batch"
        return BATCH_SIZE, None

    def batch_note(self, size: int) -> str | None:
        """A warning where the size of the batches decides answers, whoever chose it."""
        if size == 1 or not self._quantizes_dynamically:
            return None
        return f"The model quantises dynamically: an answer depends on the other images of its batch of {size}."

    def rows(
        self,
        samples: Sequence[Sample],
        *,
        batch_size: int | None = None,
        workers: int | None = None,
        on_error: OnError = "skip",
        topk: int = 5,
        max_pixels: int | None = None,
        fast_decode: bool = False,
        timings: Timings | None = None,
    ) -> Iterator[Row]:
        """One row for each sample, in their order; batches are cut by position."""
        size, _ = self.batch_size(batch_size)
        batches = (samples[start : start + size] for start in range(0, len(samples), size))
        options = RowOptions(topk, on_error, max_pixels, fast_decode)
        for rows in self.run_batches(batches, options, workers=workers, timings=timings):
            yield from rows

    def run_batches(
        self,
        batches: Iterable[Sequence[Item]],
        options: RowOptions = DEFAULTS,
        *,
        workers: int | None = None,
        window: int | None = None,
        timings: Timings | None = None,
    ) -> Generator[list[Row], None, None]:
        """The rows of each batch, in order. `batches` is read at most `window` batches ahead."""
        timings = timings or Timings()
        decoder = postprocess.build_decoder(self.spec, topk=options.topk)
        job = ImageJob(self.spec, self.session, decoder, options=options, timings=timings)
        workers = workers or available_cores().count
        with opencv_on_one_thread():
            yield from run_ordered(
                batches, job, workers=workers, window=window, runners=self.session.runners, timings=timings
            )

    @overload
    def predict(
        self, image: Image, *, topk: int = 5, max_pixels: int | None = None, fast_decode: bool = False
    ) -> Prediction: ...
    @overload
    def predict(
        self, image: list[Image], *, topk: int = 5, max_pixels: int | None = None, fast_decode: bool = False
    ) -> list[Prediction]: ...
    def predict(
        self,
        image: Image | list[Image],
        *,
        topk: int = 5,
        max_pixels: int | None = None,
        fast_decode: bool = False,
    ) -> Prediction | list[Prediction]:
        """Run one image, or a list of them: a path, the bytes of a file, or RGB uint8 (H, W, 3).

        Raises ImageError, whose sentence names the image, for the first that cannot be read.
        """
        options = RowOptions(topk=topk, max_pixels=max_pixels, fast_decode=fast_decode)
        if isinstance(image, list):
            return self._predictions(image, options)
        return self._predictions([image], options)[0]

    def _predictions(self, several: list[Image], options: RowOptions) -> list[Prediction]:
        given = [_given(image, at) for at, image in enumerate(several)]
        size, _ = self.batch_size()
        batches = [given[start : start + size] for start in range(0, len(given), size)]
        workers = max(1, min(len(batches), available_cores().count))
        rows = [row for batch in self.run_batches(batches, options, workers=workers) for row in batch]
        for row in rows:
            if row.status != "ok":
                raise ImageError(row.status, f"{row.key}: {row.error}")
        return [Prediction(row, tuple(self.spec.names)) for row in rows]


def _given(image: Image, at: int) -> Given:
    if isinstance(image, str | Path):
        try:
            return Given(str(image), read_file(Path(image)))
        except ImageError as error:
            raise ImageError(error.status, f"{image}: {error}") from error
    if isinstance(image, bytes):
        return Given(f"image {at}", image)
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3:
        return Given(f"image {at}", np.ascontiguousarray(image))
    got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
    raise TypeError(f"image {at} must be a path, bytes, or a uint8 RGB array (height, width, 3), got {got}")
