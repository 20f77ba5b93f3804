"""Is it an image? By suffix, and by the first bytes."""

import re

# What OpenCV reads, and the pictures that cameras and tools write which it does not (they get a row that says so).
_SUFFIXES = """
.apng .avif .avifs .bmp .dib .exr .gif .hdr .heic .heif .ico .j2k .jfif .jp2 .jpe .jpeg .jpg .jxl .pbm .pfm .pgm
.pic .png .pnm .ppm .pxm .qoi .ras .sr .tif .tiff .webp
"""
IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())

SNIFFED_BYTES = 32

_STARTS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF, little and big endian, and BigTIFF
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n",  # JPEG 2000, file and bare code stream
    b"\xff\x4f\xff\x51",
    b"\x00\x00\x00\x0cJXL \r\n\x87\n",  # JPEG XL, file and bare code stream
    b"\xff\x0a",
    b"#?RADIANCE",
    b"#?RGBE",
    b"\x59\xa6\x6a\x95",  # Sun raster
    b"\x76\x2f\x31\x01",  # OpenEXR
    b"qoif",
    b"\x00\x00\x01\x00",  # ICO
)
_PORTABLE_MAP = re.compile(rb"P[1-7fF][ \t\r\n#]")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_HEIF_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def has_image_suffix(name: str) -> bool:
    return name[name.rfind(".") :].lower() in IMAGE_SUFFIXES if "." in name else False


def starts_like_image(head: bytes) -> bool:
    """Say whether the first `SNIFFED_BYTES` bytes of a file are those of an image format."""
    return (
        head.startswith(_STARTS)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS)
        or (head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS)
        or _PORTABLE_MAP.match(head) is not None
    )
