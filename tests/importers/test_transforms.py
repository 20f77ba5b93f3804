"""Transforms read by class name and fields: stand-ins that carry the real names, modules and fields."""

from enum import Enum
from typing import Any

import pytest

from cnnkit.errors import ModelError
from cnnkit.importers import from_transform
from cnnkit.spec import CenterCrop, Normalize, Pad, Rescale, Resize, ToGray

V1 = "torchvision.transforms.transforms"
GEOMETRY = "torchvision.transforms.v2._geometry"
MISC = "torchvision.transforms.v2._misc"
TYPES = "torchvision.transforms.v2._type_conversion"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
UNIT = Rescale(scale=1 / 255)
NORMAL = Normalize(mean=tuple(MEAN), std=tuple(STD))


class InterpolationMode(Enum):
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    NEAREST = "nearest"


def stand_in(module: str, name: str, **fields: Any) -> Any:
    made = type(name, (), {"__module__": module})()
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def compose(*operations: Any, module: str = V1) -> Any:
    return stand_in(module, "Compose", transforms=list(operations))


def resize(size: Any, module: str = V1, **fields: Any) -> Any:
    usual = {"interpolation": InterpolationMode.BILINEAR, "max_size": None, "antialias": True}
    return stand_in(module, "Resize", size=size, **{**usual, **fields})


TO_TENSOR = stand_in(V1, "ToTensor")
NORMALIZE = stand_in(V1, "Normalize", mean=MEAN, std=STD, inplace=False)
TO_IMAGE = stand_in(TYPES, "ToImage")
TO_FLOAT = stand_in(MISC, "ToDtype", dtype="torch.float32", scale=True)


def test_the_usual_chain_of_validation() -> None:
    found = from_transform(compose(resize(256), stand_in(V1, "CenterCrop", size=(224, 224)), TO_TENSOR, NORMALIZE))
    assert found.preprocess == (Resize(size=256), CenterCrop(size=(224, 224)), UNIT, NORMAL)
    assert (found.size, found.channels, found.exact) == ((224, 224), "RGB", True)


def test_the_second_version_on_images() -> None:
    chain = compose(
        resize([232], GEOMETRY), stand_in(GEOMETRY, "CenterCrop", size=[224, 224]), TO_IMAGE, TO_FLOAT, NORMALIZE,
        module="torchvision.transforms.v2._container",
    )  # fmt: skip
    found = from_transform(chain)
    assert found.preprocess == (Resize(size=232), CenterCrop(size=(224, 224)), UNIT, NORMAL)
    assert found.exact


def test_a_tensor_is_resized_by_torch_or_nearly_as_pillow_does() -> None:
    found = from_transform(compose(TO_IMAGE, resize([64, 48], GEOMETRY), TO_FLOAT))
    assert found.preprocess == (Resize(size=(64, 48), mode="exact"), UNIT)
    assert not found.exact
    assert "within one level of Pillow's" in found.notes[0]
    plain = from_transform(compose(TO_IMAGE, resize([64, 48], GEOMETRY, antialias=False), TO_FLOAT))
    assert plain.preprocess == (Resize(size=(64, 48), mode="exact", implementation="torch"), UNIT)
    after = from_transform(compose(TO_TENSOR, resize([64, 48]), NORMALIZE))
    assert after.preprocess == (Resize(size=(64, 48), mode="exact"), UNIT, NORMAL)
    assert "resizes float values" in after.notes[1]


def test_grey_and_padding() -> None:
    gray = stand_in(V1, "Grayscale", num_output_channels=1)
    pad = stand_in(V1, "Pad", padding=2, fill=0, padding_mode="constant")
    found = from_transform(compose(gray, resize((28, 28)), pad, TO_TENSOR))
    assert found.preprocess == (ToGray(), Resize(size=(28, 28), mode="exact"), Pad(padding=(2, 2, 2, 2)), UNIT)
    assert (found.channels, found.size, found.exact) == ("GRAY", (32, 32), True)
    late = from_transform(compose(resize((28, 28)), gray, TO_TENSOR))
    assert late.preprocess == (ToGray(), Resize(size=(28, 28), mode="exact"), UNIT)
    assert not late.exact


def test_padding_of_two_and_four_sides() -> None:
    for given, expected in (([1, 2], (1, 2, 1, 2)), ([1, 2, 3, 4], (1, 2, 3, 4))):
        found = from_transform(stand_in(V1, "Pad", padding=given, fill=[7, 7, 7], padding_mode="constant"))
        assert found.preprocess == (Pad(padding=expected, fill=7),)


