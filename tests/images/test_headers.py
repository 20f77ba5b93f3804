"""Headers are read from bytes that anyone can have written: never a crash, never a wrong size."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnkit.errors import ImageError
from cnnkit.images import check_header, decode


def _files() -> dict[str, bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (23, 31, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 3
    files = {}
    for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM"):
        buffer = io.BytesIO()
        options = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF") else {}
        Image.fromarray(pixels).save(buffer, kind, **options)
        files[kind] = buffer.getvalue()
    return files


FILES = _files()


@pytest.mark.parametrize("kind", FILES)
def test_size_is_the_decoded_one(kind: str) -> None:
    assert check_header(FILES[kind]).size == decode(FILES[kind]).shape[:2] == (23, 31)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 400))
def test_a_cut_file_gives_its_size_or_a_reason(kind: str, length: int) -> None:
    try:
        header = check_header(FILES[kind][:length])
    except ImageError:
        return
    assert header.size == (23, 31)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4))
def test_a_damaged_file_gives_pixels_or_a_reason(kind: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(FILES[kind])
    for at, value in changes:
        data[at % len(data)] = value
    try:
        pixels = decode(bytes(data), max_pixels=1 << 20)
    except ImageError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.size <= 3 << 20


def test_a_page_far_outside_the_file() -> None:
    """A BigTIFF whose first directory lies at 2^64 - 1."""
    with pytest.raises(ImageError, match="TIFF: its header is damaged"):
        check_header(b"II+\0\x08\0\0\0" + b"\xff" * 8)


@pytest.mark.parametrize(
    "chunk", [b"tRNS", b"acTL", b"eXIf", b"zTXtRaw profile type exif\0\0no", b"tEXtRaw profile type exif\0x"]
)
def test_a_bad_chunk_does_not_spoil_a_png(chunk: bytes) -> None:
    body = chunk[4:]
    extra = len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    assert check_header(FILES["PNG"][:33] + extra + FILES["PNG"][33:]).size == (23, 31)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"II+\0", *(data[:16] for data in FILES.values())]), st.binary(max_size=200))
def test_any_bytes_after_a_known_beginning(start: bytes, rest: bytes) -> None:
    try:
        check_header(start + rest)
    except ImageError as error:
        assert error.status in ("corrupt", "too_large", "unsupported", "not_an_image")  # noqa: PT017
