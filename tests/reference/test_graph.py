"""Graphs run node by node, against onnxruntime and onnx's own reference."""

import numpy as np
import onnx
import onnx.numpy_helper
import pytest

from cnnkit.errors import ModelError
from cnnkit.reference import Node, execute, missing_operators


def described(model):
    """An ONNX model as plain nodes and arrays."""
    nodes = [
        Node(
            node.op_type,
            list(node.input),
            list(node.output),
            {attribute.name: plain(attribute) for attribute in node.attribute},
            node.name,
        )
        for node in model.graph.node
    ]
    return nodes, {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def plain(attribute):
    value = onnx.helper.get_attribute_value(attribute)
    return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def run_ours(model, feeds, **how):
    nodes, initializers = described(model)
    outputs = [output.name for output in model.graph.output]
    values = execute(nodes, initializers, feeds, outputs, opset=model.opset_import[0].version, **how)
    return [values[name] for name in outputs]


def run_onnxruntime(model, feeds):
    import onnxruntime

    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)


def parsed(body, *, inputs, outputs, opset=18):
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]>\ng ({inputs}) => ({outputs}) {body}')


def of_one_node(node, *shapes, opset=18):
    """y = node over inputs a, b, c ... of these shapes."""
    inputs = ", ".join(
        f"float[{','.join(map(str, shape))}] {name}" for name, shape in zip("abcde", shapes, strict=False)
    )
    return parsed(f"{{ y = {node} }}", inputs=inputs, outputs="float[] y", opset=opset)


PICTURE = (2, 4, 9, 8)

ONE_NODE = [
    ("Conv(a, b)", PICTURE, (6, 4, 3, 3)),
    ("Conv(a, b, c)", PICTURE, (6, 4, 3, 3), (6,)),
    ("Conv<strides=[2,1], pads=[1,0,2,1]>(a, b)", PICTURE, (6, 4, 3, 3)),
    ("Conv<dilations=[2,3], group=2>(a, b)", PICTURE, (6, 2, 3, 2)),
    ('Conv<auto_pad="SAME_UPPER", strides=[2,2]>(a, b)', PICTURE, (6, 4, 3, 2)),
    ('Conv<auto_pad="SAME_LOWER", strides=[2,2]>(a, b)', PICTURE, (6, 4, 3, 2)),
    ('Conv<auto_pad="VALID">(a, b)', PICTURE, (6, 4, 3, 2)),
    ("MaxPool<kernel_shape=[3,2]>(a)", PICTURE),
    ("MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], ceil_mode=1>(a)", PICTURE),
    ("MaxPool<kernel_shape=[2,2], dilations=[2,2]>(a)", PICTURE),
    ("AveragePool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,0,0]>(a)", PICTURE),
    ("AveragePool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], count_include_pad=1>(a)", PICTURE),
    ("AveragePool<kernel_shape=[3,3], strides=[2,2], ceil_mode=1>(a)", PICTURE),
    ("GlobalAveragePool(a)", PICTURE),
    ("GlobalMaxPool(a)", PICTURE),
    ("Gemm(a, b)", (3, 4), (4, 5)),
    ("Gemm<transA=1, transB=1, alpha=0.5, beta=2.0>(a, b, c)", (4, 3), (5, 4), (5,)),
    ("MatMul(a, b)", (2, 3, 4), (4, 5)),
    ("Add(a, b)", PICTURE, (4, 1, 1)),
    ("Sub(a, b)", PICTURE, (8,)),
    ("Mul(a, b)", PICTURE, (4, 1, 1)),
    ("Div(a, b)", PICTURE, (4, 1, 1)),
    ("Relu(a)", PICTURE),
    ("Sigmoid(a)", PICTURE),
    ("Tanh(a)", PICTURE),
    ("HardSigmoid<alpha=0.3>(a)", PICTURE),
    ("HardSwish(a)", PICTURE),
    ("Softmax(a)", PICTURE),
    ("Softmax<axis=1>(a)", PICTURE),
    ("BatchNormalization<epsilon=0.01>(a, b, c, d, e)", PICTURE, (4,), (4,), (4,), (4,)),
    ("Flatten(a)", PICTURE),
    ("Flatten<axis=0>(a)", PICTURE),
    ("Flatten<axis=-1>(a)", PICTURE),
    ("Concat<axis=1>(a, b)", PICTURE, (2, 3, 9, 8)),
    ("Concat<axis=-1>(a, b)", PICTURE, (2, 4, 9, 1)),
    ("Dropout(a)", PICTURE),
    ("Identity(a)", PICTURE),
    ("LRN<size=3>(a)", PICTURE),
    ("LRN<size=5, alpha=0.5, beta=0.6, bias=2.0>(a)", PICTURE),
    ("Clip(a)", PICTURE),
    ("ReduceMean<keepdims=0>(a)", PICTURE),
    ("Transpose<perm=[0,2,3,1]>(a)", PICTURE),
    ("Transpose(a)", PICTURE),
]


