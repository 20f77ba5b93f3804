"""Weights and arithmetic in 16 bits."""

import warnings
from typing import Any


def to_half(model: Any, *, inputs_too: bool = False) -> Any:
    """A copy that computes in float16; inputs and outputs stay float32 unless `inputs_too`.

    onnxruntime's own conversion: values beyond float16's range are clipped, operators without a float16 form keep
    float32 with casts around them.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    half = onnx.ModelProto()
    half.CopyFrom(model)
    with warnings.catch_warnings(action="ignore"):  # a word for each small weight that becomes the smallest there is
        return convert_float_to_float16(half, keep_io_types=not inputs_too)
