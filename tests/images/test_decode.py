"""Bytes to RGB, against Pillow's reading of the same bytes."""

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from cnnkit.errors import ImageError
from cnnkit.images import DEFAULT_MAX_PIXELS, check_header, decode
from cnnkit.spec import Decode

Pixels = NDArray[np.uint8]
Encoder = Callable[..., bytes]

KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {}),
    ("JPEG", "L", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "LA", {}),
    ("PNG", "L", {}),
    ("PNG", "1", {}),
    ("PNG", "P", {}),
    ("GIF", "P", {}),
    ("BMP", "RGB", {}),
    ("BMP", "RGBA", {}),
    ("BMP", "P", {}),
    ("BMP", "1", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True, "exact": True}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "L", {}),
    ("TIFF", "P", {}),
    ("TIFF", "1", {}),
    ("JPEG2000", "RGB", {}),
    ("JPEG2000", "RGBA", {}),
    ("AVIF", "RGB", {}),
    ("AVIF", "RGBA", {}),
    ("PPM", "RGB", {}),
    ("PPM", "L", {}),
    ("PPM", "1", {}),
]


def as_pillow(data: bytes, *, alpha: str = "drop") -> Pixels:
    image = Image.open(io.BytesIO(data))
    image.load()
    image = ImageOps.exif_transpose(image)
    if alpha == "drop":
        return np.asarray(image.convert("RGB"))
    image = image.convert("RGBA")
    ground = Image.new("RGB", image.size, alpha)
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return np.asarray(ground)


def test_pixels_written_by_hand_come_back_as_rgb() -> None:
    red, blue = bytes([200, 1, 2]), bytes([3, 4, 250])
    assert decode(b"P6 2 1 255\n" + red + blue).tolist() == [[[200, 1, 2], [3, 4, 250]]]
    assert decode(b"P5 1 1 255\n\x07").tolist() == [[[7, 7, 7]]]


@pytest.mark.parametrize(("kind", "mode", "options"), KINDS, ids=lambda value: str(value))
def test_every_kind_is_what_pillow_reads(
    slope: Pixels, encoded: Encoder, kind: str, mode: str, options: dict[str, Any]
) -> None:
    image = Image.fromarray(slope if "A" in mode else slope[..., :3])
    data = encoded(image.convert(mode), kind, **options)
    pixels = decode(data)
    assert pixels.flags.c_contiguous
    np.testing.assert_array_equal(pixels, as_pillow(data))


@pytest.mark.parametrize("alpha", ["white", "black"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "BMP", "JPEG2000"])
def test_alpha_is_laid_over_a_background(slope: Pixels, encoded: Encoder, kind: str, alpha: Any) -> None:
    data = encoded(Image.fromarray(slope), kind, **({"lossless": True} if kind == "WEBP" else {}))
    np.testing.assert_array_equal(decode(data, Decode(alpha=alpha)), as_pillow(data, alpha=alpha))


def test_alpha_by_hand() -> None:
    """Half-clear red: (255 - 128) * 255 / 255 of white; rounded to nearest."""
    data = io.BytesIO()
    Image.new("RGBA", (1, 1), (200, 0, 100, 128)).save(data, "PNG")
    assert decode(data.getvalue(), Decode(alpha="white")).tolist() == [[[227, 127, 177]]]
    assert decode(data.getvalue(), Decode(alpha="black")).tolist() == [[[100, 0, 50]]]
    assert decode(data.getvalue()).tolist() == [[[200, 0, 100]]]


@pytest.mark.parametrize("alpha", ["white", "black"])
@pytest.mark.parametrize(("mode", "clear"), [("L", 12), ("P", 5), ("RGB", (60, 24, 57)), ("1", 1)])
def test_one_clear_colour_is_laid_over_a_background(
    slope: Pixels, encoded: Encoder, mode: str, clear: Any, alpha: Any
) -> None:
    image = Image.fromarray(slope).convert("RGB")
    data = encoded(image.quantize(64) if mode == "P" else image.convert(mode), "PNG", transparency=clear)
    np.testing.assert_array_equal(decode(data, Decode(alpha=alpha)), as_pillow(data, alpha=alpha))


