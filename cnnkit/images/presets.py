"""Preprocessing that many models share, by name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cnnkit.errors import UsageError
from cnnkit.spec import CenterCrop, Channels, Normalize, Operation, Rescale, Resize, ToGray

__all__ = ["PRESETS", "Preset", "preset"]

CROP_SHARE = 0.875  # 224 of 256


@dataclass(frozen=True, slots=True)
class Preset:
    """`values` are in the order of `channels`. `crop_share`: short side of the crop over that of the resized picture.

    `letterbox` is how a detector's picture is fitted; None: stretched to the input's size.
    """

    channels: Channels = "RGB"
    values: tuple[Rescale | Normalize, ...] = ()
    crop_share: float | None = CROP_SHARE
    letterbox: str | None = None


_TO_UNIT = Rescale(scale=1 / 255)

PRESETS = {
    "imagenet": Preset(values=(_TO_UNIT, Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)))),
    "imagenet-caffe": Preset("BGR", values=(Normalize(mean=(103.939, 116.779, 123.68), std=(1.0, 1.0, 1.0)),)),
    "tf": Preset(values=(Rescale(scale=1 / 127.5, offset=-1.0),)),
    "raw": Preset(),
    "ultralytics": Preset(values=(_TO_UNIT,), crop_share=1.0, letterbox="center"),
    "yolox": Preset("BGR", crop_share=None, letterbox="top_left"),
}


def preset(
    name: str, *, size: tuple[int, int], channels: int = 3, task: str = "classification"
) -> tuple[Channels, tuple[Operation, ...]]:
    """Give the channel order and the operations of a preset.

    Args:
        name: one of PRESETS.
        size: the input's (height, width).
        channels: how many the input takes; with 1 the picture becomes grey and mean and std are averaged.
        task: a classifier's picture is resized and its centre cut out, a detector's is kept whole.

    Raises:
        UsageError: an unknown name, or channels other than 1 and 3.

    >>> [op.op for op in preset("imagenet", size=(224, 224))[1]]
    ['resize', 'center_crop', 'rescale', 'normalize']
    """
    if name not in PRESETS:
        raise UsageError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    if channels not in (1, 3):
        raise UsageError(f"preset {name!r}: the input has {channels} channels; presets are for 1 or 3")
    chosen = PRESETS[name]
    operations = (*_geometry(chosen, size, task), *chosen.values)
    if channels == 3:
        return chosen.channels, operations
    return "GRAY", (ToGray(), *(_averaged(operation) for operation in operations))


def _geometry(chosen: Preset, size: tuple[int, int], task: str) -> list[Operation]:
    if chosen.letterbox is not None and (task == "detection" or chosen.crop_share is None):
        align = "center" if chosen.letterbox == "center" else "top_left"
        return [Resize(size=size, mode="letterbox", filter="linear", implementation="opencv", align=align)]
    if task == "detection":
        return [Resize(size=size, mode="exact")]
    assert chosen.crop_share is not None
    # from the longer side, so that an oblong crop fits into a square picture
    return [Resize(size=math.floor(max(size) / chosen.crop_share)), CenterCrop(size=size)]


def _averaged(operation: Operation) -> Operation:
    if isinstance(operation, Normalize):
        return Normalize(mean=(_mean(operation.mean),), std=(_mean(operation.std),))
    return operation


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
