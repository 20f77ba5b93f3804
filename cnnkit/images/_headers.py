"""What the first bytes of a file say: its kind, its size, how it is turned; nothing is decoded, no memory taken.

Pillow's lazy open would say the same for most files, but it refuses some that OpenCV reads (its own limits on text
chunks and sizes) and takes ten times as long.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cnnkit.images import _containers
from cnnkit.images._containers import BROKEN, Facts

__all__ = ["Header", "read_header"]


@dataclass(frozen=True, slots=True)
class Header:
    """`size` is (height, width) as stored, before EXIF turns it; None where the bytes end before it is said.

    `deep`: more than 8 bits a sample, of which the upper 8 are wanted. `clear_level`: the one level of a grey picture
    that is transparent, in its own bits scaled as OpenCV does. `premultiplied`: OpenCV gives colours times alpha.
    `refusal` says why no pixels can be had from this kind.
    """

    kind: str
    size: tuple[int, int] | None = None
    orientation: int = 1
    deep: bool = False
    alpha: bool = False
    clear_level: int | None = None
    premultiplied: bool = False
    more_frames: bool = False
    refusal: str | None = None


_READERS: dict[str, tuple[tuple[bytes, ...], Callable[[bytes], Facts]]] = {
    "JPEG": ((b"\xff\xd8\xff",), _containers.read_jpeg),
    "PNG": ((b"\x89PNG\r\n\x1a\n",), _containers.read_png),
    "GIF": ((b"GIF87a", b"GIF89a"), _containers.read_gif),
    "BMP": ((b"BM",), _containers.read_bmp),
    "TIFF": ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _containers.read_tiff),
    "JPEG 2000": ((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), _containers.read_jpeg2000),
    "PNM": (tuple(b"P%d" % digit for digit in range(1, 8)), _containers.read_pnm),
    "Sun raster": ((b"\x59\xa6\x6a\x95",), _containers.read_sun),
}

_FLOATS = "its pixels are floating-point numbers, which become 8 bits in no single way; tone-map it to PNG first"
_CONVERT = "a kind that OpenCV does not read; convert it to PNG or JPEG first"

_REFUSED = {
    b"#?RADIANCE": ("Radiance HDR", _FLOATS),
    b"#?RGBE": ("Radiance HDR", _FLOATS),
    b"PF": ("PFM", _FLOATS),
    b"Pf": ("PFM", _FLOATS),
    b"\x76\x2f\x31\x01": ("OpenEXR", _FLOATS),
    b"\0\0\1\0": ("Windows icon", _CONVERT),
    b"\0\0\2\0": ("Windows cursor", _CONVERT),
    b"icns": ("macOS icon", _CONVERT),
    b"qoif": ("QOI", _CONVERT),
    b"8BPS": ("Photoshop", _CONVERT),
    b"DDS ": ("DirectDraw surface", _CONVERT),
    b"\xff\x0a": ("JPEG XL", _CONVERT),
    b"\0\0\0\x0cJXL ": ("JPEG XL", _CONVERT),
    b"\xd7\xcd\xc6\x9a": ("Windows metafile", "a vector drawing; render it to PNG first"),
    b"%PDF": ("PDF", "a document; render its pages to PNG first"),
    b"%!PS": ("PostScript", "a document; render its pages to PNG first"),
}


def read_header(data: bytes) -> Header | None:
    """Say what `data` is, from its first bytes; None where no kind of image is recognised."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _header("WebP", data, _containers.read_webp)
    if data[4:8] == b"ftyp":
        return _iso_header(data)
    for kind, (magics, reader) in _READERS.items():
        if data.startswith(magics):
            return _header(kind, data, reader)
    return _refused_header(data)


def _header(kind: str, data: bytes, reader: Callable[[bytes], Facts]) -> Header:
    try:
        return Header(kind, **reader(data))
    except BROKEN:
        return Header(kind)


def _iso_header(data: bytes) -> Header | None:
    brands = data[8 : 8 + max(0, int.from_bytes(data[:4], "big") - 8)]
    if b"avif" in brands or b"avis" in brands:
        return _header("AVIF", data, _containers.read_avif)
    if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")):
        return Header("HEIC", refusal=_CONVERT)
    return None


def _refused_header(data: bytes) -> Header | None:
    for magic, (kind, refusal) in _REFUSED.items():
        if data.startswith(magic):
            return Header(kind, refusal=refusal)
    if data[128:132] == b"DICM":
        return Header("DICOM", refusal=_CONVERT)
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in head):
        return Header("SVG", refusal="a vector drawing; render it to PNG first")
    return None
