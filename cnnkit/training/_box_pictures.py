"""Pictures with boxes: all of them read once, the bad ones named, then batch after batch as the network sees them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from cnnkit.errors import ImageError
from cnnkit.records import Geometry
from cnnkit.spec import ModelSpec
from cnnkit.training._box_loss import Truth
from cnnkit.training._box_moves import Moves, Placed, Prepare
from cnnkit.training._box_parts import Boxed
from cnnkit.training._pixels import CACHE_BYTES, read_good
from cnnkit.training._reader import Reader
from cnnkit.training._stores import DiskStore, Positions, random_of

__all__ = ["BoxBatch", "BoxPictures", "BoxStore", "load_boxes"]


class BoxBatch(NamedTuple):
    """`pixels` uint8 (n, h, w, C) of the input's size, what is on them, and where the source's pixels went."""

    pixels: Tensor
    truth: Truth
    geometries: list[Geometry]


class BoxStore(Protocol):
    def batches(self, order: Sequence[Positions], seed: tuple[int, ...]) -> Iterator[BoxBatch]:
        """Yield a batch for each list of positions; what is drawn depends on `seed` and position alone."""
        ...


@dataclass(frozen=True)
class BoxPictures:
    """The good pictures of one part."""

    part: Boxed
    store: BoxStore
    bad: dict[str, str]

    def __len__(self) -> int:
        return len(self.part.listing)


def load_boxes(
    part: Boxed,
    spec: ModelSpec,
    *,
    moves: Moves | None,
    workers: int,
    report: Callable[[int], None],
    cache: int = CACHE_BYTES,
) -> BoxPictures:
    """Read every picture once; `report(1)` after each. What fits `cache` bytes is kept, larger sets stay on disk.

    Raises:
        DataError: no picture is left, or none with an object.
    """
    reader, room = Reader(spec), cache
    kept: list[NDArray[np.uint8]] = []
    good: list[int] = []
    bad: dict[str, str] = {}
    for at, read in read_good(part.listing, reader, bad, workers=workers, report=report):
        good.append(at)
        room -= read.source.nbytes
        if room >= 0:
            kept.append(read.source)
        else:
            kept.clear()
    chosen = part.take(good)
    prepare = Prepare(spec, moves)
    if room >= 0:
        return BoxPictures(chosen, _Kept(chosen, kept, prepare), bad)
    store: DiskStore[BoxBatch] = DiskStore(_OnDisk(chosen, reader, prepare), workers)
    return BoxPictures(chosen, store, bad)


class _Kept:
    """Pictures as decoded, moved anew whenever they are asked for."""

    def __init__(self, part: Boxed, sources: Sequence[NDArray[np.uint8]], prepare: Prepare) -> None:
        self._part, self._sources, self._prepare = part, sources, prepare

    def batches(self, order: Sequence[Positions], seed: tuple[int, ...]) -> Iterator[BoxBatch]:
        for positions in order:
            yield _batch(
                [
                    self._prepare(self._sources[at], self._part.objects[at], random_of(seed, at))
                    for at in positions.tolist()
                ]
            )


class _OnDisk(Dataset[BoxBatch | str]):
    """Batches read by a worker; a picture that has gone bad since it was first read gives the sentence that says so."""

    def __init__(self, part: Boxed, reader: Reader, prepare: Prepare) -> None:
        self._part, self._reader, self._prepare = part, reader, prepare

    def __getitem__(self, item: tuple[Positions, tuple[int, ...]]) -> BoxBatch | str:
        positions, seed = item
        placed = []
        for at in positions.tolist():
            sample = self._part.listing[at]
            try:
                source = self._reader.source(sample)
            except ImageError as error:
                return f"{sample.path} was a good image when training began and is none now: {error}"
            placed.append(self._prepare(source, self._part.objects[at], random_of(seed, at)))
        return _batch(placed)


def _batch(placed: Sequence[Placed]) -> BoxBatch:
    counts = [len(each.objects.classes) for each in placed]
    truth = Truth(
        boxes=torch.from_numpy(np.concatenate([each.objects.boxes for each in placed]).astype(np.float32)),
        classes=torch.from_numpy(np.concatenate([each.objects.classes for each in placed]).astype(np.int64)),
        image=torch.repeat_interleave(torch.arange(len(placed)), torch.tensor(counts)),
    )
    pixels = torch.from_numpy(np.stack([each.pixels for each in placed]))
    return BoxBatch(pixels, truth, [each.geometry for each in placed])
