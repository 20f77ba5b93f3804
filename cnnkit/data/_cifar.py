"""CIFAR-10 and CIFAR-100, binary version: https://www.cs.toronto.edu/~kriz/cifar.html."""

import io
import tarfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from cnnkit.data._arrays import ImageArrays
from cnnkit.errors import DataError

SIDE = 32
PIXEL_BYTES = 3 * SIDE * SIDE


@dataclass(frozen=True, slots=True)
class _Edition:
    """The files of each part, how many label bytes begin a record, and the file that names the classes."""

    parts: dict[str, tuple[str, ...]]
    label_bytes: int
    names: tuple[str, ...]  # by label byte

    @property
    def record_bytes(self) -> int:
        return self.label_bytes + PIXEL_BYTES


CIFAR10 = _Edition(
    {"train": tuple(f"data_batch_{at}.bin" for at in range(1, 6)), "test": ("test_batch.bin",)},
    1,
    ("batches.meta.txt",),
)
CIFAR100 = _Edition(
    {"train": ("train.bin",), "test": ("test.bin",)}, 2, ("coarse_label_names.txt", "fine_label_names.txt")
)
_WANTED = {
    name for edition in (CIFAR10, CIFAR100) for names in (edition.names, *edition.parts.values()) for name in names
}


def read_cifar(source: Path, *, coarse: bool = False, names: Sequence[str] | None = None) -> list[ImageArrays]:
    """Read CIFAR-10 or CIFAR-100 (binary version) from a folder or from its .tar.gz as it is downloaded.

    Args:
        source: the folder with the .bin files, the one above it, or the archive.
        coarse: CIFAR-100's 20 superclasses instead of its 100 classes.
        names: the class names, instead of those in the set's own text file.

    Raises:
        DataError: no such files, the Python version (a pickle), a file cut short, labels without a name.
    """
    files = _members(source)
    edition = _edition(source, files)
    if coarse and edition is CIFAR10:
        raise DataError(f"{source}: CIFAR-10 has no coarse labels.")
    at_label = 0 if coarse else edition.label_bytes - 1
    classes = tuple(names) if names is not None else _names(source, files, edition.names[at_label])
    return [
        _arrays(source, part, [files[name]() for name in present], edition, at_label, classes)
        for part, wanted in edition.parts.items()
        if (present := [name for name in wanted if name in files])
    ]


def is_cifar(source: Path) -> bool:
    try:
        _edition(source, _members(source))
    except DataError:
        return False
    return True


def _members(source: Path) -> dict[str, Callable[[], bytes]]:
    """The files by name, each as a function that reads it; of an archive only what is wanted, nothing is unpacked."""
    if source.is_dir():
        folder = next((found.parent for found in sorted(source.glob("*/*.bin"))), source)
        folder = source if any(source.glob("*.bin")) else folder
        return {path.name: path.read_bytes for path in folder.iterdir() if path.is_file()}
    held: dict[str, Callable[[], bytes]] = {}
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                stream = archive.extractfile(member) if member.isfile() and name in _WANTED else None
                held[name] = io.BytesIO(stream.read() if stream else b"").getvalue
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{source}: cannot be read as CIFAR's archive: {error}.") from error
    return held


def _edition(source: Path, files: dict[str, Callable[[], bytes]]) -> _Edition:
    for edition in (CIFAR10, CIFAR100):
        if any(name in files for wanted in edition.parts.values() for name in wanted):
            return edition
    if "batches.meta" in files or "meta" in files or "data_batch_1" in files:
        raise DataError(
            f"{source}: this is CIFAR's Python version, a pickle, which can run code and is not read. "
            f"Take the binary version."
        )
    raise DataError(f"{source}: no CIFAR files here. Expected data_batch_1.bin, test_batch.bin, train.bin or test.bin.")


def _names(source: Path, files: dict[str, Callable[[], bytes]], name: str) -> tuple[str, ...]:
    if name not in files:
        raise DataError(f"{source}: {name}, which names the classes, is missing. --labels FILE gives them.")
    lines = files[name]().decode("utf-8", "replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def _arrays(
    source: Path, part: str, batches: list[bytes], edition: _Edition, at_label: int, names: tuple[str, ...]
) -> ImageArrays:
    for data in batches:
        if len(data) % edition.record_bytes:
            raise DataError(
                f"{source}: a file of the part {part} has {len(data)} bytes, no multiple of a record's "
                f"{edition.record_bytes}. Was it cut short?"
            )
    records = np.frombuffer(b"".join(batches), np.uint8).reshape(-1, edition.record_bytes)
    planes = records[:, edition.label_bytes :].reshape(-1, 3, SIDE, SIDE)
    return ImageArrays(part, np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, at_label], names)
