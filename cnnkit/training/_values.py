"""Pixels to the network's numbers, as tables that the spec's own values fill."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnkit import images
from cnnkit.spec import ModelSpec

__all__ = ["Values", "mean_and_std", "value_table"]


class Values:
    """uint8 (n, H, W, C) on any device to float32 (n, C, H, W), each number bit for bit that of `Preprocess.values`.

    Values depend on one pixel of one channel alone, so 256 entries a channel hold all of them.
    """

    def __init__(self, spec: ModelSpec, device: torch.device) -> None:
        self._table = torch.from_numpy(value_table(spec)).to(device)
        self._order = (2, 1, 0) if spec.input.channels == "BGR" else range(spec.input.n_channels)

    def __call__(self, pixels: Tensor) -> Tensor:
        levels = [pixels[..., channel].int() for channel in self._order]
        planes = [
            table.index_select(0, plane.flatten()).view(plane.shape)
            for table, plane in zip(self._table, levels, strict=True)
        ]
        return planes[0][:, None] if len(planes) == 1 else torch.stack(planes, dim=1)


def value_table(spec: ModelSpec) -> NDArray[np.float32]:
    """(C, 256): what the spec makes of each level of each channel, channels in the network's order."""
    column = spec.model_copy(update={"input": spec.input.model_copy(update={"size": (256, 1)})})
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], spec.input.n_channels, axis=2)
    return np.ascontiguousarray(images.Preprocess(column).values(ramp)[:, :, 0], dtype=np.float32)


def mean_and_std(levels: NDArray[np.int64], spec: ModelSpec) -> tuple[float, float]:
    """One mean and one standard deviation (divided by n) over all pixels, after the spec's own values.

    `levels` (256,) counts the pixels of each level. Pixels that are all of one level get the deviation 1.
    """
    values = value_table(spec)[0].astype(np.float64)
    mean = float((levels * values).sum() / levels.sum())
    variance = float((levels * (values - mean) ** 2).sum() / levels.sum())
    return mean, variance**0.5 if np.count_nonzero(levels) > 1 else 1.0
