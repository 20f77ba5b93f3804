"""Presets by name: what each one does to a picture."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnnkit.errors import UsageError
from cnnkit.images import PRESETS, Preprocess, preset
from cnnkit.spec import CenterCrop, ModelSpec, Normalize, Rescale, Resize

IMAGENET = Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
UNIT = Rescale(scale=1 / 255)
CROP = CenterCrop(size=(224, 224))
SHORT = Resize(size=256)

WANTED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "imagenet": ("RGB", (SHORT, CROP, UNIT, IMAGENET)),
    "imagenet-caffe": ("BGR", (SHORT, CROP, Normalize(mean=(103.939, 116.779, 123.68), std=(1, 1, 1)))),
    "tf": ("RGB", (SHORT, CROP, Rescale(scale=1 / 127.5, offset=-1))),
    "raw": ("RGB", (SHORT, CROP)),
    "ultralytics": ("RGB", (Resize(size=224), CROP, UNIT)),
    "yolox": (
        "BGR",
        (
            Resize(
                size=(224, 224), mode="letterbox", filter="linear", implementation="opencv", fill=114, align="top_left"
            ),
        ),
    ),
}


def test_every_preset_is_here() -> None:
    assert list(WANTED) == list(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_classification(name: str) -> None:
    assert preset(name, size=(224, 224)) == WANTED[name]


def test_detection_keeps_the_whole_picture() -> None:
    assert preset("ultralytics", size=(640, 480), task="detection") == (
        "RGB",
        (Resize(size=(640, 480), mode="letterbox", filter="linear", implementation="opencv"), UNIT),
    )
    assert preset("yolox", size=(224, 224), task="detection") == WANTED["yolox"]
    assert preset("raw", size=(352, 352), task="detection") == ("RGB", (Resize(size=(352, 352), mode="exact"),))


def test_one_channel_becomes_grey_with_averaged_values() -> None:
    channels, operations = preset("imagenet", size=(28, 28), channels=1)
    assert channels == "GRAY"
    assert [operation.op for operation in operations] == ["to_gray", "resize", "center_crop", "rescale", "normalize"]
    assert isinstance(operations[-1], Normalize)
    assert operations[-1].mean == pytest.approx([0.449])
    assert operations[-1].std == pytest.approx([0.226])


def test_the_short_side_is_rounded_down() -> None:
    assert preset("tf", size=(299, 299))[1][0] == Resize(size=341)  # 341.71


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("task", ["classification", "detection"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(224, 224), (32, 100)])
def test_every_preset_ends_at_the_input(
    make_spec: Callable[..., ModelSpec], name: str, task: str, channels: int, size: tuple[int, int]
) -> None:
    order, operations = preset(name, size=size, channels=channels, task=task)
    spec = make_spec(*operations, size=size, channels=order)
    values, geometry = Preprocess(spec)(np.full((77, 131, 3), 255, np.uint8))
    assert values.shape == (channels, *size)
    assert geometry.input_size == size


def test_wrong_names_are_answered_with_the_right_ones() -> None:
    names = "imagenet, imagenet-caffe, tf, raw, ultralytics, yolox"
    with pytest.raises(UsageError, match=re.escape(f"no preset 'torch'; there are {names}")):
        preset("torch", size=(1, 1))
    with pytest.raises(UsageError, match="preset 'raw': the input has 4 channels; presets are for 1 or 3"):
        preset("raw", size=(1, 1), channels=4)
