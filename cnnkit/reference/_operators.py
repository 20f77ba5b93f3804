"""The ONNX operators that can be computed here, each from its standard's words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import ModelError
from cnnkit.reference._activations import relu, sigmoid, softmax
from cnnkit.reference._batch_norm import batch_norm
from cnnkit.reference._convolution import convolution
from cnnkit.reference._pooling import average_pool, global_average_pool, global_max_pool, max_pool
from cnnkit.reference._windows import Padding

__all__ = ["OPERATORS", "Call"]

Value = NDArray[Any]
Result = Value | tuple[Value, ...]


@dataclass(frozen=True)
class Call:
    """What a node computes on: its inputs in order (None where one is left out), attributes, opset, output count."""

    inputs: Sequence[Value | None]
    attributes: Mapping[str, Any]
    opset: int
    n_outputs: int = 1

    def __getitem__(self, at: int) -> Value:
        value = self.optional(at)
        if value is None:
            raise ModelError(f"input {at} is left out")
        return value

    def optional(self, at: int) -> Value | None:
        return self.inputs[at] if at < len(self.inputs) else None

    def get(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    def text(self, name: str, default: str) -> str:
        value = self.get(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)

    def pair(self, name: str, default: tuple[int, int]) -> tuple[int, int]:
        values = self.get(name, default)
        if len(values) != 2:
            raise ModelError(f"{name} {list(values)} is not for pictures: only two axes are computed here")
        return int(values[0]), int(values[1])

    def integers(self, name: str, at: int) -> list[int] | None:
        """Whole numbers that older opsets take as an attribute and newer ones as an input."""
        value = self.get(name) if name in self.attributes else self.optional(at)
        return None if value is None else [int(number) for number in np.ravel(value)]

    def padding(self) -> Padding:
        match self.text("auto_pad", "NOTSET"):
            case "SAME_UPPER":
                return "same"
            case "SAME_LOWER":
                return "same_lower"
            case "VALID":
                return "valid"
        top, left, bottom, right = self.get("pads", (0, 0, 0, 0))
        return int(top), int(left), int(bottom), int(right)


def _conv(call: Call) -> Result:
    weight = call[1]
    if weight.ndim != 4:
        raise ModelError(f"the weight has shape {weight.shape}: only convolutions over pictures are computed here")
    return convolution(
        call[0],
        weight,
        call.optional(2),
        stride=call.pair("strides", (1, 1)),
        padding=call.padding(),
        dilation=call.pair("dilations", (1, 1)),
        groups=int(call.get("group", 1)),
    )


def _max_pool(call: Call) -> Result:
    if call.n_outputs > 1:
        raise ModelError("the places of the largest values (a second output) are not computed here")
    return max_pool(
        call[0],
        call.pair("kernel_shape", (1, 1)),
        stride=call.pair("strides", (1, 1)),
        padding=call.padding(),
        dilation=call.pair("dilations", (1, 1)),
        ceil=bool(call.get("ceil_mode", 0)),
    )


def _average_pool(call: Call) -> Result:
    return average_pool(
        call[0],
        call.pair("kernel_shape", (1, 1)),
        stride=call.pair("strides", (1, 1)),
        padding=call.padding(),
        dilation=call.pair("dilations", (1, 1)),
        ceil=bool(call.get("ceil_mode", 0)),
        count_padding=bool(call.get("count_include_pad", 0)),
    )


def _gemm(call: Call) -> Result:
    a, b = call[0], call[1]
    a = a.T if call.get("transA", 0) else a
    b = b.T if call.get("transB", 0) else b
    y = _scaled(a @ b, call.get("alpha", 1.0))
    c = call.optional(2)
    return y if c is None else y + _scaled(c, call.get("beta", 1.0))


def _scaled(value: Value, factor: float) -> Value:
    return value if factor == 1 else value * value.dtype.type(factor)


def _softmax(call: Call) -> Result:
    x = call[0]
    if call.opset >= 13:
        return softmax(x, axis=int(call.get("axis", -1)))
    axis = int(call.get("axis", 1)) % x.ndim  # until opset 12, all axes from this one on were one
    return softmax(x.reshape(*x.shape[:axis], -1)).reshape(x.shape)


def _batch_normalization(call: Call) -> Result:
    if call.get("training_mode", 0):
        raise ModelError("it is in training mode, which a model that is run is not")
    x, gamma, beta, mean, variance = (call[at] for at in range(5))
    return batch_norm(x, gamma, beta, mean, variance, epsilon=float(call.get("epsilon", 1e-5)))


def _dropout(call: Call) -> Result:
    training = call.optional(2)
    if training is not None and bool(training):
        raise ModelError("it is in training mode, which a model that is run is not")
    return (call[0], np.ones(call[0].shape, bool))[: call.n_outputs]


def _flatten(call: Call) -> Result:
    x, axis = call[0], int(call.get("axis", 1))
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(int(np.prod(x.shape[:axis], dtype=np.int64)), -1)


def _reshape(call: Call) -> Result:
    x, wanted = call[0], call.integers("shape", 1) or []
    if not call.get("allowzero", 0):
        wanted = [x.shape[at] if length == 0 else length for at, length in enumerate(wanted)]
    return x.reshape(wanted)


def _concat(call: Call) -> Result:
    return np.concatenate([call[at] for at in range(len(call.inputs))], axis=int(call.get("axis", 1)))


def _lrn(call: Call) -> Result:
    """Divide by the neighbours: x / (bias + alpha / size sum of x^2 over `size` channels around each)^beta."""
    x, size = call[0], int(call.get("size", 1))
    before, channels = (size - 1) // 2, x.shape[1]
    squares = np.pad(x * x, [(0, 0), (before, size - 1 - before), *[(0, 0)] * (x.ndim - 2)])
    total = sum(squares[:, at : at + channels] for at in range(size))
    kind = x.dtype.type
    scale = kind(call.get("alpha", 1e-4) / size)
    return np.asarray(x / (kind(call.get("bias", 1.0)) + scale * total) ** kind(call.get("beta", 0.75)))


def _clip(call: Call) -> Result:
    low = call.get("min") if "min" in call.attributes else call.optional(1)
    high = call.get("max") if "max" in call.attributes else call.optional(2)
    x = call[0]
    return np.asarray(
        np.clip(x, None if low is None else x.dtype.type(low), None if high is None else x.dtype.type(high))
    )


def _hard_sigmoid(x: Value, alpha: float, beta: float) -> Value:
    kind = x.dtype.type
    return np.asarray(np.clip(x * kind(alpha) + kind(beta), kind(0), kind(1)))


def _reduce_mean(call: Call) -> Result:
    x, axes = call[0], call.integers("axes", 1)
    if axes is None and call.get("noop_with_empty_axes", 0):
        return x
    return np.asarray(x.mean(axis=None if axes is None else tuple(axes), keepdims=bool(call.get("keepdims", 1))))


def _squeeze(call: Call) -> Result:
    axes = call.integers("axes", 1)
    return call[0].squeeze(None if axes is None else tuple(axes))


def _unsqueeze(call: Call) -> Result:
    return np.expand_dims(call[0], tuple(call.integers("axes", 1) or ()))


def _transpose(call: Call) -> Result:
    return call[0].transpose(call.get("perm"))


def _constant(call: Call) -> Result:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in call.attributes:
            kind = {"value_float": np.float32, "value_floats": np.float32}.get(name)
            return np.asarray(call.attributes[name], dtype=kind)
    raise ModelError(f"a constant of {', '.join(call.attributes)} is not computed here")


def _shape(call: Call) -> Result:
    sizes = call[0].shape[call.get("start", 0) : call.get("end")]
    return np.array(sizes, np.int64)


OPERATORS: dict[str, Callable[[Call], Result]] = {
    "Add": lambda call: call[0] + call[1],
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Clip": _clip,
    "Concat": _concat,
    "Constant": _constant,
    "Conv": _conv,
    "Div": lambda call: call[0] / call[1],
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda call: global_average_pool(call[0]),
    "GlobalMaxPool": lambda call: global_max_pool(call[0]),
    "HardSigmoid": lambda call: _hard_sigmoid(call[0], call.get("alpha", 0.2), call.get("beta", 0.5)),
    "HardSwish": lambda call: call[0] * _hard_sigmoid(call[0], 1 / 6, 0.5),
    "Identity": lambda call: call[0],
    "LRN": _lrn,
    "MatMul": lambda call: call[0] @ call[1],
    "MaxPool": _max_pool,
    "Mul": lambda call: call[0] * call[1],
    "ReduceMean": _reduce_mean,
    "Relu": lambda call: relu(call[0]),
    "Reshape": _reshape,
    "Shape": _shape,
    "Sigmoid": lambda call: sigmoid(call[0]),
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "Sub": lambda call: call[0] - call[1],
    "Tanh": lambda call: np.asarray(np.tanh(call[0])),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
