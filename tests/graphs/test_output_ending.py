"""What a graph does to its output last, on graphs written out here and on a real one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit.graphs import Ending, ending_of

WriteModel = Callable[..., Path]


def _graph(body: str, *, result: str = "float[N,3] y", given: str = "") -> str:
    return f'<ir_version: 8, opset_import: ["" : 17]> g (float[N,3] x) => ({result}) {given} {{ {body} }}'


QUANTISED = "<float s = {0.5}, uint8 z = {3}, int64[2] shape = {-1, 3}>"
WEIGHTS = "<float[3, 3] w = {1, 0, 0, 0, 1, 0, 0, 0, 1}, float[1] v = {0.5}>"


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        (_graph("y = Relu(x)"), Ending()),
        (_graph("y = Softmax<axis=1>(x)"), Ending("softmax")),
        (_graph("p = Sigmoid(x) f = Flatten(p) y = Identity(f)"), Ending("sigmoid")),
        (_graph("l = MatMul(x, w) b = Add(l, v) y = Identity(b)", given=WEIGHTS), Ending(affine=True)),
        (_graph("l = MatMul(x, w) y = ReduceMean<axes=[0]>(l)", given=WEIGHTS), Ending(affine=True)),
        (_graph("p = Softmax<axis=1>(x) y = MatMul(p, w)", given=WEIGHTS), Ending()),  # classes put together
        (_graph("a = Exp(x) t = Tanh(x) y = MatMul(a, t)"), Ending()),
        (_graph("t = Tanh(x) h = Mul(t, v) y = Add(h, v)", given=WEIGHTS), Ending()),  # a sigmoid in other words
        (_graph("p = Softmax<axis=1>(x) y = Relu(p)"), Ending()),  # something else comes after
        (
            _graph("q = QuantizeLinear(x, s, z) y = Reshape(q, shape)", result="uint8[N,3] y", given=QUANTISED),
            Ending(None, 0.5, 3),
        ),
        (
            _graph("p = Softmax<axis=1>(x) y = QuantizeLinear(p, s, z)", result="uint8[N,3] y", given=QUANTISED),
            Ending("softmax", 0.5, 3),
        ),
        (
            _graph("y = QuantizeLinear(x, s)", result="uint8[N,3] y", given="<float s = {0.25}>"),
            Ending(None, 0.25, 0),
        ),
        (
            _graph("s = Constant<value_float = 1.0>() y = QuantizeLinear(x, s)", result="uint8[N,3] y"),
            Ending(),
        ),
    ],
)
def test_endings(write_model: WriteModel, tmp_path: Path, text: str, ending: Ending) -> None:
    assert ending_of(write_model(tmp_path / "m.onnx", text, None), "y") == ending


def test_a_real_dynamically_quantised_classifier_ends_in_a_layer(shared: Path) -> None:
    assert ending_of(shared / "models" / "mobilenet_v2_int8.onnx", "output") == Ending(affine=True)


def test_a_real_quantised_classifier(shared: Path) -> None:
    path = shared / "models" / "mobilenet_v1_025_128_uint8_nhwc.onnx"
    assert ending_of(path, "MobilenetV1/Predictions/Reshape_1") == Ending("softmax", 1 / 256, 0)
