from pathlib import Path

import onnx
import pytest

from cnnkit import graphs
from cnnkit.errors import ModelError

TINY = """
<ir_version: 10, opset_import: ["" : 17]>
tiny (float[N,3,8,8] image) => (float[N,3] logits) {
    pooled = GlobalAveragePool(image)
    logits = Flatten<axis=1>(pooled)
}"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.onnx"
    onnx.save(onnx.parser.parse_model(TINY), path)
    return path


def test_metadata_goes_in_and_comes_out(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.onnx"
    graphs.write_metadata(tiny, out, {"a": "1", "b": "ü"})
    graphs.write_metadata(out, out, {"a": "2"})
    assert graphs.read_metadata(out) == {"a": "2", "b": "ü"}
    assert graphs.read_metadata(tiny) == {}
    assert onnx.load(out).graph == onnx.load(tiny).graph


def test_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    cases = {"no such model file": tmp_path / "x.onnx", "a folder": tmp_path}
    for name, content in {
        "it is empty": b"",
        "holds no graph": b"\x08\x08",
        "no ONNX model": b"PK\x03\x04" * 9,
    }.items():
        cases[name] = tmp_path / f"{len(cases)}.onnx"
        cases[name].write_bytes(content)
    for sentence, path in cases.items():
        with pytest.raises(ModelError, match=sentence):
            graphs.load(path)


def test_weights_beside_the_file_are_read_in_or_missed_by_name(tmp_path: Path) -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 17]>
        add (float[4] x) => (float[4] y) <float[4] w = {1, 2, 3, 4}> { y = Add(x, w) }""")
    weight = model.graph.initializer[0]
    weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight), weight.name))  # as raw bytes
    path = tmp_path / "add.onnx"
    onnx.save(model, path, save_as_external_data=True, location="add.data", size_threshold=0)
    whole = tmp_path / "there" / "whole.onnx"
    graphs.write_metadata(path, whole, {})
    assert onnx.numpy_helper.to_array(onnx.load(whole).graph.initializer[0]).tolist() == [1, 2, 3, 4]
    assert [entry.name for entry in whole.parent.iterdir()] == ["whole.onnx"]
    (tmp_path / "add.data").unlink()
    with pytest.raises(ModelError, match=r"another file, add\.data, which is not beside it"):
        graphs.load(path)


def test_stack_traces_go_and_scopes_stay() -> None:
    model = onnx.parser.parse_model(TINY)
    node = model.graph.node[0]
    node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value="/home/someone/secret.py")
    node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value="['', 'pool', 'x']")
    assert graphs.remove_stack_traces(model) == 1
    assert [entry.key for entry in node.metadata_props] == ["pkg.torch.onnx.name_scopes"]


def test_opset_of_the_standard_domain() -> None:
    assert graphs.opset_of(onnx.parser.parse_model(TINY)) == 17


QUANTISED = """
<ir_version: 10, opset_import: ["" : 17]>
q (float[{batch},3] x) => (uint8[{batch},3] y, float s, uint8 z) <float[3] w = {{1, 2, 3}}> {{
    y, s, z = DynamicQuantizeLinear({what})
}}"""


@pytest.mark.parametrize(
    ("batch", "what", "expected"),
    [("N", "x", True), ("4", "x", True), ("1", "x", False), ("N", "w", False)],
    ids=["open batch", "fixed batch of several", "one image", "a weight"],
)
def test_dynamic_quantisation_joins_a_batch(tmp_path: Path, batch: str, what: str, expected: bool) -> None:
    path = tmp_path / "q.onnx"
    onnx.save(onnx.parser.parse_model(QUANTISED.format(batch=batch, what=what)), path)
    assert graphs.quantizes_dynamically(path) is expected


def test_dynamic_quantisation_of_a_real_model(shared: Path) -> None:
    found = {path.stem: graphs.quantizes_dynamically(path) for path in sorted((shared / "models").glob("*.onnx"))}
    assert [name for name, dynamic in found.items() if dynamic] == ["mobilenet_v2_int8"]
