"""int8 with a gate: what is written, what is refused, and what is said about it."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from cnnkit import pipeline, quantization
from cnnkit.data import find_images
from cnnkit.errors import CheckFailed, DataError, ModelError, UsageError
from cnnkit.graphs import read_metadata
from cnnkit.quantization._calibration import measure_ranges
from cnnkit.quantization._choice import relative_squared_error
from cnnkit.quantization._graph import prepare, quantized, weighted_nodes
from cnnkit.quantization._speed import Speed, has_int8_instructions
from cnnkit.spec import METADATA_KEY, parse_spec

CLASSES = ("blue", "green", "red")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of noise in which one channel is a little brighter: 40 of each."""
    root = tmp_path_factory.mktemp("colours")
    random = np.random.default_rng(1)
    for channel, name in enumerate(CLASSES):  # OpenCV writes BGR
        (root / name).mkdir()
        for number in range(40):
            picture = random.integers(0, 200, (16, 16, 3), dtype=np.uint8)
            picture[:, :, channel] += 12
            cv2.imwrite(str(root / name / f"{number:02}.png"), picture)
    return root


def make_model(path: Path, *, opset: int = 17, spec: bool = True) -> Path:
    """Convolution, ReLU, mean, dense: the channel means survive, so the brightest channel wins."""
    random = np.random.default_rng(0)
    kernel = np.zeros((6, 3, 3, 3), np.float32)
    for at in range(6):
        kernel[at, at % 3] = random.uniform(0.05, 0.15, (3, 3))
    dense = np.zeros((3, 6), np.float32)
    for at in range(6):
        dense[2 - at % 3, at] = 1 / kernel[at].sum()
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["conv"], name="first", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"], name="relu"),
        helper.make_node("GlobalAveragePool", ["relu"], ["pooled"], name="pool"),
        helper.make_node("Flatten", ["pooled"], ["flat"], name="flatten", axis=1),
        helper.make_node("Gemm", ["flat", "dense"], ["logits"], name="last", transB=1, alpha=20.0),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 16, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(dense, "dense")],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])
    if spec:
        facts = {
            "input": {"name": "image", "size": [16, 16]},
            "preprocess": [{"op": "resize", "size": [16, 16], "mode": "exact"}, {"op": "rescale", "scale": 1 / 255}],
            "output": {"name": "logits"},
            "classes": [{"name": name} for name in CLASSES],
            "provenance": {"source": "by hand"},
        }
        model.metadata_props.add(key=METADATA_KEY, value=parse_spec(json.dumps(facts), source="test").to_json())
    onnx.save(model, path)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "colours.onnx")


