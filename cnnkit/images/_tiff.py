"""The tags of a TIFF directory: what a TIFF file says of itself, and what EXIF says, which is a small TIFF."""

import struct
from collections.abc import Iterator

__all__ = ["Tags", "orientation_from_exif", "read_directories"]

Tags = dict[int, tuple[int, ...]]

ORIENTATION = 0x0112
_FORMATS = {1: "B", 3: "H", 4: "L", 8: "h", 9: "l", 16: "Q"}  # the types that hold whole numbers
_MAX_VALUES = 16  # of strip offsets, which can be many, nothing is wanted


def read_directories(data: bytes) -> Iterator[Tags]:
    """Give the whole-number tags of each directory in turn; struct.error where the bytes end early."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    offset = struct.unpack_from(order + ("Q" if big else "L"), data, 8 if big else 4)[0]
    seen = set()
    while offset and offset not in seen:
        seen.add(offset)
        tags, offset = _read_directory(data, offset, order=order, big=big)
        yield tags


def orientation_from_exif(exif: bytes) -> int:
    """Read the EXIF orientation, 1 to 8; 1 where it is missing, damaged or out of range."""
    try:
        found = next(read_directories(exif.removeprefix(b"Exif\0\0"))).get(ORIENTATION, (1,))[0]
    except (KeyError, IndexError, OverflowError, StopIteration, struct.error):
        return 1
    return found if 1 <= found <= 8 else 1


def _read_directory(data: bytes, offset: int, *, order: str, big: bool) -> tuple[Tags, int]:
    count = struct.unpack_from(order + ("Q" if big else "H"), data, offset)[0]
    at = offset + (8 if big else 2)
    entry = 20 if big else 12
    tags: Tags = {}
    for _ in range(min(count, len(data) // entry)):
        tag, values = _read_entry(data, at, order=order, big=big)
        tags[tag] = values
        at += entry
    following = data[at : at + (8 if big else 4)]
    return tags, int.from_bytes(following, "little" if order == "<" else "big")


def _read_entry(data: bytes, at: int, *, order: str, big: bool) -> tuple[int, tuple[int, ...]]:
    tag, type_, count = struct.unpack_from(order + ("HHQ" if big else "HHL"), data, at)
    code = _FORMATS.get(type_)
    if code is None or count == 0:
        return tag, ()
    layout = order + code * min(count, _MAX_VALUES)
    at += 12 if big else 8
    if struct.calcsize(order + code) * count > (8 if big else 4):
        at = struct.unpack_from(order + ("Q" if big else "L"), data, at)[0]
    try:
        return tag, struct.unpack_from(layout, data, at)
    except (struct.error, OverflowError):  # one tag that points outside the file does not spoil the others
        return tag, ()
