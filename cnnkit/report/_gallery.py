"""Which images are shown, and their thumbnails."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.drawing import Thumbnail, thumbnail
from cnnkit.errors import ImageError
from cnnkit.report._outcomes import Outcomes

WORST = 60
WORST_OF_A_CLASS = 2
WORST_AT_MOST = 240
LEAST_SURE = 40
GALLERY_BYTES = 4_000_000
READERS = 4


@dataclass(frozen=True)
class Picture:
    """One image of the gallery: its thumbnail, or the sentence that says why there is none."""

    key: str
    true: int
    predicted: int
    confidence: float
    p: float
    thumbnail: Thumbnail | None
    reason: str = ""


@dataclass(frozen=True)
class Wanted:
    """What is to be shown: where it is, and whether it is still what was scored."""

    key: str
    digest: bytes | None


def worst_mistakes(outcomes: Outcomes) -> list[int]:
    """Positions of wrong answers, surest first: the worst of all, then the worst of each class."""
    wrong = np.flatnonzero(outcomes.wrong)
    order = wrong[np.lexsort((wrong, np.nan_to_num(outcomes.p[wrong]), -np.nan_to_num(outcomes.confidence[wrong])))]
    taken: dict[int, int] = {}
    chosen = []
    for place, at in enumerate(order.tolist()):
        true = int(outcomes.label[at])
        if place < WORST or taken.get(true, 0) < WORST_OF_A_CLASS:
            taken[true] = taken.get(true, 0) + 1
            chosen.append(at)
    return chosen[:WORST_AT_MOST]


def least_sure(outcomes: Outcomes, *, besides: Iterable[int] = ()) -> list[int]:
    """Positions of the answers with the lowest confidence, right or wrong."""
    answered = np.flatnonzero(outcomes.answered)
    rest: NDArray[np.int64] = answered[~np.isin(answered, list(besides))]
    return [int(at) for at in rest[np.argsort(outcomes.confidence[rest], kind="stable")][:LEAST_SURE]]


def pictures(outcomes: Outcomes, positions: Sequence[int], root: Path | None) -> list[Picture]:
    wanted = [Wanted(outcomes.key(at), outcomes.digest(at)) for at in positions]
    found = thumbnails(wanted, root)
    return [
        Picture(
            key=want.key,
            true=int(outcomes.label[at]),
            predicted=int(outcomes.predicted[at]),
            confidence=float(outcomes.confidence[at]),
            p=float(outcomes.p[at]),
            thumbnail=image,
            reason=reason,
        )
        for at, want, (image, reason) in zip(positions, wanted, found, strict=True)
    ]


def thumbnails(
    wanted: Sequence[Wanted], root: Path | None, *, limit: int = GALLERY_BYTES
) -> list[tuple[Thumbnail | None, str]]:
    """One thumbnail each, or None and the reason; together they stay below `limit` bytes."""
    with ThreadPoolExecutor(READERS) as readers:
        made = list(readers.map(lambda want: _thumbnail(want, root), wanted))
    used = 0
    bounded: list[tuple[Thumbnail | None, str]] = []
    for image, reason in made:
        used += len(image.source) if image else 0
        bounded.append((image, reason) if used <= limit else (None, reason or "left out to keep the page small"))
    return bounded


def _thumbnail(want: Wanted, root: Path | None) -> tuple[Thumbnail | None, str]:
    from cnnkit.images import decode

    if root is None:
        return None, "the folder of the images was not given"
    path = path_of(root, want.key)
    if path is None:
        return None, "its path leaves the folder of the images"
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, f"cannot be read now: {error.strerror}"
    if want.digest is not None and hashlib.sha256(data).digest() != want.digest:
        return None, "the file has changed since it was scored"
    try:
        return thumbnail(decode(data)), ""
    except ImageError as error:
        return None, str(error)


def path_of(root: Path, key: str) -> Path | None:
    r"""Where the image of a key lies: `\xNN` in a key is a byte that is not UTF-8. None for a key that leads out."""
    base = root.parent if root.is_file() else root
    if Path(key).is_absolute() or ".." in Path(key).parts:
        return None
    if (base / key).exists() or "\\x" not in key:
        return base / key
    raw = re.sub(rb"\\x([89a-f][0-9a-f])", lambda found: bytes([int(found[1], 16)]), key.encode())
    return base / os.fsdecode(raw)
