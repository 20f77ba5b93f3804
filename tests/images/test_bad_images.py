"""Files that hurt: each one is read right or refused with a reason."""

import csv
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from cnnkit.errors import ImageError
from cnnkit.images import check_header, decode

REFUSED = {
    "bombs/17000x17000.avif": "too_large",
    "bombs/decompression_bomb.ico": "unsupported",
    "bombs/giant-image.jpg": "too_large",
    "jpeg-variants/ultrahdr.jpg": "corrupt",
    "made-here/empty.jpg": "empty",
    "made-here/error_page.png": "not_an_image",
    "made-here/header_only.jpg": "corrupt",
    "made-here/two_bytes.jpg": "not_an_image",
    "made-here/zeros_1MB.jpg": "not_an_image",
    "other-formats/10ct_32bit_128.tiff": "unsupported",
    "other-formats/drawing.wmf": "unsupported",
    "other-formats/hopper.ico": "unsupported",
    "other-formats/hopper.qoi": "unsupported",
    "other-formats/logo.svg": "unsupported",
    "other-formats/sample.hdr": "unsupported",
    "truncated-corrupt/badbitcount.bmp": "corrupt",
    "truncated-corrupt/badrle.bmp": "corrupt",
    "truncated-corrupt/broken.png": "corrupt",
    "truncated-corrupt/corrupt-header.jpg": "corrupt",
    "truncated-corrupt/libtiff_segfault.tif": "corrupt",
    "truncated-corrupt/pngtest_bad.png.bin": "not_an_image",
    "truncated-corrupt/shortfile.bmp": "corrupt",
    "truncated-corrupt/truncated.jpg": "corrupt",
    "truncated-corrupt/truncated_image.png": "corrupt",
    "truncated-corrupt/xc9n2c08.png": "corrupt",
    "truncated-corrupt/xcsn0g01.png": "corrupt",
    "truncated-corrupt/xd3n2c08.png": "corrupt",
    "truncated-corrupt/xdtn0g01.png": "corrupt",
    "truncated-corrupt/xlfn0g04.png": "not_an_image",
    "truncated-corrupt/xs2n0g01.png": "not_an_image",
    "truncated-corrupt/xs7n0g01.png": "not_an_image",
}

LEVELS_APART = {"jpeg-variants/pil_sample_cmyk.jpg": 2}  # CMYK to RGB is rounded another way
OTHER_THAN_PILLOW = {
    "bombs/png_decompression_dos.png",  # Pillow refuses the text beside the one pixel
    "png-modes/basn0g16.png",  # 16-bit grey: Pillow clips it to white
    "truncated-corrupt/tiff_wrong_bits_per_sample.tiff",  # colours times alpha
    "truncated-corrupt/unknown_compression_method.png",  # Pillow refuses it
}


@pytest.fixture(scope="module")
def manifest(shared: Path) -> list[dict[str, str]]:
    with (shared / "bad_images" / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_is_read_right_or_refused_with_a_reason(shared: Path, manifest: list[dict[str, str]]) -> None:
    wrong = []
    for row in manifest:
        data = (shared / "bad_images" / row["file"]).read_bytes()
        try:
            pixels = decode(data)
        except ImageError as error:
            if REFUSED.get(row["file"]) != error.status or len(str(error)) < 20:
                wrong.append(f"{row['file']}: {error.status}: {error}")
            continue
        if row["file"] in REFUSED:
            wrong.append(f"{row['file']} was read")
        elif row["file"] not in OTHER_THAN_PILLOW:
            wrong += _difference(row["file"], pixels, data)
    assert wrong == []


def _difference(file: str, pixels: np.ndarray, data: bytes) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(data))
        image.load()
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    if pixels.shape != wanted.shape:
        return [f"{file}: {pixels.shape}, Pillow {wanted.shape}"]
    apart = int(np.abs(pixels.astype(int) - wanted).max())
    return [f"{file}: {apart} levels from Pillow"] if apart > LEVELS_APART.get(file, 0) else []


def test_the_four_others(shared: Path) -> None:
    folder = shared / "bad_images"
    assert decode((folder / "bombs/png_decompression_dos.png").read_bytes()).shape == (1, 1, 3)
    assert decode((folder / "truncated-corrupt/unknown_compression_method.png").read_bytes()).shape == (57, 57, 3)
    grey = np.asarray(Image.open(folder / "png-modes/basn0g16.png"))
    assert np.array_equal(decode((folder / "png-modes/basn0g16.png").read_bytes())[..., 1], grey >> 8)
    path = folder / "truncated-corrupt/tiff_wrong_bits_per_sample.tiff"
    colour, alpha = np.split(np.asarray(Image.open(path).convert("RGBA")).astype(int), [3], axis=2)
    assert np.abs(decode(path.read_bytes()) - colour * alpha / 255).max() <= 1


def test_headers_say_what_is_in_the_file(shared: Path, manifest: list[dict[str, str]]) -> None:
    for row in manifest:
        if row["file"] in REFUSED or not row["size"]:
            continue
        header = check_header((shared / "bad_images" / row["file"]).read_bytes())
        width, height = (int(side) for side in row["size"].strip("[]").split(","))
        assert header.size == (height, width), row["file"]
        assert header.more_frames == (int(row["frames"]) > 1), row["file"]
        if row["orient"].isdigit() and row["orient"] != "0":
            assert header.orientation == int(row["orient"]), row["file"]
