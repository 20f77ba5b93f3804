"""Thumbnails of images on disk, bounded in number of bytes, or the reason why there is none."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cnnkit.data import path_of_key
from cnnkit.drawing import THUMBNAIL_SIDE, Thumbnail, thumbnail
from cnnkit.errors import ImageError
from cnnkit.report._overlay import Mark

GALLERY_BYTES = 4_000_000
READERS = 4


@dataclass(frozen=True)
class Wanted:
    """What is to be shown: where it is, whether it is still what was scored, boxes on it, its longer side."""

    key: str
    digest: bytes | None
    marks: tuple[Mark, ...] = ()
    side: int | None = None


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
    path = path_of_key(root, want.key)
    if path is None:
        return None, "its path leaves the folder of the images"
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, f"cannot be read now: {error.strerror}"
    if want.digest is not None and hashlib.sha256(data).digest() != want.digest:
        return None, "the file has changed since it was scored"
    try:
        return thumbnail(decode(data), side=want.side or THUMBNAIL_SIDE), ""
    except ImageError as error:
        return None, str(error)
