"""From uint8 pixels to a model's numbers: every type, layout and channel order; torchvision's bits."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnnkit.images import Preprocess, preset
from cnnkit.spec import CenterCrop, ModelSpec, Normalize, Rescale, Resize, ToGray

Pixels = NDArray[np.uint8]
Specs = Callable[..., ModelSpec]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def all_levels() -> Pixels:
    """(16, 16, 3): every level once in each channel, each channel in another order."""
    levels = np.arange(256, dtype=np.uint8)
    return np.stack([levels, levels[::-1], np.roll(levels, 77)], axis=-1).reshape(16, 16, 3)


@pytest.mark.torch
def test_torchvisions_totensor_and_normalize_to_the_bit(make_spec: Specs) -> None:
    torch = pytest.importorskip("torch")
    spec = make_spec(Rescale(scale=1 / 255), Normalize(mean=MEAN, std=STD), size=(16, 16))
    tensor = torch.from_numpy(all_levels().transpose(2, 0, 1).copy()).float().div(255)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    np.testing.assert_array_equal(Preprocess(spec).values(all_levels()), tensor.sub_(mean).div_(std).numpy())


def test_by_hand(make_spec: Specs) -> None:
    """(255 / 255 - 0.485) / 0.229 = 2.24891; (0 - 0.456) / 0.224 = -2.03571; (128 / 255 - 0.406) / 0.225 = 0.42649."""
    spec = make_spec(Rescale(scale=1 / 255), Normalize(mean=MEAN, std=STD), size=(1, 1))
    values = Preprocess(spec).values(np.array([[[255, 0, 128]]], np.uint8))
    np.testing.assert_allclose(values.ravel(), [2.2489083, -2.0357143, 0.4264924], rtol=1e-6)


def test_the_order_of_a_mean_is_the_models(make_spec: Specs) -> None:
    spec = make_spec(Normalize(mean=(100, 10, 1), std=(1, 1, 1)), size=(1, 1), channels="BGR")
    assert Preprocess(spec).values(np.array([[[3, 30, 200]]], np.uint8)).ravel().tolist() == [100, 20, 2]


@pytest.mark.parametrize(
    ("channels", "layout", "dtype"),
    list(itertools.product(["RGB", "BGR", "GRAY"], ["NCHW", "NHWC"], ["float32", "float16", "uint8", "int8"])),
)
def test_every_type_layout_and_order(make_spec: Specs, channels: str, layout: str, dtype: str) -> None:
    n = 1 if channels == "GRAY" else 3
    gray = [ToGray()] if n == 1 else []
    values = Rescale(scale=0.9, offset=-3), Normalize(mean=(1.0, 2.0, 3.0)[:n], std=(1.0, 2.0, 0.5)[:n])
    spec = make_spec(*gray, *values, size=(16, 16), channels=channels, layout=layout, dtype=dtype)
    pixels = all_levels()[..., :n]
    made = Preprocess(spec).values(pixels)
    exact = (pixels[..., ::-1] if channels == "BGR" else pixels) * 0.9 - 3
    exact = (exact - np.array([1, 2, 3])[:n]) / np.array([1, 2, 0.5])[:n]
    if dtype in ("uint8", "int8"):
        exact = np.clip(np.rint(exact), np.iinfo(dtype).min, np.iinfo(dtype).max)
    wanted = exact if layout == "NHWC" else exact.transpose(2, 0, 1)
    assert made.dtype == dtype
    np.testing.assert_allclose(made.astype(np.float64), wanted, rtol=1e-3 if dtype == "float16" else 1e-6, atol=1e-5)


def test_raw_bytes_stay_bytes(make_spec: Specs) -> None:
    spec = make_spec(CenterCrop(size=(16, 16)), size=(16, 16), dtype="uint8", layout="NHWC")
    np.testing.assert_array_equal(Preprocess(spec)(all_levels())[0], all_levels())


def test_values_go_straight_into_the_batch(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(Rescale(scale=2), size=(16, 16)))
    batch = np.zeros((2, 3, 16, 16), np.float32)
    made, _ = preprocess(all_levels(), batch[1])
    assert np.shares_memory(made, batch)
    np.testing.assert_array_equal(batch[1], all_levels().transpose(2, 0, 1) * 2.0)
    assert not batch[0].any()


def test_a_wrong_buffer_is_refused(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(size=(16, 16)))
    with pytest.raises(ValueError, match=r"out must be float32 \(3, 16, 16\) without gaps, got float64 \(3, 16, 16\)"):
        preprocess.values(all_levels(), np.zeros((3, 16, 16)))
    with pytest.raises(ValueError, match=r"without gaps, got float32 \(3, 16, 16\) with strides \(4, 192, 12\)"):
        preprocess.values(all_levels(), np.zeros((16, 16, 3), np.float32).transpose(2, 0, 1))


def test_pixels_of_another_size_are_refused(make_spec: Specs) -> None:
    preprocess = Preprocess(make_spec(size=(16, 16)))
    with pytest.raises(ValueError, match=r"pixels must be uint8 \(16, 16, 3\), got uint8 \(15, 16, 3\)"):
        preprocess.values(all_levels()[1:])
    with pytest.raises(ValueError, match=r"got float32 \(16, 16, 3\)"):
        preprocess.values(all_levels().astype(np.float32))  # type: ignore[arg-type]


def torchvision_chain(pixels: Pixels, *, short: int, size: int) -> NDArray[np.float32]:
    """Resize, CenterCrop, ToTensor, Normalize as torchvision documents them, on Pillow and NumPy."""
    height, width = pixels.shape[:2]
    new = (short, int(short * width / height)) if height <= width else (int(short * height / width), short)
    image = Image.fromarray(pixels)
    image = image.resize((new[1], height), Image.Resampling.BILINEAR).resize(new[::-1], Image.Resampling.BILINEAR)
    left, top = round((image.width - size) / 2), round((image.height - size) / 2)
    cropped = np.asarray(image.crop((left, top, left + size, top + size)))
    tensor = cropped.astype(np.float32) / np.float32(255)
    return ((tensor - np.array(MEAN, np.float32)) / np.array(STD, np.float32)).transpose(2, 0, 1)


def test_the_whole_chain_is_torchvisions(make_spec: Specs, photos: list[Pixels]) -> None:
    channels, operations = preset("imagenet", size=(224, 224))
    preprocess = Preprocess(make_spec(*operations, size=(224, 224), channels=channels))
    for pixels in photos:
        np.testing.assert_array_equal(preprocess(pixels)[0], torchvision_chain(pixels, short=256, size=224))


def test_the_whole_chain_with_timms_crop(make_spec: Specs, photos: list[Pixels]) -> None:
    """crop_pct 0.95: floor(224 / 0.95) = 235."""
    operations = Resize(size=235), CenterCrop(size=(224, 224)), Rescale(scale=1 / 255), Normalize(mean=MEAN, std=STD)
    preprocess = Preprocess(make_spec(*operations, size=(224, 224)))
    np.testing.assert_array_equal(preprocess(photos[0])[0], torchvision_chain(photos[0], short=235, size=224))


def test_the_whole_chain_by_hand(make_spec: Specs) -> None:
    """2 x 4 to short side 1: pairs are averaged, then columns; the crop takes column round(1 / 2) = 0."""
    spec = make_spec(Resize(size=1, filter="box"), CenterCrop(size=(1, 1)), Rescale(scale=0.5, offset=1), size=(1, 1))
    row = [[10, 0, 0], [20, 0, 0], [200, 0, 9], [100, 0, 9]]
    values, geometry = Preprocess(spec)(np.array([row, [[30, 0, 0]] * 4], np.uint8))
    # columns: (10 + 20) / 2 = 15 and 30; rows: (15 + 30) / 2 = 22.5, rounded up
    assert values.ravel().tolist() == [12.5, 1.0, 1.0]
    assert (geometry.scale, geometry.offset) == ((0.5, 0.5), (0.0, 0.0))
