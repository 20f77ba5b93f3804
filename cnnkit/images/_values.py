"""The values that a pixel's 256 levels become, worked out once."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.spec import ModelSpec, Normalize, Rescale

__all__ = ["value_table"]


def value_table(spec: ModelSpec) -> NDArray[np.generic]:
    """(C, 256) in the input's type: what each level of each channel becomes, channels in the model's order.

    The order and the roundings are torchvision's, so that `ToTensor` and `Normalize` give the same bits.
    """
    levels = np.tile(np.arange(256, dtype=np.float32), (spec.input.n_channels, 1))
    for operation in spec.value_operations:
        if isinstance(operation, Rescale):
            levels = (levels.astype(np.float64) * operation.scale + operation.offset).astype(np.float32)
        elif isinstance(operation, Normalize):
            mean, std = (np.array(v, np.float32)[:, None] for v in (operation.mean, operation.std))
            levels = (levels - mean) / std
    if spec.input.dtype in ("uint8", "int8"):
        limits = np.iinfo(spec.input.dtype)
        levels = np.clip(np.rint(levels), limits.min, limits.max)
    return levels.astype(spec.input.dtype)
