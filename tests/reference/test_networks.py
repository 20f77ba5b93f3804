"""A network's layers, the graph of the same weights run node by node, and onnxruntime agree."""

import numpy as np
import onnx
import onnx.numpy_helper
import pytest

from cnnkit.reference import NETWORKS, Node, execute

GRAPHS = {
    "digits": ("float[N,1,8,8] image", "pads=[1,1,1,1]", ("conv", "dense", "out")),
    "simple_convnet": ("float[N,1,28,28] image", "pads=[0,0,0,0]", ("conv1", "affine1", "affine2")),
}


def graph(net, parameters):
    image, pads, (conv, dense, out) = GRAPHS[net]
    body = f"""{{
        a = Conv<{pads}>(image, {conv}.weight, {conv}.bias)
        b = Relu(a)
        c = MaxPool<kernel_shape=[2,2], strides=[2,2]>(b)
        d = Flatten(c)
        e = Gemm<transB=1>(d, {dense}.weight, {dense}.bias)
        f = Relu(e)
        logits = Gemm<transB=1>(f, {out}.weight, {out}.bias)
    }}""".replace(".", "_")
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]> g ({image}) => (float[N,10] logits) {body}'
    )
    for name, value in parameters.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name.replace(".", "_")))
    return model


@pytest.mark.parametrize("net", GRAPHS)
def test_three_ways_to_the_same_outputs(net, random):
    import onnxruntime

    network = NETWORKS[net](random)
    size = 8 if net == "digits" else 28
    images = random.standard_normal((5, 1, size, size)).astype(np.float32)
    model = graph(net, network.parameters)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    nodes = [
        Node(
            node.op_type, node.input, node.output, {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        )
        for node in model.graph.node
    ]
    weights = {name.replace(".", "_"): value for name, value in network.parameters.items()}
    layers = network.logits(images, batch_size=2)
    np.testing.assert_allclose(layers, session.run(None, {"image": images})[0], atol=1e-5)
    np.testing.assert_allclose(layers, execute(nodes, weights, {"image": images}, ["logits"])["logits"], atol=1e-5)


@pytest.mark.parametrize(("net", "std", "bias"), [("digits", 0.1, 0.1), ("simple_convnet", 0.01, 0.0)])
def test_weights_start_as_they_should(net, std, bias):
    parameters = NETWORKS[net](np.random.default_rng(0)).parameters
    dense = max((value for value in parameters.values()), key=lambda value: value.size)
    assert dense.std() == pytest.approx(std, rel=0.02)
    biases = np.concatenate([value for name, value in parameters.items() if name.endswith("bias")])
    assert biases.std() == pytest.approx(bias, rel=0.2)
