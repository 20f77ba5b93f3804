"""Tensors asked for by name, parts of graphs, stored kernels, and where a classifier pools."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from cnnkit import graphs
from cnnkit.errors import ModelError

# a colour detector: two kernels, ReLU, mean over the places, then 2 -> 3 scores
POOLED = """<ir_version: 8, opset_import: ["" : 17]>
pooled (float[N,3,H,W] image) => (float[N,3] p)
<float[2,3,1,1] kernels = {1, 0, 0, 0, 1, -1}, float[3,2] w = {1, 0, 0, 2, -1, 1}, float[3] b = {0.5, 0, -0.5}> {
    c = Conv(image, kernels)
    r = Relu(c)
    g = GlobalAveragePool(r)
    f = Flatten<axis=1>(g)
    logits = Gemm<transB=1>(f, w, b)
    p = Softmax<axis=1>(logits)
}"""
SQUEEZED = """<ir_version: 8, opset_import: ["" : 17]>
squeezed (float[N,3,H,W] image) => (float[N,3] p) {
    r = Relu(image)
    g = ReduceMean<axes=[-1, -2], keepdims=0>(r)
    p = Softmax<axis=1>(g)
}"""
WITH_FUNCTION = """<ir_version: 8, opset_import: ["" : 17, "own" : 1]>
outer (float[N,3,H,W] image) => (float[N,3] y) {
    a = own.act(image)
    y = ReduceMean<axes=[2, 3], keepdims=0>(a)
}
<domain: "own", opset_import: ["" : 17]>
act (x) => (z) {
    z = Relu(x)
}"""


def _session(model: Any) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_any_tensor_becomes_an_output() -> None:
    model = onnx.parser.parse_model(POOLED)
    session = _session(graphs.with_outputs(model, ["r", "g", "p"]))
    assert [value.name for value in session.get_outputs()] == ["p", "r", "g"]
    image = _image(2, 3, 4, 5)
    p, r, g = session.run(None, {"image": image})
    np.testing.assert_allclose(r[:, 0], np.maximum(image[:, 0], 0))
    np.testing.assert_allclose(g[:, :, 0, 0], r.mean(axis=(2, 3)), rtol=1e-5)
    assert len(model.graph.output) == 1, "the model that was given is left as it was"
    assert p.shape == (2, 3)


def test_a_tensor_inside_a_function_has_a_name_once_it_is_written_out() -> None:
    flat = graphs.inlined(onnx.parser.parse_model(WITH_FUNCTION))
    assert not flat.functions
    (layer,) = [layer for layer in graphs.layers_of(flat) if layer.op == "Relu"]
    image = _image(1, 3, 4, 4)
    outputs = _session(graphs.with_outputs(flat, [layer.tensor])).run(None, {"image": image})
    np.testing.assert_array_equal(outputs[1], np.maximum(image, 0))


def test_a_part_runs_by_itself() -> None:
    model = onnx.parser.parse_model(POOLED)
    part = graphs.part_of(model, ["logits"], start="g", dtype="float32")
    assert [node.op_type for node in part.graph.node] == ["Flatten", "Gemm"]
    pooled = np.array([[[[2.0]], [[3.0]]]], np.float32)
    (logits,) = _session(part).run(None, {"g": pooled})
    np.testing.assert_allclose(logits, [[2.5, 6.0, 0.5]])


def test_a_part_needs_nothing_else() -> None:
    model = onnx.parser.parse_model(
        POOLED.replace("logits = Gemm<transB=1>(f, w, b)", "h = Identity(image)\nlogits = Gemm<transB=1>(f, w, b)")
    )
    with pytest.raises(ModelError, match='"r" is made from "image" too, not from g alone'):
        graphs.part_of(model, ["r"], start="g", dtype="float32")


def test_stored_values_however_they_are_packed() -> None:
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 13]>
        packed (float[N,2] x) => (float[N,2] y)
        <int8[2,2] q = {2, -4, 6, 127}, float[2] s = {0.5, 2}, int8[2] z = {0, 1}> {
            w = DequantizeLinear<axis=1>(q, s, z)
            t = Transpose<perm=[1, 0]>(w)
            y = MatMul(x, t)
        }"""
    )
    np.testing.assert_array_equal(graphs.constant_of(model, "q"), [[2, -4], [6, 127]])
    np.testing.assert_array_equal(graphs.constant_of(model, "t"), [[1.0, 3.0], [-10.0, 252.0]])
    assert graphs.constant_of(model, "y") is None
    assert graphs.constant_of(model, "x") is None


