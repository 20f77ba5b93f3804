from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnnkit import graphs

# a course's digits network: conv 10 3x3, pad 1; pool 2; dense 100; dense 10
DIGITS = """
<ir_version: 10, opset_import: ["" : 17]>
digits (float[N,1,H,W] image) => (float[N,10] logits)
<float[10,1,3,3] w1, float[10] b1, float[100,160] w2, float[100] b2, float[10,100] w3, float[10] b3> {
    c = Conv<pads=[1,1,1,1]>(image, w1, b1)
    r = Relu(c)
    p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(r)
    shape = Shape(p)
    zero = Constant<value_int=0>()
    n = Gather(shape, zero)
    axes = Constant<value_ints=[0]>()
    n1 = Unsqueeze(n, axes)
    rest = Constant<value_ints=[-1]>()
    to = Concat<axis=0>(n1, rest)
    f = Reshape(p, to)
    d = Gemm<transB=1>(f, w2, b2)
    logits = Gemm<transB=1>(d, w3, b3)
}"""


def _model(text: str) -> onnx.ModelProto:
    """Parse, and make a weight of zeros of what has only a type."""
    model = onnx.parser.parse_model(text)
    for value in model.graph.value_info:
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(shape, np.float32), value.name))
    del model.graph.value_info[:]
    return model


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    path = tmp_path / "digits.onnx"
    onnx.save(_model(DIGITS), path)
    return path


def test_the_digits_network_by_hand(digits: Path) -> None:
    layers = graphs.layer_table(digits, size=(8, 8))
    assert [layer.op for layer in layers] == ["Conv", "Relu", "MaxPool", "Reshape", "Gemm", "Gemm"]
    assert [layer.output_shape for layer in layers][2:5] == [(1, 10, 4, 4), (1, 160), (1, 100)]
    assert [layer.parameters for layer in layers] == [100, 0, 0, 0, 16_100, 1_010]
    assert [layer.multiply_adds for layer in layers] == [64 * 10 * 9, 0, 0, 0, 16_000, 1_000]
    assert [layer.receptive_field for layer in layers] == [(3, 3), (3, 3), (4, 4), (4, 4), None, None]
    assert (layers[0].kernel, layers[0].stride, layers[0].padding) == ((3, 3), (1, 1), (1, 1, 1, 1))


def test_a_size_that_nobody_knows_stays_unknown(digits: Path) -> None:
    summary = graphs.summarize(digits)
    assert summary.layers[0].output_shape == (1, 10, None, None)
    assert summary.multiply_adds is None
    assert summary.parameters == 17_210
    assert summary.inputs[0].shape == ("N", 1, "H", "W")


@settings(max_examples=15, deadline=None)
@given(
    kernel=st.integers(1, 4), stride=st.integers(1, 3), padding=st.integers(0, 3), dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2, 4]),
)  # fmt: skip
def test_convolutions_against_torch(kernel: int, stride: int, padding: int, dilation: int, groups: int) -> None:
    conv = nn.Conv2d(4, 8, kernel, stride, padding, dilation, groups)
    expected = conv(torch.zeros(1, 4, 11, 13)).shape
    model = _model(f"""
        <ir_version: 10, opset_import: ["" : 17]>
        c (float[1,4,11,13] x) => (float[1,8,A,B] y) <float[8,{4 // groups},{kernel},{kernel}] w, float[8] b> {{
            y = Conv<strides=[{stride},{stride}], pads=[{padding},{padding},{padding},{padding}],
                     dilations=[{dilation},{dilation}], group={groups}>(x, w, b)
        }}""")
    (layer,) = graphs.layers_of(model)
    assert layer.output_shape == tuple(expected)
    assert layer.parameters == sum(p.numel() for p in conv.parameters())
    assert layer.multiply_adds == expected.numel() * kernel**2 * 4 // groups
    assert layer.receptive_field == ((kernel - 1) * dilation + 1,) * 2


def test_same_padding_is_worked_out() -> None:
    model = _model("""
        <ir_version: 10, opset_import: ["" : 17]>
        c (float[1,1,8,9] x) => (float[1,1,A,B] y) <float[1,1,3,4] w> {
            y = Conv<auto_pad="SAME_UPPER", strides=[2,2]>(x, w)
        }""")
    (layer,) = graphs.layers_of(model)
    assert layer.output_shape == (1, 1, 4, 5)
    assert layer.padding == (0, 1, 1, 2)


def test_a_shared_weight_counts_once_and_scales_do_not() -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 17]>
        c (float[1,2] x) => (float[1,2] y)
        <int8[2,2] q = {1, 2, 3, 4}, float s = {0.5}, int8 z = {0}> {
            w = DequantizeLinear(q, s, z)
            a = MatMul(x, w)
            y = MatMul(a, w)
        }""")
    layers = graphs.layers_of(model)
    assert [(layer.op, layer.parameters, layer.multiply_adds) for layer in layers] == [
        ("MatMul", 4, 4),
        ("MatMul", 0, 4),
    ]


def test_running_statistics_are_no_parameters() -> None:
    model = _model("""
        <ir_version: 10, opset_import: ["" : 17]>
        c (float[1,5,2,2] x) => (float[1,5,2,2] y) <float[5] g, float[5] b, float[5] m, float[5] v> {
            y = BatchNormalization(x, g, b, m, v)
        }""")
    (layer,) = graphs.layers_of(model)
    assert layer.parameters == sum(p.numel() for p in nn.BatchNorm2d(5).parameters())


# published: parameters within the statistics that batch normalisation left in the file, multiply-adds exactly
REAL = {
    "squeezenet_fp16": (1_235_496, 349_151_936),
    "mobilenet_v2_int8": (3_487_886, 300_774_272),
    "mobilenet_v1_025_128_uint8_nhwc": (467_593, 13_570_304),
    "mnist_convnet_maxpool": (11_690, 104_832),
}


@pytest.mark.parametrize("name", REAL)
def test_real_models(shared: Path, name: str) -> None:
    summary = graphs.summarize(shared / "models" / f"{name}.onnx")
    assert (summary.parameters, summary.multiply_adds) == REAL[name]
    assert all(layer.output_shape is not None for layer in summary.layers)


@pytest.mark.parametrize(
    ("name", "scopes", "module"),
    [
        ("node_x", "['', 'layer1', 'layer1.0', 'conv2d']", "layer1.0"),
        ("node_x", "['relu']", ""),
        ("/layer1/layer1.0/conv1/Conv", None, "layer1.0.conv1"),
        ("/Flatten", None, ""),
        ("Conv_3", None, None),
    ],
)
def test_the_module_that_a_node_came_from(name: str, scopes: str | None, module: str | None) -> None:
    node = onnx.helper.make_node("Relu", ["x"], ["y"], name=name)
    if scopes:
        node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=scopes)
    assert graphs.module_of(node) == module
