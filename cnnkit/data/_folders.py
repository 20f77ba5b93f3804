"""Class folders: the class of an image is the folder it lies in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._classes import ClassIndex
from cnnkit.data._listing import Listing, find_images
from cnnkit.errors import DataError
from cnnkit.spec import ClassName


@dataclass(frozen=True, slots=True)
class Labelled:
    """Images and their classes: `labels[i]` is the position in `classes` of `listing[i]`; int32 (n,)."""

    listing: Listing
    labels: NDArray[np.int32]
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def class_of_key(key: str) -> str | None:
    """The first component of a key, None for an image that lies in no folder."""
    folder, slash, _ = key.partition("/")
    return folder if slash else None


def class_folders(root: Path, *, classes: Sequence[str] | None = None, all_files: bool = False) -> Labelled:
    """List a folder of class folders. Without `classes` they are the folders that hold images, sorted as text.

    Images that lie beside the class folders are left out, and so are empty class folders; the notes say so.

    Raises:
        DataError: no image, no class folder, a folder that is none of `classes`.
    """
    listing = find_images(root, all_files=all_files)
    folders = [class_of_key(key) for key in listing.keys]
    present = sorted({folder for folder in folders if folder is not None})
    if not present:
        raise DataError(flat_folder(root, len(listing)))
    names = tuple(present if classes is None else classes)
    positions = ClassIndex([ClassName(name=name) for name in names]).find_all(present, where=f"{root}: class folders")
    kept = [at for at, folder in enumerate(folders) if folder is not None]
    labels = np.array([positions[folder] for folder in folders if folder is not None], dtype=np.int32)
    notes = [*listing.notes, *_stray(root, len(folders) - len(kept)), *_without_image(root, names, present)]
    return Labelled(listing.take(kept), labels, names, tuple(notes))


def flat_folder(root: Path, n: int) -> str:
    return (
        f"{root}: {n} images and no class folder around them, so nothing says what they show. "
        f"Put each class in its own folder ({root.name or 'DATA'}/CLASS/image.jpg), or give --truth FILE.csv with "
        f"lines key,label."
    )


def _stray(root: Path, n: int) -> list[str]:
    return [f"Left out, images of {root} that lie in no class folder: {n}."] if n else []


def _without_image(root: Path, names: Sequence[str], present: Sequence[str]) -> list[str]:
    folders = {entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")}
    empty = sorted((folders | set(names)) - set(present))
    return [f"Classes without an image: {', '.join(empty)}."] if empty else []