@pytest.mark.parametrize(
    ("node", "shapes"), [(node, shapes) for node, *shapes in ONE_NODE], ids=[c[0] for c in ONE_NODE]
)
def test_each_operator_is_onnxruntimes(node, shapes, random):
    model = of_one_node(node, *shapes)
    feeds = {name: random.random(shape, np.float32) + 0.1 for name, shape in zip("abcde", shapes, strict=False)}
    feeds["a"] -= 0.7
    [found], [expected] = run_ours(model, feeds), run_onnxruntime(model, feeds)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("body", "opset"),
    [
        ("{ s = Constant<value = int64[3] {0, -1, 2}>()  y = Reshape(a, s) }", 18),
        ("{ s = Constant<value_ints = [2, 72, -1]>()  y = Reshape(a, s) }", 18),
        ("{ s = Constant<value_float = 0.25>()  t = Constant<value_float = 0.5>()  y = Clip(a, s, t) }", 18),
        ("{ t = Constant<value_float = 0.5>()  y = Clip(a, , t) }", 18),
        ("{ y = Clip<min=0.2, max=0.6>(a) }", 9),
        ("{ y = Softmax(a) }", 11),
        ("{ y = Softmax<axis=2>(a) }", 11),
        ("{ y, m = Dropout(a) }", 18),
        ("{ s = Constant<value_ints = [2, 3]>()  y = ReduceMean(a, s) }", 18),
        ("{ y = ReduceMean<axes=[2,3], keepdims=0>(a) }", 13),
        ("{ s = Constant<value_ints = [1]>()  y = Unsqueeze(a, s) }", 18),
        ("{ p = GlobalMaxPool(a) s = Constant<value_ints = [2, 3]>()  y = Squeeze(p, s) }", 18),
        ("{ p = GlobalMaxPool(a) y = Squeeze<axes=[2,3]>(p) }", 11),
        ("{ f = Shape<end=1>(a) r = Constant<value_ints=[-1]>() s = Concat<axis=0>(f, r) y = Reshape(a, s) }", 18),
    ],
)
def test_forms_that_changed_with_the_opset(body, opset, random):
    model = parsed(body, inputs="float[2,4,9,8] a", outputs="float[] y", opset=opset)
    feeds = {"a": random.random(PICTURE, np.float32)}
    [found], [expected] = run_ours(model, feeds), run_onnxruntime(model, feeds)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_float64_is_closer_than_float32(random):
    model = of_one_node("Conv(a, b)", (1, 64, 5, 5), (8, 64, 5, 5))
    feeds = {"a": random.random((1, 64, 5, 5), np.float32), "b": random.random((8, 64, 5, 5), np.float32)}
    [exact] = run_ours(model, feeds, dtype=np.float64)
    expected = np.einsum("ncij,fcij->nf", feeds["a"], feeds["b"], dtype=np.float64)
    assert exact.dtype == np.float64
    np.testing.assert_allclose(exact[..., 0, 0], expected, rtol=1e-13)


