"""Where the pixels of a part wait for the epochs: in memory, or on disk behind worker processes."""

from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from cnnkit.data import Listing
from cnnkit.errors import DataError, ImageError
from cnnkit.training._crops import ResizedCrop
from cnnkit.training._reader import Reader

__all__ = ["CroppedStore", "DiskStore", "PixelBatches", "PixelStore", "Positions", "Store", "random_of"]

Positions = NDArray[np.int64]
Batch = TypeVar("Batch")


class Store(Protocol):
    def batches(self, order: Sequence[Positions], seed: tuple[int, ...]) -> Iterator[Tensor]:
        """Yield uint8 (n, H, W, C) for each batch of positions; what is drawn depends on `seed` and position alone."""
        ...


class PixelStore:
    """All pixels in one array (n, H, W, C)."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._pixels = torch.from_numpy(pixels)

    def batches(self, order: Sequence[Positions], seed: tuple[int, ...]) -> Iterator[Tensor]:
        for positions in order:
            yield self._pixels[torch.from_numpy(positions)]


class CroppedStore:
    """Pictures as decoded, cropped anew whenever they are asked for."""

    def __init__(self, sources: Sequence[NDArray[np.uint8]], crop: ResizedCrop) -> None:
        self._sources, self._crop = sources, crop

    def batches(self, order: Sequence[Positions], seed: tuple[int, ...]) -> Iterator[Tensor]:
        for positions in order:
            cropped = [self._crop(self._sources[at], random_of(seed, at)) for at in positions.tolist()]
            yield torch.from_numpy(np.stack(cropped))


class DiskStore(Generic[Batch]):
    """Files, read in worker processes that stay alive from epoch to epoch.

    `read` makes a batch from positions and a seed, or the sentence that says why it cannot.
    """

    def __init__(self, read: Dataset[Batch | str], workers: int) -> None:
        self._order = _Order()
        self._loader = DataLoader(
            read,
            batch_size=None,
            sampler=self._order,
            num_workers=workers,
            persistent_workers=True,
            generator=torch.Generator(),  # its own, so that the loader draws nothing from the run's
        )

    def batches(self, order: Sequence[Positions], seed: tuple[int, ...]) -> Iterator[Batch]:
        self._order.items = [(positions, seed) for positions in order]
        for batch in self._loader:
            if isinstance(batch, str):
                raise DataError(batch)
            yield batch


class _Order(Sampler[tuple[Positions, tuple[int, ...]]]):
    """The batches of the coming epoch."""

    def __init__(self) -> None:
        self.items: list[tuple[Positions, tuple[int, ...]]] = []

    def __iter__(self) -> Iterator[tuple[Positions, tuple[int, ...]]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class PixelBatches(Dataset[Tensor | str]):
    """Batches of pixels; a picture that has gone bad since it was first read gives the sentence that says so."""

    def __init__(self, listing: Listing, reader: Reader) -> None:
        self._listing, self._reader = listing, reader

    def __getitem__(self, item: tuple[Positions, tuple[int, ...]]) -> Tensor | str:
        positions, seed = item
        read = []
        for at in positions.tolist():
            sample = self._listing[at]
            try:
                read.append(self._reader.training_pixels(sample, random_of(seed, at)))
            except ImageError as error:
                return f"{sample.path} was a good image when training began and is none now: {error}"
        return torch.from_numpy(np.stack(read))


def random_of(seed: tuple[int, ...], position: int) -> np.random.Generator:
    return np.random.default_rng((*seed, position))