@pytest.mark.parametrize("alpha", ["white", "black"])
def test_transparent_gif(slope: Pixels, encoded: Encoder, alpha: Any) -> None:
    data = encoded(Image.fromarray(slope).convert("RGB").quantize(64), "GIF", transparency=5)
    np.testing.assert_array_equal(decode(data, Decode(alpha=alpha)), as_pillow(data, alpha=alpha))


def test_tiff_alpha_multiplied_by_libtiff_is_within_a_level(slope: Pixels, encoded: Encoder) -> None:
    """OpenCV gives an 8-bit TIFF's colours times alpha: dropping it is laying it over black."""
    data = encoded(Image.fromarray(slope), "TIFF")
    for alpha in ("white", "black", "drop"):
        pixels = decode(data, Decode(alpha=alpha)).astype(int)  # type: ignore[arg-type]
        wanted = as_pillow(data, alpha="black" if alpha == "drop" else alpha)
        assert np.abs(pixels - wanted).max() <= 1


def test_grey_tiff_with_alpha_is_refused_where_alpha_counts(slope: Pixels, encoded: Encoder) -> None:
    data = encoded(Image.fromarray(slope).convert("LA"), "TIFF")
    assert decode(data).shape == (37, 53, 3)
    with pytest.raises(ImageError, match="TIFF: OpenCV does not read its alpha; convert it to RGBA first") as caught:
        decode(data, Decode(alpha="white"))
    assert caught.value.status == "unsupported"


def test_unused_fourth_byte_of_a_bitmap_is_no_alpha() -> None:
    """A 32-bit BMP without masks: Windows ignores the fourth byte, which is usually 0."""
    header = b"BM" + (58).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    info = b"".join(value.to_bytes(size, "little") for value, size in [(40, 4), (1, 4), (1, 4), (1, 2), (32, 2)])
    data = header + info + bytes(24) + bytes([10, 20, 30, 0])
    assert decode(data, Decode(alpha="white")).tolist() == [[[30, 20, 10]]]


def test_cmyk_jpeg_is_within_two_levels(slope: Pixels, encoded: Encoder) -> None:
    data = encoded(Image.fromarray(slope).convert("RGB").convert("CMYK"), "JPEG")
    assert np.abs(decode(data).astype(int) - as_pillow(data)).max() <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_is_undone_as_pillow_does(slope: Pixels, encoded: Encoder, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(slope[..., :3]), kind, exif=exif)
    np.testing.assert_array_equal(decode(data), as_pillow(data))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_orientation_can_be_left_alone(slope: Pixels, encoded: Encoder, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(slope[..., :3]), kind, exif=exif)
    np.testing.assert_array_equal(decode(data, Decode(exif=False)), slope[..., :3])


def test_orientation_and_alpha_together(slope: Pixels, encoded: Encoder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(slope), "PNG", exif=exif)
    np.testing.assert_array_equal(decode(data, Decode(alpha="white")), as_pillow(data, alpha="white"))


@pytest.mark.parametrize(
    ("suffix", "channels"),
    [
        *[(suffix, channels) for suffix in (".png", ".tiff") for channels in (1, 3, 4)],
        *[(".pgm", 1), (".ppm", 3), (".jp2", 1), (".jp2", 3)],
    ],
)
def test_sixteen_bits_become_eight_by_a_shift(slope: Pixels, suffix: str, channels: int) -> None:
    low = np.arange(37 * 53, dtype=np.uint16).reshape(37, 53, 1) % 256
    deep = (slope.astype(np.uint16) << 8) + low
    picture = deep[..., 0] if channels == 1 else np.ascontiguousarray(deep[..., [2, 1, 0, 3][:channels]])
    data = cv2.imencode(suffix, picture, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])[1].tobytes()
    wanted = np.repeat(slope[..., :1], 3, axis=2) if channels == 1 else slope[..., :3]
    difference = np.abs(decode(data).astype(int) - wanted).max()
    assert difference <= (1 if suffix == ".jp2" else 0)  # OpenCV's JPEG 2000 loses the lowest bits


