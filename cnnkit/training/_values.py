"""Pixels to the network's numbers, as tables that the spec's own values fill."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnkit import images
from cnnkit.spec import ModelSpec

__all__ = ["Values"]


class Values:
    """uint8 (n, H, W, C) on any device to float32 (n, C, H, W), each number bit for bit that of `Preprocess.values`.

    Values depend on one pixel of one channel alone, so 256 entries a channel hold all of them.
    """

    def __init__(self, spec: ModelSpec, device: torch.device) -> None:
        column = spec.model_copy(update={"input": spec.input.model_copy(update={"size": (256, 1)})})
        n_channels = spec.input.n_channels
        ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None], (256, 1, n_channels))
        table = images.Preprocess(column).values(np.ascontiguousarray(ramp))  # (C, 256, 1)
        self._table = torch.from_numpy(np.ascontiguousarray(table[:, :, 0], dtype=np.float32)).to(device)
        self._order = (2, 1, 0) if spec.input.channels == "BGR" else range(n_channels)

    def __call__(self, pixels: Tensor) -> Tensor:
        planes = [table[pixels[..., channel].int()] for table, channel in zip(self._table, self._order, strict=True)]
        return torch.stack(planes, dim=1)


def mean_and_std(levels: NDArray[np.int64], scale: float) -> tuple[float, float]:
    """One mean and one standard deviation (divided by n) over all pixels, times `scale`; `levels` is (C, 256) counts.

    A set of one single grey gets the deviation 1, so that nothing is divided by 0.

    >>> mean_and_std(np.array([[1, 1] + [0] * 254]), 1.0)
    (0.5, 0.5)
    """
    counts = levels.sum(axis=0).astype(np.float64)
    grey = np.arange(256) * scale
    mean = float((counts * grey).sum() / counts.sum())
    variance = float((counts * (grey - mean) ** 2).sum() / counts.sum())
    return mean, variance**0.5 or 1.0
