"""Each container's own way of saying size, depth, alpha and orientation; one function a kind.

All raise one of BROKEN where the bytes end early or contradict themselves.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import TypedDict

from cnnkit.images._tiff import ORIENTATION, orientation_from_exif, read_directories

__all__ = [
    "BROKEN",
    "Facts",
    "read_avif",
    "read_bmp",
    "read_gif",
    "read_jpeg",
    "read_jpeg2000",
    "read_png",
    "read_pnm",
    "read_sun",
    "read_tiff",
    "read_webp",
]


BROKEN = (struct.error, IndexError, KeyError, ValueError, OverflowError, StopIteration)


class Facts(TypedDict, total=False):
    size: tuple[int, int]
    orientation: int
    deep: bool
    alpha: bool
    clear_level: int
    premultiplied: bool
    more_frames: bool
    refusal: str


_NOT_FRAMES = {0xC4, 0xC8, 0xCC}  # of the markers C0 to CF these three start no frame


def read_jpeg(data: bytes) -> Facts:
    orientation, at = 1, 2
    while True:
        at = data.index(0xFF, at)
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:  # stuffing and markers that stand alone
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 3)
            return Facts(size=(height, width), orientation=orientation)
        if marker == 0xE1 and data[at + 2 : at + 8] == b"Exif\0\0" and orientation == 1:
            orientation = orientation_from_exif(data[at + 8 : at + length])
        at += length


def read_png(data: bytes) -> Facts:
    name, width, height, depth, colour = struct.unpack_from(">4sLLBB", data, 12)
    if name != b"IHDR":
        raise ValueError(name)
    facts = Facts(size=(height, width), deep=depth == 16, alpha=colour in (4, 6))
    for name, body in _png_chunks(data):
        if name == b"tRNS":
            facts["alpha"] = True
            if colour == 0 and len(body) == 2:
                (level,) = struct.unpack(">H", body)
                facts["clear_level"] = level * {1: 255, 2: 85, 4: 17}.get(depth, 1)
        elif name == b"acTL":
            facts["more_frames"] = int.from_bytes(body[:4], "big") > 1
        elif name == b"eXIf":
            facts["orientation"] = orientation_from_exif(body)
        elif name in (b"zTXt", b"tEXt") and body.startswith(b"Raw profile type exif\0"):
            facts.setdefault("orientation", orientation_from_exif(_raw_profile(name, body)))
    return facts


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the chunks that say something of the whole image; pixels are stepped over."""
    at = 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">L4s", data, at)
        if name not in (b"IDAT", b"fdAT"):
            yield name, data[at + 8 : at + 8 + length]
        at += 12 + length


def _raw_profile(name: bytes, body: bytes) -> bytes:
    """EXIF as ImageMagick writes it into a text chunk: name, length, hexadecimal digits."""
    text = body.split(b"\0", 1)[1]
    if name == b"zTXt":
        try:
            text = zlib.decompressobj().decompress(text[1:], 1 << 20)
        except zlib.error:
            return b""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii", "replace"))
    except ValueError:
        return b""


def read_gif(data: bytes) -> Facts:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    facts = Facts(size=(height, width), alpha=False, more_frames=False)
    at, frames = 13 + _table_bytes(flags), 0
    while at < len(data) and data[at] != 0x3B:
        if data[at] == 0x2C:  # an image
            frames += 1
            if frames == 2:
                facts["more_frames"] = True
                break
            at += 11 + _table_bytes(data[at + 9])
        else:  # an extension; of those, F9 says how the next image is shown
            if data[at + 1] == 0xF9 and frames == 0:
                facts["alpha"] = bool(data[at + 3] & 1)
            at += 2
        at = _after_blocks(data, at)
    return facts


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def read_bmp(data: bytes) -> Facts:
    (header,) = struct.unpack_from("<L", data, 14)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ll", data, 18)
    (bits,) = struct.unpack_from("<H", data, 24 if header == 12 else 28)
    masked = bits == 32 and header >= 56  # only these headers have a mask for alpha; else the fourth byte is unused
    return Facts(size=(abs(height), abs(width)), alpha=masked and struct.unpack_from("<L", data, 66)[0] != 0)


