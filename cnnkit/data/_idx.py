"""IDX files, the format of MNIST and Fashion-MNIST: http://yann.lecun.com/exdb/mnist."""

import gzip
import math
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.data._arrays import ImageArrays
from cnnkit.errors import DataError

DIGIT_NAMES = tuple("0123456789")
FASHION_NAMES = (
    "T-shirt_top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle_boot",
)

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IMAGES = re.compile(r"(?P<stem>.+)[-_.]images[-_.]idx3[-_.]ubyte(?P<gz>\.gz)?", re.IGNORECASE)


def read_idx(path: Path) -> NDArray[np.generic]:
    """Read an IDX file, gzipped or not, into an array of the shape and dtype that it declares.

    Raises:
        DataError: unreadable, not IDX, fewer or more values than declared.
    """
    data = _bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _DTYPES or data[3] == 0:
        raise DataError(
            f"{path}: not an IDX file: it begins with {data[:4].hex(' ') or 'nothing'}, expected two zero bytes, a "
            f"type and the number of axes."
        )
    start = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, start, 4))
    dtype = np.dtype(_DTYPES[data[2]])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise DataError(f"{path}: declares {list(shape)}, which takes {expected} bytes, and has {len(data)}.")
    values = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


def read_idx_set(source: Path, *, names: Sequence[str] = DIGIT_NAMES) -> list[ImageArrays]:
    """Read the pairs `NAME-images-idx3-ubyte` and `NAME-labels-idx1-ubyte` of a folder, or the pair of one file.

    NAME with `train` in it is the part train; `t10k` and `test` are test.

    Raises:
        DataError: no such pair, images that are not uint8 (n, H, W), counts or labels that do not fit.
    """
    pairs = idx_pairs(source)
    if not pairs:
        raise DataError(
            f"{source}: no IDX images here. Expected files like train-images-idx3-ubyte and train-labels-idx1-ubyte, "
            f"gzipped or not."
        )
    return [_arrays(part, images, labels, tuple(names)) for part, (images, labels) in sorted(pairs.items())]


def idx_pairs(source: Path) -> dict[str, tuple[Path, Path]]:
    """The image and label file of each part."""
    files = [source] if source.is_file() else sorted(source.iterdir())
    pairs: dict[str, tuple[Path, Path]] = {}
    for path in files:
        match = _IMAGES.fullmatch(path.name)
        if match is None:
            continue
        part = _part_of(match["stem"])
        if part not in pairs:  # the file before its .gz
            pairs[part] = path, _label_file(path)
    return pairs


def _part_of(stem: str) -> str:
    low = stem.lower()
    return "train" if "train" in low else "test" if "t10k" in low or "test" in low else stem


def _label_file(images: Path) -> Path:
    name = re.sub("images", "labels", images.name.removesuffix(".gz"), flags=re.IGNORECASE)
    name = re.sub("idx3", "idx1", name, flags=re.IGNORECASE)
    for candidate in (images.with_name(name), images.with_name(name + ".gz")):
        if candidate.exists():
            return candidate
    raise DataError(f"{images}: its labels are missing: expected {name} or {name}.gz beside it.")


def _arrays(part: str, images: Path, labels: Path, names: tuple[str, ...]) -> ImageArrays:
    pixels, classes = read_idx(images), read_idx(labels)
    if pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise DataError(f"{images}: expected uint8 images (n, height, width), got {pixels.dtype} {pixels.shape}.")
    if classes.ndim != 1 or classes.dtype.kind not in "iu":
        raise DataError(f"{labels}: expected integer labels (n,), got {classes.dtype} {classes.shape}.")
    if len(pixels) != len(classes):
        raise DataError(f"{labels}: {len(classes)} labels for the {len(pixels)} images of {images.name}.")
    return ImageArrays(part, pixels.astype(np.uint8, copy=False), classes.astype(np.int64), names)


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}.") from error