@pytest.mark.parametrize(("text", "axes"), [(POOLED, (2, 3)), (SQUEEZED, (2, 3))])
def test_where_a_classifier_pools(text: str, axes: tuple[int, int]) -> None:
    head = graphs.pooled_head(onnx.parser.parse_model(text), "p")
    assert head == graphs.PooledHead("r", axes, "logits" if text is POOLED else "g")


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("GlobalAveragePool", "GlobalMaxPool"),
        ("logits = Gemm<transB=1>(f, w, b)", "h = Relu(f)\n logits = Gemm<transB=1>(h, w, b)"),
        (
            "logits = Gemm<transB=1>(f, w, b)",
            "m = GlobalMaxPool(r)\n n = Flatten<axis=1>(m)\n h = Add(f, n)\n logits = Gemm<transB=1>(h, w, b)",
        ),
        ("f = Flatten<axis=1>(g)", "i = GlobalAveragePool(image)\n h = Concat<axis=1>(g, i)\n f = Flatten<axis=1>(h)"),
    ],
    ids=["maximum", "hidden ReLU", "another way round", "two poolings"],
)
def test_what_is_no_mean_and_linear_layer(change: str, to: str) -> None:
    model = onnx.parser.parse_model(POOLED.replace(change, to))
    assert graphs.pooled_head(model, "p") is None


def test_rounding_is_left_out_of_the_head() -> None:
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 13]>
        rounded (float[N,1,H,W] r) => (float[N,2] logits)
        <float s = {1}, uint8 z = {0}, float[1,2] w = {1, 2}> {
            g = GlobalAveragePool(r)
            q = QuantizeLinear(g, s, z)
            d = DequantizeLinear(q, s, z)
            f = Flatten<axis=1>(d)
            logits = MatMul(f, w)
        }"""
    )
    head = graphs.pooled_head(model, "logits")
    assert head is not None
    (logits,) = _session(graphs.head_of(model, head, dtype="float32")).run(
        None, {"r": np.full((1, 1, 2, 2), -1000.25, np.float32)}
    )
    np.testing.assert_array_equal(logits, [[-1000.25, -2000.5]])


def test_kernels_of_the_first_convolution(tmp_path: Path) -> None:
    onnx.save(onnx.parser.parse_model(POOLED), tmp_path / "m.onnx")
    kernels = graphs.first_kernels(tmp_path / "m.onnx")
    assert (kernels.layer.op, kernels.layer.tensor) == ("Conv", "c")
    np.testing.assert_array_equal(kernels.weights[:, :, 0, 0], [[1, 0, 0], [0, 1, -1]])


def test_kernels_of_a_quantised_convolution(tmp_path: Path) -> None:
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 13]>
        quantised (uint8[1,1,4,4] x) => (uint8[1,2,3,3] y)
        <float s = {0.1}, uint8 z = {0}, float[2] ws = {0.5, 2}, int8[2] wz = {0, 0}> {
            y = QLinearConv(x, s, z, w, ws, wz, s, z)
        }"""
    )
    stored = np.arange(8, dtype=np.int8).reshape(2, 1, 2, 2)
    model.graph.initializer.append(numpy_helper.from_array(stored, "w"))
    onnx.save(model, tmp_path / "m.onnx")
    weights = graphs.first_kernels(tmp_path / "m.onnx").weights
    np.testing.assert_array_equal(weights[:, 0], stored[:, 0] * np.array([0.5, 2], np.float32).reshape(2, 1, 1))


def test_a_file_without_convolution_says_what_it_has(tmp_path: Path) -> None:
    onnx.save(onnx.parser.parse_model(SQUEEZED), tmp_path / "m.onnx")
    with pytest.raises(
        ModelError, match=r"m.onnx: has no convolution .* its operators are .*ReduceMean, Relu, Softmax"
    ):
        graphs.first_kernels(tmp_path / "m.onnx")