def read_webp(data: bytes) -> Facts:
    kind = data[12:16]
    if kind == b"VP8X":
        return _read_webp_extended(data)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<L", data, 21)
        return Facts(size=((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1), alpha=bool(bits >> 28 & 1))
    width, height = struct.unpack_from("<HH", data, 26)
    return Facts(size=(height & 0x3FFF, width & 0x3FFF))


def _read_webp_extended(data: bytes) -> Facts:
    flags, width, width_high, height, height_high = struct.unpack_from("<B3xHBHB", data, 20)
    size = (height_high << 16) + height + 1, (width_high << 16) + width + 1
    facts = Facts(size=size, alpha=bool(flags & 0x10), more_frames=False)
    at, frames = 30, 0
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sL", data, at)
        frames += name == b"ANMF"
        if name == b"EXIF":
            facts["orientation"] = orientation_from_exif(data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    facts["more_frames"] = frames > 1
    return facts


_COUNTED_SAMPLES = {1, 4}  # whole numbers without sign, and samples of which nothing is said
_LOG_LUV = {34676, 34677}  # compressions


def read_tiff(data: bytes) -> Facts:
    directories = read_directories(data)
    tags = next(directories)
    facts = Facts(size=(tags[257][0], tags[256][0]), more_frames=_has_more(directories))
    bits = tags.get(258) or (1,)
    facts["deep"] = max(bits) > 8
    extra = tags.get(338, (0,))[0]  # 1: alpha, colours already multiplied by it; 2: alpha
    facts["alpha"] = extra in (1, 2)
    facts["premultiplied"] = extra == 1 or not facts["deep"]  # of 8 bits libtiff multiplies them on the way
    facts["orientation"] = tags.get(ORIENTATION, (1,))[0]
    counted = set(tags.get(339, (1,))) <= _COUNTED_SAMPLES and tags.get(259, (1,))[0] not in _LOG_LUV
    if max(bits) > 16 or not counted:
        kind = "whole" if counted else "signed, floating-point or logarithmic"
        facts["refusal"] = (
            f"its samples are {kind} numbers of {max(bits)} bits, which become 8 bits in no single way; "
            "convert it to 8 or 16 bits without sign first"
        )
    return facts


def _has_more(directories: Iterator[object]) -> bool:
    try:
        return next(directories, None) is not None
    except BROKEN:
        return False


def read_jpeg2000(data: bytes) -> Facts:
    """The codestream's SIZ marker, which stands right after its start, in the bare form and inside the boxes."""
    at = data.index(b"\xff\x4f\xff\x51")
    right, bottom, left, top = struct.unpack_from(">LLLL", data, at + 8)
    components, depth = struct.unpack_from(">HB", data, at + 40)
    deep = depth & 0x7F == 15  # other depths OpenCV shifts to 8 bits by itself, but 16 only when asked for all
    return Facts(size=(bottom - top, right - left), alpha=components in (2, 4), deep=deep)


_AVIF_TURNS = (  # by quarter turns to the left, then by mirror: none, top and bottom swapped, left and right swapped
    (1, 4, 2),
    (8, 5, 7),
    (3, 2, 4),
    (6, 7, 5),
)


def read_avif(data: bytes) -> Facts:
    """The largest `ispe` (size) property: the picture, its alpha plane and its tiles have one each."""
    head = data[: data.find(b"mdat")] if b"ispe" in data[: data.find(b"mdat")] else data
    sizes = [struct.unpack_from(">LL", head, found.end() + 4) for found in re.finditer(rb"ispe", head)]
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    turn, mirror = re.search(rb"irot(.)", head, re.DOTALL), re.search(rb"imir(.)", head, re.DOTALL)
    quarters = turn[1][0] & 3 if turn else 0
    orientation = _AVIF_TURNS[quarters][1 + (mirror[1][0] & 1) if mirror else 0]
    alpha = b"auxiliary:alpha" in head
    return Facts(size=(height, width), alpha=alpha, orientation=orientation, more_frames=data[8:12] == b"avis")


def read_pnm(data: bytes) -> Facts:
    head = re.sub(rb"#[^\n]*", b"", data[:4096])
    if head.startswith(b"P7"):
        named = dict(re.findall(rb"(WIDTH|HEIGHT|DEPTH|MAXVAL)\s+(\d+)", head))
        height, width, largest = int(named[b"HEIGHT"]), int(named[b"WIDTH"]), int(named.get(b"MAXVAL", 255))
        return Facts(size=(height, width), deep=largest > 255, alpha=int(named.get(b"DEPTH", 3)) in (2, 4))
    numbers = [int(word) for word in re.findall(rb"\d+", head[2:])[:3]]
    bitmap = head[:2] in (b"P1", b"P4")
    return Facts(size=(numbers[1], numbers[0]), deep=not bitmap and numbers[2] > 255)


def read_sun(data: bytes) -> Facts:
    width, height = struct.unpack_from(">LL", data, 4)
    return Facts(size=(height, width))
