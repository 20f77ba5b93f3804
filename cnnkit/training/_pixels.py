"""Training images as uint8 pixels after the spec's geometry: all of them read once, the bad ones named."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit import images
from cnnkit.data import Labelled, Listing
from cnnkit.errors import DataError, ImageError
from cnnkit.records import Sample
from cnnkit.spec import ModelSpec

__all__ = ["CACHE_BYTES", "Pictures", "Reader", "load"]

CACHE_BYTES = 2**30  # pixels up to this stay in memory from the first pass on
N_AT_ONCE = 256

Report = Callable[[int, int], None]


class Reader:
    """From a file to pixels, by one spec."""

    def __init__(self, spec: ModelSpec) -> None:
        self._decode = spec.decode
        self._preprocess = images.Preprocess(spec)

    def source(self, sample: Sample) -> NDArray[np.uint8]:
        """RGB (H, W, 3) as decoded. ImageError when the file cannot be read or is no good image."""
        try:
            data = sample.path.read_bytes()
        except OSError as error:
            raise ImageError("unreadable", error.strerror or str(error)) from error
        return images.decode(data, self._decode)

    def pixels(self, sample: Sample) -> NDArray[np.uint8]:
        """(H, W, C) of the network's input size."""
        return self._preprocess.geometry(self.source(sample))[0]


@dataclass(frozen=True)
class Pictures:
    """The good images of one part. `levels` (C, 256) counts the pixels of each level and channel."""

    listing: Listing
    labels: NDArray[np.int64]
    reader: Reader
    kept: NDArray[np.uint8] | None
    levels: NDArray[np.int64]
    bad: dict[str, str]

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, order: Iterable[NDArray[np.int64]]) -> Iterator[NDArray[np.uint8]]:
        """The pixels (n, H, W, C) of each batch of positions."""
        for positions in order:
            if self.kept is not None:
                yield self.kept[positions]
            else:
                yield np.stack([self.reader.pixels(self.listing[int(at)]) for at in positions])


def load(part: Labelled, spec: ModelSpec, *, workers: int, report: Report) -> Pictures:
    """Read every image once. DataError when no image is left.

    `report(done, total)` is called as images are read. Pixels stay in memory when all of them fit CACHE_BYTES.
    """
    reader = Reader(spec)
    shape = (*spec.input.size, spec.input.n_channels)
    fits = len(part.listing) * int(np.prod(shape)) <= CACHE_BYTES
    kept = np.empty((len(part.listing), *shape), np.uint8) if fits else None
    levels = np.zeros((shape[2], 256), np.int64)
    good: list[int] = []
    bad: dict[str, str] = {}
    for at, found in enumerate(_read_all(part.listing, reader, workers=workers)):
        report(at + 1, len(part.listing))
        if isinstance(found, ImageError):
            bad[part.listing[at].key] = str(found)
            continue
        for channel in range(shape[2]):
            levels[channel] += np.bincount(found[..., channel].ravel(), minlength=256)
        if kept is not None:
            kept[len(good)] = found
        good.append(at)
    if not good:
        raise DataError(_nothing_left(part, bad))
    kept = None if kept is None else kept[: len(good)]
    return Pictures(part.listing.take(good), part.labels[good].astype(np.int64), reader, kept, levels, bad)


def _read_all(listing: Sequence[Sample], reader: Reader, *, workers: int) -> Iterator[NDArray[np.uint8] | ImageError]:
    def read(at: int) -> NDArray[np.uint8] | ImageError:
        try:
            return reader.pixels(listing[at])
        except ImageError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(listing), N_AT_ONCE):  # a bounded number of pictures is in flight
            yield from pool.map(read, range(start, min(start + N_AT_ONCE, len(listing))))


def _nothing_left(part: Labelled, bad: dict[str, str]) -> str:
    key, reason = next(iter(bad.items()))
    return f"{part.listing.root}: none of its {len(bad)} images can be read. The first, {key}: {reason}"
