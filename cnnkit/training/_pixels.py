"""Training images as uint8 pixels of the network's input size: all of them read once, the bad ones named."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import Labelled, Listing
from cnnkit.errors import DataError, ImageError
from cnnkit.spec import ModelSpec
from cnnkit.training._reader import Pixels, Reader
from cnnkit.training._stores import CroppedStore, DiskStore, PixelBatches, PixelStore, Store

__all__ = ["CACHE_BYTES", "Pictures", "load", "read_good"]

CACHE_BYTES = 2**30  # pictures up to this stay in memory from the first pass on
N_AT_ONCE = 256

Report = Callable[[int], None]


@dataclass(frozen=True)
class Pictures:
    """The good images of one part. `levels` (256,) counts how often each level stands in their pixels."""

    listing: Listing
    labels: NDArray[np.int64]
    store: Store
    levels: NDArray[np.int64]
    bad: dict[str, str]

    def __len__(self) -> int:
        return len(self.labels)


def load(
    part: Labelled,
    spec: ModelSpec,
    *,
    resized_crop: float | None,
    workers: int,
    report: Report,
    cache: int = CACHE_BYTES,
) -> Pictures:
    """Read every image once; `report(1)` after each. What fits `cache` bytes is kept, larger sets stay on disk.

    Raises:
        DataError: no image is left.
    """
    reader = Reader(spec, resized_crop)
    shelf = _Shelf(reader, cache)
    levels = np.zeros(256, np.int64)
    good: list[int] = []
    bad: dict[str, str] = {}
    for at, read in read_good(part.listing, reader, bad, workers=workers, report=report):
        shelf.add(read)
        levels += np.bincount(read.pixels.ravel(), minlength=256)
        good.append(at)
    listing = part.listing.take(good)
    store: Store = shelf.store() or DiskStore(PixelBatches(listing, reader), workers)
    return Pictures(listing, part.labels[good].astype(np.int64), store, levels, bad)


class _Shelf:
    """Keeps pictures until they are too many: those that augmentation crops as decoded, others as they go in."""

    def __init__(self, reader: Reader, room: int) -> None:
        self._reader, self._room = reader, room
        self._kept: list[NDArray[np.uint8]] = []

    def add(self, read: Pixels) -> None:
        if self._room < 0:
            return
        self._kept.append(read.source if self._reader.crop else read.pixels)
        self._room -= self._kept[-1].nbytes
        if self._room < 0:
            self._kept.clear()

    def store(self) -> Store | None:
        if self._room < 0:
            return None
        return CroppedStore(self._kept, self._reader.crop) if self._reader.crop else PixelStore(np.stack(self._kept))


def read_good(
    listing: Listing, reader: Reader, bad: dict[str, str], *, workers: int, report: Report
) -> Iterator[tuple[int, Pixels]]:
    """Every picture that can be read, with its place; why the others cannot goes into `bad`, by key.

    Raises:
        DataError: at the end, when there was none.
    """
    for at, read in enumerate(_read_all(listing, reader, workers=workers)):
        report(1)
        if isinstance(read, ImageError):
            bad[listing[at].key] = str(read)
        else:
            yield at, read
    if len(bad) == len(listing):
        key, reason = next(iter(bad.items()))
        raise DataError(f"{listing.root}: none of its {len(bad)} images can be read. The first, {key}: {reason}")


def _read_all(listing: Listing, reader: Reader, *, workers: int) -> Iterator[Pixels | ImageError]:
    """Every picture in order, read by threads, or why it cannot be read."""

    def read(at: int) -> Pixels | ImageError:
        try:
            return reader.read(listing[at])
        except ImageError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(listing), N_AT_ONCE):  # so that a bounded number of pictures is in flight
            yield from pool.map(read, range(start, min(start + N_AT_ONCE, len(listing))))
