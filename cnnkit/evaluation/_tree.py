"""One hash for a file or for all that a folder holds."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from cnnkit.errors import DataError
from cnnkit.files import sha256_of


def tree_sha256(path: Path) -> str:
    """Of a file, or of all files below a folder with their names."""
    if not path.exists():
        raise DataError(f"{path}: no such data. Paths in a suite are relative to its file.")
    if path.is_file():
        return sha256_of(path)
    digest = hashlib.sha256()
    for name, file in sorted(_files(path)):
        digest.update(f"{name}\t{sha256_of(file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """All files below a folder, links followed, each folder once."""
    seen: set[tuple[int, int]] = set()
    for folder, inner, names in os.walk(root, followlinks=True):
        facts = Path(folder).stat()
        if (facts.st_dev, facts.st_ino) in seen:
            inner.clear()
            continue
        seen.add((facts.st_dev, facts.st_ino))
        inner.sort()
        for name in names:
            file = Path(folder) / name
            if file.is_file():
                yield file.relative_to(root).as_posix(), file
