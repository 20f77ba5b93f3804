"""From the bytes of a file to RGB pixels, or to the reason why not."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import ImageError, MachineError
from cnnkit.images._headers import Header, read_header
from cnnkit.images._opencv import cv2
from cnnkit.spec import Decode

__all__ = ["DEFAULT_MAX_PIXELS", "check_header", "decode", "shown_size"]

DEFAULT_MAX_PIXELS = 178_956_970  # 512 MiB as RGB; Pillow refuses above the same number

Pixels = NDArray[np.uint8]

_AS_SHOWN = Decode()
_MAX_SIDE, _MAX_OPENCV_PIXELS = 1 << 20, 1 << 30
_REDUCED = {1: 0, 2: 16, 4: 32, 8: 64}  # the bits of IMREAD_REDUCED_*, which has no name for RGB


def decode(data: bytes, how: Decode = _AS_SHOWN, *, max_pixels: int = DEFAULT_MAX_PIXELS, reduce: int = 1) -> Pixels:
    """Turn a file's bytes into RGB pixels.

    16 bits become 8 by `>> 8`; grey and palette become RGB; of an animation the first frame. EXIF orientation is
    applied where `how.exif` says so, alpha is dropped or laid over white or black as `how.alpha` says.

    Args:
        data: the whole file.
        how: the part of a model's spec that speaks of decoding.
        max_pixels: the header is read first, and a file that claims more is refused before memory is taken for it.
        reduce: 1, 2, 4 or 8: a JPEG is decoded at that fraction of its sides, rounded up; other kinds ignore it.

    Returns:
        (H, W, 3) uint8, contiguous.

    Raises:
        ImageError: `empty`, `not_an_image`, `corrupt`, `too_large` or `unsupported`, with one sentence.
        MachineError: no memory.

    >>> decode(b"P6 2 1 255 " + bytes([255, 0, 0, 0, 0, 9])).tolist()
    [[[255, 0, 0], [0, 0, 9]]]
    """
    header = check_header(data, max_pixels=max_pixels)
    if header.alpha and how.alpha != "drop":
        pixels = _flatten(_read(data, header, cv2.IMREAD_UNCHANGED), header, level=255 if how.alpha == "white" else 0)
    else:
        pixels = _read_colour(data, header, reduce)
    return _turn(pixels, _turn_needed(header, how))


def check_header(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Header:
    """Read what the first bytes say and refuse what could not be decoded; raises ImageError as `decode` does."""
    if not data:
        raise ImageError("empty", "the file is empty (0 bytes)")
    header = read_header(data)
    if header is None:
        raise ImageError("not_an_image", f"no kind of image begins with the bytes {data[:8]!r}")
    if header.refusal is not None:
        raise ImageError("unsupported", f"{header.kind}: {header.refusal}")
    if header.size is None or min(header.size) < 1:
        raise ImageError("corrupt", f"{header.kind}: its header is damaged or ends before it says a size")
    height, width = header.size
    if height * width > max_pixels:
        raise ImageError(
            "too_large",
            f"{header.kind}: its header claims {width}x{height} pixels, the limit is {max_pixels:,}; "
            "raise max_pixels if that is what it is",
        )
    if max(header.size) > _MAX_SIDE or height * width > _MAX_OPENCV_PIXELS:
        raise ImageError(
            "too_large",
            f"{header.kind}: {width}x{height} pixels are more than OpenCV reads, which is {_MAX_SIDE:,} a side and "
            f"{_MAX_OPENCV_PIXELS:,} in all; cut it into tiles first",
        )
    return header


def _read_colour(data: bytes, header: Header, reduce: int) -> Pixels:
    if header.kind == "JPEG":
        return _as_bytes(_read(data, header, cv2.IMREAD_COLOR_RGB | _REDUCED[reduce]))
    # of other kinds OpenCV 5 forgets the order RGB now and then (AVIF with alpha, PAM), or spoils pixels (16-bit TIFF)
    flags = cv2.IMREAD_COLOR | (cv2.IMREAD_ANYDEPTH if header.deep else 0)
    pixels = _as_bytes(_read(data, header, flags))
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels), np.uint8)


def _read(data: bytes, header: Header, flags: int) -> NDArray[np.generic]:
    if flags != cv2.IMREAD_UNCHANGED:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MachineError(f"no memory for a {header.kind} of {header.size} pixels (height, width)") from error
        raise ImageError("corrupt", f"{header.kind}: OpenCV cannot decode it: {error.err}") from error
    if pixels is None:
        raise ImageError(
            "corrupt",
            f"{header.kind}: OpenCV cannot decode it: it is truncated, damaged or of a variant unknown to it",
        )
    return np.asarray(pixels)


def _as_bytes(pixels: NDArray[np.generic]) -> Pixels:
    return np.asarray(pixels if pixels.dtype == np.uint8 else pixels.astype(np.uint16) >> 8, np.uint8)


def _flatten(pixels: NDArray[np.generic], header: Header, *, level: int) -> Pixels:
    """Lay BGRA, or grey of which one level is clear, over one level of grey; RGB, rounded to nearest."""
    if pixels.ndim == 2 and header.clear_level is not None:
        grey = np.where(pixels == header.clear_level, level, _as_bytes(pixels))
        return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
    if pixels.ndim != 3 or pixels.shape[2] != 4:
        raise ImageError("unsupported", f"{header.kind}: OpenCV does not read its alpha; convert it to RGBA first")
    straight = _as_bytes(pixels)
    colour, alpha = straight[:, :, 2::-1].astype(np.uint32), straight[:, :, 3:].astype(np.uint32)
    share = colour * 255 if header.premultiplied else colour * alpha
    return np.asarray(np.minimum((share + level * (255 - alpha) + 127) // 255, 255), np.uint8)


def shown_size(header: Header, how: Decode = _AS_SHOWN) -> tuple[int, int]:
    """(height, width) that `decode` gives: EXIF 5 to 8 swap the sides."""
    if header.size is None:
        raise ValueError(f"the header of this {header.kind} says no size")
    return header.size[::-1] if how.exif and header.orientation in (5, 6, 7, 8) else header.size


def _turn_needed(header: Header, how: Decode) -> int:
    """The EXIF orientation that is left to undo: OpenCV undoes a TIFF's whatever it is told."""
    if header.kind != "TIFF":
        return header.orientation if how.exif else 1
    return 1 if how.exif else {6: 8, 8: 6}.get(header.orientation, header.orientation)


def _turn(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the camera's turn: EXIF 2 to 4 mirror or rotate by a half, 5 to 8 also swap the sides."""
    if orientation in (5, 6, 7, 8):
        pixels = cv2.transpose(pixels)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return pixels if flip is None else np.asarray(cv2.flip(pixels, flip))