def test_floating_point_is_refused() -> None:
    for suffix in (".tiff", ".hdr", ".pfm"):
        data = cv2.imencode(suffix, np.ones((4, 5, 3), np.float32))[1].tobytes()
        with pytest.raises(ImageError, match="become 8 bits in no single way") as caught:
            decode(data)
        assert caught.value.status == "unsupported"


def test_signed_samples_are_refused(slope: Pixels) -> None:
    """Elevations, for instance: -1 is not white."""
    data = cv2.imencode(".tiff", slope[..., 0].astype(np.int16) - 100)[1].tobytes()
    with pytest.raises(ImageError, match="signed, floating-point or logarithmic numbers of 16 bits"):
        decode(data)


def test_other_kinds_by_opencv(slope: Pixels) -> None:
    for suffix in (".ras", ".pam"):
        data = cv2.imencode(suffix, np.ascontiguousarray(slope[..., 2::-1]))[1].tobytes()
        np.testing.assert_array_equal(decode(data), slope[..., :3])


def test_first_frame_of_an_animation(slope: Pixels, encoded: Encoder) -> None:
    frames = [Image.fromarray(slope[..., :3]), Image.fromarray(255 - slope[..., :3])]
    for kind in ("PNG", "WEBP", "TIFF", "AVIF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True, quality=100)
        assert check_header(data).more_frames, kind
        assert not check_header(encoded(frames[0], kind)).more_frames, kind
        assert np.abs(decode(data).astype(int) - slope[..., :3]).mean() < 3, kind


def test_size_is_checked_before_anything_is_decoded(slope: Pixels, encoded: Encoder, monkeypatch: Any) -> None:
    data = bytearray(encoded(Image.fromarray(slope), "PNG"))
    data[16:24] = (60000).to_bytes(4, "big") * 2
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(ImageError) as caught:
        decode(bytes(data))
    assert caught.value.status == "too_large"
    assert str(caught.value) == (
        f"PNG: its header claims 60000x60000 pixels, the limit is {DEFAULT_MAX_PIXELS:,}; "
        "raise max_pixels if that is what it is"
    )


def test_limit_can_be_set(slope: Pixels, encoded: Encoder) -> None:
    data = encoded(Image.fromarray(slope), "PNG")
    assert decode(data, max_pixels=37 * 53).shape == (37, 53, 3)
    with pytest.raises(ImageError, match="claims 53x37 pixels, the limit is 1,960"):
        decode(data, max_pixels=37 * 53 - 1)


def test_opencvs_own_limit_is_no_damage() -> None:
    with pytest.raises(
        ImageError, match="1048577x1 pixels are more than OpenCV reads, which is 1,048,576 a side"
    ) as got:
        decode(b"P5 1048577 1 255 ")
    assert got.value.status == "too_large"


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (b"", "empty", "the file is empty (0 bytes)"),
        (b"hello", "not_an_image", "no kind of image begins with the bytes b'hello'"),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "unsupported",
            "HEIC: a kind that OpenCV does not read; convert it to PNG or JPEG first",
        ),
        (b"%PDF-1.7", "unsupported", "PDF: a document; render its pages to PNG first"),
        (b"\xff\xd8\xff\xe0", "corrupt", "JPEG: its header is damaged or ends before it says a size"),
        (b"P6 0 4 255\n", "corrupt", "PNM: its header is damaged or ends before it says a size"),
    ],
)
def test_reasons(data: bytes, status: str, sentence: str) -> None:
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert (caught.value.status, str(caught.value)) == (status, sentence)


def test_truncated_is_corrupt(slope: Pixels, encoded: Encoder) -> None:
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        data = encoded(Image.fromarray(slope[..., :3]), kind)
        with pytest.raises(ImageError) as caught:
            decode(data[: len(data) * 2 // 3])
        assert caught.value.status == "corrupt", kind


def test_without_opencv_the_message_says_what_to_install() -> None:
    code = """
import sys
sys.modules["cv2"] = None
from cnnkit.errors import MachineError
try:
    import cnnkit.images
except MachineError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "OpenCV does not load" in done.stdout
    assert "libgl1" in done.stdout
    assert "pip install opencv-python-headless" in done.stdout
