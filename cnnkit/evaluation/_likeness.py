"""Which pictures are the same, to the pixel or nearly."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import ImageError
from cnnkit.evaluation._pixel_attributes import read_as_scored, read_each

SIDE = 16  # of the small pictures that near ones are compared by
HASH_BITS_APART = 6  # of 64; more, and two pictures are not looked at more closely
NEAR = 0.1  # the distance of the small pictures, as a share of their contrast
LEAST_CONTRAST = 4.0  # grey levels; flatter pictures are alike whatever they show
NEAR_UP_TO = 100_000  # pictures; beyond, every pair would take too long
ROWS_AT_ONCE = 256
PAIRS_AT_ONCE = 8192

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """A picture in short: the hash of its pixels, and what is left of it when it is very small."""

    pixels: bytes
    outline: int
    small: Bytes


@dataclass(frozen=True)
class NearPair:
    """Positions of two pictures, and how far apart they are."""

    first: int
    second: int
    distance: float


def looks(
    root: Path,
    keys: Sequence[str],
    digests: Sequence[bytes | None],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Look | None]:
    """Read pictures; None for one that is gone, unreadable or changed since it was scored."""
    return read_each(lambda key, digest: _look(root, key, digest), keys, digests, progress=progress)


def _look(root: Path, key: str, digest: bytes | None) -> Look | None:
    from cnnkit.images import decode

    data = read_as_scored(root, key, digest)
    if data is None:
        return None
    try:
        pixels = decode(data)
    except ImageError:
        return None
    return look_at(pixels)


def look_at(pixels: Bytes) -> Look:
    """The outline is a difference hash: of a grey picture of 9 x 8, whether each pixel is darker than the next."""
    import cv2

    shape = np.array(pixels.shape, np.int64).tobytes()
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    tiny = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA)
    bits = np.packbits(tiny[:, :-1] < tiny[:, 1:]).tobytes()
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return Look(
        hashlib.sha256(shape + pixels.tobytes()).digest(), int.from_bytes(bits, "big"), np.asarray(small, np.uint8)
    )


def near_pairs(found: Sequence[Look]) -> list[NearPair]:
    """All pairs whose pixels differ and that are nearly the same picture, the nearest first.

    Two pictures are near when their outlines differ in at most 6 of 64 bits and the root mean square difference of
    their colours at 16 x 16 is at most a tenth of the lesser contrast (standard deviation) of the two. So a picture
    that was saved anew or scaled is found; one that was cropped, turned or brightened is not.
    """
    if not found:
        return []
    small = np.stack([look.small.reshape(-1) for look in found])
    contrast = small.std(axis=1, dtype=np.float64)
    pairs = []
    for first, second in _candidates(np.array([look.outline for look in found], dtype=np.uint64)):
        apart = _distances(small, contrast, first, second)
        close = np.flatnonzero(apart <= NEAR)
        pairs += [NearPair(int(first[at]), int(second[at]), float(apart[at])) for at in close]
    pairs = [pair for pair in pairs if found[pair.first].pixels != found[pair.second].pixels]
    return sorted(pairs, key=lambda pair: (pair.distance, pair.first, pair.second))


def _candidates(outlines: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Places of pairs with similar outlines, the first below the second, some at a time."""
    for start in range(0, len(outlines), ROWS_AT_ONCE):
        apart = np.bitwise_count(outlines[start : start + ROWS_AT_ONCE, None] ^ outlines[None, start:])
        first, second = np.nonzero(np.triu(apart <= HASH_BITS_APART, 1))
        for at in range(0, len(first), PAIRS_AT_ONCE):
            yield first[at : at + PAIRS_AT_ONCE] + start, second[at : at + PAIRS_AT_ONCE] + start


def _distances(
    small: Bytes, contrast: NDArray[np.float64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Infinite where one of the two is too flat to say."""
    difference = small[first].astype(np.float32) - small[second]
    lesser = np.minimum(contrast[first], contrast[second])
    root = np.sqrt(np.square(difference).mean(axis=1, dtype=np.float64))
    return np.where(lesser < LEAST_CONTRAST, np.inf, root / np.maximum(lesser, LEAST_CONTRAST))