def test_values_between_nodes_can_be_asked_for(random):
    model = parsed("{ h = Relu(a)  y = GlobalAveragePool(h) }", inputs="float[2,4,9,8] a", outputs="float[] y")
    nodes, initializers = described(model)
    a = random.standard_normal(PICTURE).astype(np.float32)
    values = execute(nodes, initializers, {"a": a}, ["h", "y"])
    np.testing.assert_array_equal(values["h"], np.maximum(a, 0))


def test_an_even_neighbourhood_reaches_further_behind(random):
    model = of_one_node("LRN<size=4, alpha=0.5, beta=0.75>(a)", PICTURE)  # onnxruntime takes odd sizes only
    a = random.random(PICTURE, np.float32)
    sums = np.stack([(a[:, max(0, c - 1) : c + 3] ** 2).sum(axis=1) for c in range(4)], axis=1)
    np.testing.assert_allclose(run_ours(model, {"a": a})[0], a / (1 + 0.5 / 4 * sums) ** 0.75, rtol=1e-5)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ("Erf(a)", "the graph has Erf, which the NumPy witness does not compute; it has Add, "),
        ("Conv(a, b)", r"Conv 'y' does not fit its inputs \(2, 4, 9, 8\), \(3, 3, 1, 1\): x has 4 channels"),
        ("Conv(b, c)", r"Conv 'y': the weight has shape \(3, 3, 1\): only convolutions over pictures"),
        ("Add(a, gone)", "Add 'y' takes 'gone', which nothing before it makes"),
        ("Gemm(a, )", "Gemm 'y': input 1 is left out"),
        ("MaxPool<kernel_shape=[2]>(a)", r"MaxPool 'y': kernel_shape \[2\] is not for pictures"),
    ],
)
def test_what_cannot_be_run_is_named(node, text):
    nodes, _ = described(of_one_node(node, PICTURE))
    feeds = {
        name: np.zeros(shape, np.float32) for name, shape in (("a", PICTURE), ("b", (3, 3, 1, 1)), ("c", (3, 3, 1)))
    }
    with pytest.raises(ModelError, match=text):
        execute(nodes, {}, feeds, ["y"])


def test_training_mode_is_refused():
    a, one = np.zeros(PICTURE, np.float32), np.ones(4, np.float32)
    norm = Node("BatchNormalization", ["a", *["one"] * 4], ["y"], {"training_mode": 1})
    drop = Node("Dropout", ["a", "", "yes"], ["y"])
    for node in (norm, drop):
        with pytest.raises(ModelError, match="it is in training mode"):
            execute([node], {"one": one, "yes": np.array(True)}, {"a": a}, ["y"])


def test_an_output_that_nobody_makes_is_named():
    with pytest.raises(ModelError, match="no node of the graph makes 'z'"):
        execute([Node("Relu", ["a"], ["y"])], {}, {"a": np.zeros(1)}, ["z"])


def test_missing_operators_are_listed_once():
    nodes = [Node(kind, ["a"], ["b"]) for kind in ("Relu", "Erf", "Loop", "Erf")]
    assert missing_operators(nodes) == ["Erf", "Loop"]


@pytest.mark.parametrize(
    ("name", "shape", "scale"),
    [
        ("mnist_convnet_maxpool.onnx", (1, 1, 28, 28), 1),
        ("mnist_zoo.onnx", (1, 1, 28, 28), 255),
        ("cifar10_tutorial.onnx", (4, 3, 32, 32), 1),
        ("squeezenet_fp16.onnx", (1, 3, 224, 224), 50),
    ],
)
def test_real_models_agree_with_onnxruntime(shared, random, name, shape, scale):
    model = onnx.load(shared / "models" / name)
    weights = {tensor.name for tensor in model.graph.initializer}
    [fed] = [value for value in model.graph.input if value.name not in weights]
    half = fed.type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    image = (scale * random.random(shape)).astype(np.float16 if half else np.float32)
    [expected] = run_onnxruntime(model, {fed.name: image})
    [found] = run_ours(model, {fed.name: image}, dtype=np.float32)
    bound = (1e-2 if half else 1e-5) * (1 + np.abs(expected.astype(np.float64)).max())
    np.testing.assert_allclose(found, expected.astype(np.float64), atol=bound)
