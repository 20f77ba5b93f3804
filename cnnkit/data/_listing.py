"""A folder becomes a list of samples in key order, compact enough for millions of files."""

import itertools
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

from cnnkit.data._magic import IMAGE_SUFFIXES
from cnnkit.data._scan import Scan, key_of
from cnnkit.errors import DataError
from cnnkit.records import Sample


class Listing(Sequence[Sample]):
    """Images in key order (by code point, which is the order of the UTF-8 bytes); samples are made when asked for.

    Holds about 60 bytes and the path below `root` for each file. `n_other` counts the files that are no images;
    `notes` says in sentences what was left out and why.
    """

    def __init__(
        self,
        root: Path,
        raws: list[bytes],
        sizes: "array[int]",
        mtimes: "array[int]",
        *,
        n_other: int = 0,
        notes: Iterable[str] = (),
    ) -> None:
        self.root = root
        self.n_other = n_other
        self.notes = tuple(notes)
        self._raws = raws
        self._sizes = sizes
        self._mtimes = mtimes

    def __len__(self) -> int:
        return len(self._raws)

    @overload
    def __getitem__(self, at: int) -> Sample: ...
    @overload
    def __getitem__(self, at: slice) -> "Listing": ...
    def __getitem__(self, at: int | slice) -> "Sample | Listing":
        if isinstance(at, slice):
            return self.take(range(*at.indices(len(self))))
        raw = self._raws[at]
        return Sample(key_of(raw), self.root / os.fsdecode(raw), self._sizes[at], self._mtimes[at])

    @property
    def keys(self) -> Iterator[str]:
        return map(key_of, self._raws)

    def take(self, positions: Iterable[int]) -> "Listing":
        """The samples at these positions, in the order given."""
        chosen = list(positions)
        return Listing(
            self.root,
            [self._raws[at] for at in chosen],
            array("q", (self._sizes[at] for at in chosen)),
            array("q", (self._mtimes[at] for at in chosen)),
            n_other=self.n_other,
            notes=self.notes,
        )


def find_images(root: Path, *, all_files: bool = False) -> Listing:
    """List the images below `root` in key order; `root` may be one file, whose key is then its name.

    An image is known by its suffix (`IMAGE_SUFFIXES`, any case), with `all_files` by its first bytes. Hidden
    entries are left out. A link that leads nowhere, and a file that may not be read, stay in the list, so that they
    get a row that says so. Each folder is read once, whatever links lead to it.

    Raises:
        DataError: `root` is not there or cannot be read, or holds no image.
    """
    if root.is_file():
        facts = root.stat()
        return Listing(
            root.parent, [os.fsencode(root.name)], array("q", [facts.st_size]), array("q", [facts.st_mtime_ns])
        )
    if not root.exists():
        raise DataError(f"{root}: no such file or folder.")
    try:
        scan = Scan(root, all_files=all_files).run()
    except OSError as error:
        raise DataError(f"{root}: the folder cannot be read: {error.strerror}.") from error
    if not scan.raws:
        raise DataError(_nothing_found(scan))
    order = _key_order(root, scan.raws)
    listing = Listing(root, scan.raws, scan.sizes, scan.mtimes, n_other=scan.others.n, notes=_notes(scan))
    return listing.take(order)


def _key_order(root: Path, raws: list[bytes]) -> list[int]:
    keys = [raw if (key := key_of(raw).encode()) == raw else key for raw in raws]  # nearly always the same object
    order = sorted(range(len(raws)), key=keys.__getitem__)
    for one, next_one in itertools.pairwise(order):
        if keys[one] == keys[next_one]:
            raise DataError(
                f"{root}: two files have the key {keys[one].decode()!r}: one name holds the byte, the other the four "
                f"characters that stand for it. Rename one."
            )
    return order


def _notes(scan: Scan) -> list[str]:
    told = {
        f"not images by {'content' if scan.all_files else 'name'}": scan.others,
        "folders that could not be read": scan.unreadable,
        "folders that were read under another name": scan.repeated,
    }
    return [f"Left out, {what}: {counted.n} ({counted})." for what, counted in told.items() if counted.n]


def _nothing_found(scan: Scan) -> str:
    found = " ".join(_notes(scan)) or "The folder is empty."
    if scan.all_files:
        return f"{scan.root}: no image here. {found}"
    known = " ".join(sorted(IMAGE_SUFFIXES))
    return f"{scan.root}: no image here. {found} Images end in {known}; --all-files goes by content instead."
