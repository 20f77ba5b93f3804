"""How strongly a JPEG was compressed, from its quantisation table."""

import numpy as np
from numpy.typing import NDArray

# the luminance table of ITU-T T.81, annex K.1, in zigzag order as files hold it
LUMINANCE = np.array(
    [
        *(16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40),
        *(26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51),
        *(56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87),
        *(95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99),
    ]
)
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xDA)}
START_OF_SCAN, QUANTISATION = 0xDA, 0xDB


def jpeg_quality(data: bytes) -> int | None:
    """The quality, 1 to 100, whose table in the IJG's library is nearest to the file's; None for another kind of file.

    Exact for files that this library wrote (libjpeg, Pillow, OpenCV); for others the one that loses about as much.
    """
    table = _luminance_table(data)
    if table is None:
        return None
    return 1 + int(np.abs(_TABLES - table).sum(axis=1).argmin())


def _of_quality(quality: int) -> NDArray[np.int64]:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.asarray(np.clip((LUMINANCE * scale + 50) // 100, 1, 255))


_TABLES = np.array([_of_quality(quality) for quality in range(1, 101)])


def _luminance_table(data: bytes) -> NDArray[np.int64] | None:
    """Table 0 of the segments before the first scan."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == START_OF_SCAN:
            return None
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == QUANTISATION:
            table = _table_zero(data[at + 4 : at + 2 + length])
            if table is not None:
                return table
        at += 2 + length
    return None


def _table_zero(segment: bytes) -> NDArray[np.int64] | None:
    at = 0
    while at < len(segment):
        wide, number = segment[at] >> 4, segment[at] & 15
        size = 128 if wide else 64
        entries = segment[at + 1 : at + 1 + size]
        if number == 0 and len(entries) == size:
            return np.frombuffer(entries, ">u2" if wide else np.uint8).astype(np.int64)
        at += 1 + size
    return None