def test_a_good_copy_is_written_with_its_record(model: Path, images: Path, run_cnnkit: Callable) -> None:
    result = run_cnnkit("quantize", model, "--calib", images, "--data", images, "--max-drop", 10, "--json")
    facts = json.loads(result.stdout)
    int8 = model.with_name("colours-int8.onnx")
    assert int8.exists()
    assert facts["decision"]["basis"] == "labels"
    assert facts["decision"]["n"] == 120
    assert "The gate: on 120 images top-1 accuracy rises by" in result.stderr
    assert "times the speed of fp32" in result.stderr
    opened = pipeline.open_model(int8)
    original = pipeline.open_model(model)
    assert opened.spec.spec_hash == original.spec.spec_hash, "it reads an image as the float file does"
    assert opened.spec.provenance["source"] == "by hand"
    assert opened.spec.provenance["quantization"]["source_sha256"] == original.sha256
    operators = {node.op_type for node in onnx.load(int8).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= operators
    assert onnx.load(int8).graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT


def test_too_few_images_cannot_decide_and_nothing_is_written(model: Path, images: Path, run_cnnkit: Callable) -> None:
    result = run_cnnkit("quantize", model, "--calib", images, "--data", images, "--max-drop", 0.5, exit_code=1)
    assert "these images cannot decide it; about " in result.stderr
    assert "--accept-undecided writes it all the same" in result.stderr
    assert not model.with_name("colours-int8.onnx").exists()


def test_undecided_can_be_accepted_and_is_recorded(model: Path, images: Path, tmp_path: Path) -> None:
    output = tmp_path / "deep" / "int8.onnx"
    done = quantization.quantize(
        model, output, calib=images, labelled=images, max_drop=0.5, accept_undecided=True, samples=20
    )
    assert done.decision.passed is None
    assert json.loads(read_metadata(output)[METADATA_KEY])["provenance"]["quantization"]["accepted_undecided"]


def test_the_error_and_the_size_are_those_of_the_files(model: Path, images: Path, tmp_path: Path) -> None:
    output, said = tmp_path / "int8.onnx", []
    done = quantization.quantize(model, output, calib=images, labelled=images, max_drop=15, say=said.append)
    assert done.size_bytes == output.stat().st_size
    assert f"{output}: {output.stat().st_size:,} bytes; the float file has {model.stat().st_size:,}." in said
    samples = find_images(images)
    fed = np.concatenate([array for _, array in pipeline.prepared(pipeline.open_model(model).spec, list(samples)[:8])])
    feed = {"image": fed.reshape(-1, 3, 16, 16)}
    wanted, got = (onnxruntime.InferenceSession(path).run(None, feed)[0] for path in (model, output))
    relative = np.linalg.norm(got - wanted) / np.linalg.norm(wanted)
    assert done.error == pytest.approx(relative, rel=0.5)  # of other images, and as large
    assert f"relative error of the outputs {done.error:.2g}" in " ".join(said)


def test_without_labels_changed_decisions_bound_the_drop(model: Path, images: Path, tmp_path: Path) -> None:
    done = quantization.quantize(model, tmp_path / "q.onnx", calib=images, max_drop=15)
    assert done.decision.basis == "changed decisions"
    assert (done.n_calibration, done.decision.n) == (80, 40), "a third is held out of the calibration"
    assert "the share of changed decisions is" in done.decision.sentence()


def test_a_copy_that_is_worse_is_refused(
    model: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cnnkit.quantization import _graph

    real = _graph.quantized

    def spoilt(*args: object, **options: object) -> bytes:
        made = onnx.load_model_from_string(real(*args, **options))  # type: ignore[arg-type]
        for tensor in made.graph.initializer:
            if tensor.name.endswith("_quantized"):  # one node at most could stay float
                values = numpy_helper.to_array(tensor)
                tensor.CopyFrom(numpy_helper.from_array(-values, tensor.name))
        return made.SerializeToString()

    monkeypatch.setattr(_graph, "quantized", spoilt)
    with pytest.raises(
        CheckFailed, match=r"was not written: on 120 images top-1 accuracy drops by \d\d\.\d\d points .*too much"
    ):
        quantization.quantize(model, tmp_path / "q.onnx", calib=images, labelled=images)
    assert not (tmp_path / "q.onnx").exists()


@pytest.mark.parametrize("method", quantization.METHODS)
def test_every_method_streams_and_stays_close(
    method: quantization._calibration.Method, model: Path, tmp_path: Path
) -> None:
    prepared = prepare(model, tmp_path)
    random = np.random.default_rng(0)
    feeds = [{"image": random.random((1, 3, 16, 16), dtype=np.float32)} for _ in range(10)]
    ranges = measure_ranges(prepared, iter(feeds), method=method)
    session = onnxruntime.InferenceSession(quantized(prepared, ranges, keep_float=()))
    whole = onnxruntime.InferenceSession(model)
    got, wanted = (np.concatenate([each.run(None, feed)[0] for feed in feeds]) for each in (session, whole))
    assert relative_squared_error(got, wanted) < 0.02


def test_minmax_ranges_are_the_extremes(model: Path, tmp_path: Path) -> None:
    prepared = prepare(model, tmp_path)
    feeds = [{"image": np.full((1, 3, 16, 16), value, np.float32)} for value in (-1, 0.25, 3, 0.5, 1, 2)]
    ranges = measure_ranges(prepared, feeds, method="minmax").data
    name = onnx.load(prepared).graph.input[0].name
    assert [float(np.ravel(each)[0]) for each in ranges[name].range_value] == [-1, 3]


def test_what_stays_float_is_not_quantised(model: Path, tmp_path: Path) -> None:
    prepared = prepare(model, tmp_path)
    assert weighted_nodes(prepared) == ["first", "last"]
    ranges = measure_ranges(prepared, [{"image": np.ones((1, 3, 16, 16), np.float32)}], method="minmax")
    graph = onnx.load_model_from_string(quantized(prepared, ranges, keep_float=["first"])).graph
    names = {tensor.name for tensor in graph.initializer}
    assert "kernel" in names
    assert "dense_quantized" in names


def test_an_old_opset_is_raised(images: Path, tmp_path: Path) -> None:
    done = quantization.quantize(
        make_model(tmp_path / "old.onnx", opset=11), calib=images, labelled=images, max_drop=10, samples=10
    )
    assert done
    assert onnx.load(tmp_path / "old-int8.onnx").opset_import[0].version >= 13


def test_what_is_quantised_already_is_refused(model: Path, images: Path) -> None:
    quantization.quantize(model, calib=images, labelled=images, max_drop=10, samples=10)
    with pytest.raises(ModelError, match="is quantised already: it holds QuantizeLinear"):
        quantization.quantize(model.with_name("colours-int8.onnx"), calib=images)


def test_what_the_quantiser_cannot_hold_is_refused(model: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnkit.graphs._files.MAX_BYTES", 100)
    with pytest.raises(
        ModelError, match=r"takes 0\.0 GiB, and what is above 2 cannot be quantised: .* fp16 can be had"
    ):
        quantization.quantize(model, calib=images)


def test_a_file_that_is_there_is_left_alone(model: Path, images: Path) -> None:
    model.with_name("colours-int8.onnx").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        quantization.quantize(model, calib=images)
    assert model.with_name("colours-int8.onnx").read_text() == "mine"


def test_images_that_cannot_be_read_are_said(model: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    for name in "abc":
        (tmp_path / "bad" / f"{name}.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="at least one readable image"):
        quantization.quantize(model, calib=tmp_path / "bad")


def test_one_image_is_too_few(model: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.png").write_bytes((images / "red" / "00.png").read_bytes())
    with pytest.raises(DataError, match="1 images are too few to calibrate and to decide on"):
        quantization.quantize(model, calib=tmp_path / "one")


@pytest.mark.parametrize(("speedup", "sentence"), [(0.5, "int8 is NOT faster on this machine"), (2.0, "runs at 2.00")])
def test_the_speed_is_said_plainly(speedup: float, sentence: str) -> None:
    speed = Speed(float_ms=2, int8_ms=2 / speedup, speedup=speedup, int8_instructions=True)
    assert any(sentence in each for each in speed.sentences())


def test_a_cpu_without_vnni_is_named(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("flags : fpu sse4_2 avx2\n")
    assert has_int8_instructions(info) is False
    info.write_text("flags : avx512_vnni\n")
    assert has_int8_instructions(info) is True
    speed = Speed(float_ms=1, int8_ms=1, speedup=1, int8_instructions=False)
    assert "no int8 dot product (VNNI)" in speed.sentences()[-1]


@pytest.mark.slow
def test_a_real_network_keeps_its_accuracy(shared: Path, tmp_path: Path, run_cnnkit: Callable) -> None:
    result = run_cnnkit(
        *("quantize", shared / "models" / "cifar10_tutorial.onnx", "-o", tmp_path / "cifar-int8.onnx"),
        *("--calib", shared / "cifar10", "--data", shared / "cifar10", "--max-drop", 1, "--samples", 100),
        *("--preset", "raw", "--scale", 1 / 255, "--mean", "0.5", "--std", "0.5", "--resize", "exact"),
        *("--labels", _names(tmp_path), "--json"),
    )
    decision = json.loads(result.stdout)["decision"]
    assert decision["n"] == 5000
    assert decision["high"] <= 0.01


def _names(folder: Path) -> Path:
    path = folder / "names.txt"
    path.write_text("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n")
    return path