def test_padding_of_floats_is_a_level_of_the_picture() -> None:
    pad = stand_in(V1, "Pad", padding=1, fill=0.2, padding_mode="constant")
    found = from_transform(compose(resize((8, 8)), TO_TENSOR, pad))
    assert found.preprocess == (Resize(size=(8, 8), mode="exact"), Pad(padding=(1, 1, 1, 1), fill=51), UNIT)
    unsaid = stand_in(V1, "Pad", padding=1, fill=None, padding_mode="constant")
    assert from_transform(unsaid).preprocess == (Pad(padding=(1, 1, 1, 1), fill=0),)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"fill": 0.5}, r"Pad with fill 0\.5 is level 127\.5 of 0 to 255, and a spec pads with a whole one"),
        ({"fill": 2}, "Pad cannot be said: fill: should be less than or equal to 255 .got 510"),
        ({"fill": 0, "padding": -1}, r"Pad cannot be said: padding: .*not be negative, got \[-1, -1, -1, -1\]"),
        ({"fill": {"Image": 0}}, "with padding 1 and fill .* is more than a spec can say"),
    ],
)
def test_padding_that_a_spec_cannot_say(fields: dict[str, Any], sentence: str) -> None:
    pad = stand_in(V1, "Pad", **{"padding": 1, "padding_mode": "constant", **fields})
    with pytest.raises(ModelError, match=sentence):
        from_transform(compose(resize((8, 8)), TO_TENSOR, pad))


def test_the_preset_of_weights() -> None:
    preset = stand_in(
        "torchvision.transforms._presets", "ImageClassification", crop_size=[224], resize_size=[232], mean=MEAN,
        std=STD, interpolation=InterpolationMode.BICUBIC, antialias=True,
    )  # fmt: skip
    found = from_transform(preset)
    assert found.preprocess == (Resize(size=232, filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL)


def test_a_dictionary_of_types() -> None:
    image = type("Image", (), {})
    by_kind = stand_in(MISC, "ToDtype", dtype={image: "torch.float32", "others": None}, scale=True)
    assert from_transform(compose(TO_IMAGE, by_kind)).preprocess == (UNIT,)


@pytest.mark.parametrize("number", [2, "bilinear", InterpolationMode.BILINEAR])
def test_every_spelling_of_a_filter(number: Any) -> None:
    assert from_transform(resize(8, interpolation=number)).preprocess == (Resize(size=8),)


def test_timms_evaluation() -> None:
    keep = stand_in("timm.data.transforms", "ResizeKeepRatio", size=(256, 256), interpolation="bicubic", longest=0.0)
    crop = stand_in(V1, "CenterCrop", size=(224, 224))
    maybe = stand_in("timm.data.transforms", "MaybeToTensor")
    found = from_transform(compose(keep, crop, maybe, NORMALIZE))
    assert found.preprocess == (Resize(size=256, filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL)
    assert "rounds the long side to nearest" in found.notes[0]


def test_albumentations() -> None:
    crops, normal = "albumentations.augmentations.crops.transforms", "albumentations.augmentations.transforms"
    chain = compose(
        stand_in("albumentations.augmentations.geometric.resize", "Resize", height=64, width=48, interpolation=1),
        stand_in(normal, "Normalize", mean=MEAN, std=STD, max_pixel_value=255.0, normalization="standard"),
        stand_in("albumentations.pytorch.transforms", "ToTensorV2"),
        module="albumentations.core.composition",
    )
    found = from_transform(chain)
    wanted = Resize(size=(64, 48), mode="exact", filter="linear", implementation="opencv")
    assert found.preprocess == (wanted, UNIT, NORMAL)
    assert found.exact
    inexact = from_transform(stand_in(crops, "CenterCrop", height=32, width=40))
    assert inexact.size == (32, 40)
    assert "at most one pixel apart" in inexact.notes[0]


def _lambda(x: int) -> int:
    return x


OTHER = stand_in("mine.transforms", "Sharpen")
REFUSED = [
    (stand_in(V1, "RandomResizedCrop", size=(224, 224)), "RandomResizedCrop changes pictures at random: give the"),
    (
        OTHER,
        "Sharpen of mine.transforms is no operation that can be read; those of these can: torchvision, timm, albument",
    ),
    (stand_in(V1, "GaussianBlur"), "GaussianBlur is no operation that can be read; these can: CenterCrop, "),
    (_lambda, "the function _lambda cannot be read: what it does is in its code"),
    (resize(256, max_size=300), "Resize with max_size limits the long side too"),
    (stand_in(V1, "Grayscale", num_output_channels=3), r"Grayscale\(3\) gives grey in three channels"),
    (stand_in(MISC, "ToDtype", dtype="torch.float16", scale=True), "the type float16 is not float32"),
    (compose(NORMALIZE, resize(8)), "a resize stands after Normalize, where a spec has no place for it"),
    (resize(8, interpolation="nearest-exact"), "the resize cannot be said: .*pillow has no filter 'nearest-exact'"),
    (compose(), "it holds no operation"),
    (stand_in(V1, "Pad", padding=1, fill=(0, 1, 2), padding_mode="constant"), "is more than a spec can say"),
    (stand_in(V1, "Normalize", mean=[0.5], std=[0.0]), "Normalize cannot be said: .*must be above 0"),
]


@pytest.mark.parametrize(("transform", "sentence"), REFUSED, ids=[sentence[:30] for _, sentence in REFUSED])
def test_what_a_spec_cannot_say_is_refused_by_name(transform: Any, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence) as caught:
        from_transform(transform, origin="mine:val")
    assert str(caught.value).startswith("mine:val: ")
    assert "--preset" in str(caught.value)
