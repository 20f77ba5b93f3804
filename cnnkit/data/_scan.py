"""One walk over a folder: which files are images, which are not, and what could not be read."""

import os
import stat
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from cnnkit.data._magic import SNIFFED_BYTES, has_image_suffix, starts_like_image

N_NAMED = 3  # how many names a note gives


@dataclass(slots=True)
class Counted:
    """How many there were, and the first few names."""

    n: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.n += 1
        if len(self.names) < N_NAMED:
            self.names.append(name)

    def __str__(self) -> str:
        return ", ".join(self.names) + (", ..." if self.n > len(self.names) else "")


def key_of(raw: bytes) -> str:
    r"""The key of a relative path: UTF-8 as it is, any other byte as `\xNN`."""
    return raw.decode("utf-8", "backslashreplace")


class Scan:
    """Walk `root`: real folders first, then what links lead to; each folder is read once, so loops end."""

    def __init__(self, root: Path, *, all_files: bool) -> None:
        self.root = root
        self.all_files = all_files
        self.raws: list[bytes] = []  # paths below root, in the bytes of the file system, `/` between
        self.sizes = array("q")
        self.mtimes = array("q")
        self.others = Counted()
        self.unreadable = Counted()
        self.repeated = Counted()
        self._seen: set[tuple[int, int]] = set()
        self._links: list[str] = []

    def run(self) -> "Scan":
        self._tree("")
        while self._links:
            links, self._links = sorted(self._links), []
            for link in links:
                self._tree(link + "/")
        return self

    def _tree(self, prefix: str) -> None:
        waiting = [prefix]
        while waiting:
            prefix = waiting.pop()
            below = []
            for entry in self._entries(prefix):
                relative = prefix + entry.name
                if not _is_folder(entry):
                    self._file(entry, relative)
                elif entry.is_symlink():
                    self._links.append(relative)
                else:
                    below.append(relative + "/")
            waiting.extend(reversed(below))

    def _entries(self, prefix: str) -> list[os.DirEntry[str]]:
        """What a folder holds, by name, hidden entries left out; nothing when it was read before or cannot be."""
        folder = os.path.join(self.root, prefix)  # noqa: PTH118  (a Path for each of a million files is slow)
        try:
            facts = os.stat(folder)  # noqa: PTH116
            if (facts.st_dev, facts.st_ino) in self._seen:
                self.repeated.add(_shown(prefix))
                return []
            self._seen.add((facts.st_dev, facts.st_ino))
            with os.scandir(folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            if not prefix:
                raise
            self.unreadable.add(f"{_shown(prefix)} ({error.strerror})")
            return []
        return sorted(visible, key=lambda entry: entry.name)

    def _file(self, entry: os.DirEntry[str], relative: str) -> None:
        if not self._is_image(entry):
            self.others.add(_shown(relative))
            return
        try:
            facts = entry.stat()
        except OSError:  # a broken link or a folder that may not be entered: a row will say so
            size, mtime = 0, 0
        else:
            if not stat.S_ISREG(facts.st_mode):  # a pipe would be waited for without end
                self.others.add(_shown(relative))
                return
            size, mtime = facts.st_size, facts.st_mtime_ns
        self.raws.append(os.fsencode(relative))
        self.sizes.append(size)
        self.mtimes.append(mtime)

    def _is_image(self, entry: os.DirEntry[str]) -> bool:
        if not self.all_files:
            return has_image_suffix(entry.name)
        try:
            if not entry.is_file():
                return has_image_suffix(entry.name)
            with open(entry.path, "rb") as file:  # noqa: PTH123
                return starts_like_image(file.read(SNIFFED_BYTES))
        except OSError:
            return has_image_suffix(entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, for one
        return False


def _shown(relative: str) -> str:
    return key_of(os.fsencode(relative)).rstrip("/")
