"""Preprocessing inside the graph, beside cnnkit's own on the same pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import nn

from cnnkit import exporting, images, pipeline
from cnnkit.errors import ModelError, UsageError
from cnnkit.exporting._fuse import check_fusible, fuse
from cnnkit.exporting._fused_pixels import pixel_nodes
from cnnkit.spec import (
    CenterCrop,
    ClassificationOutput,
    ClassName,
    DetectionOutput,
    ModelInput,
    ModelSpec,
    Normalize,
    Pad,
    Rescale,
    Resize,
    ToGray,
)
from cnnkit.verification import Source, find_pictures

UNIT = Rescale(scale=1 / 255)
NORMAL = Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
SIZES = [(100, 133), (37, 80), (64, 64), (375, 500), (30, 30), (63, 101), (1, 7)]


def spec_of(*operations: Any, size: tuple[int, int], **fields: Any) -> ModelSpec:
    return ModelSpec(
        input=ModelInput(size=size, **fields),
        preprocess=operations,
        output=ClassificationOutput(),
        classes=tuple(ClassName(name=name) for name in "abc"),
    )


def prepared_inside(spec: ModelSpec, pictures: list[np.ndarray], order: str = "RGB") -> list[np.ndarray]:
    """What the nodes alone make of pictures."""
    make = onnx.helper.make_tensor_value_info
    nodes = pixel_nodes(spec, image="image", order=order, result="out")
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [make("image", onnx.TensorProto.UINT8, [1, "h", "w", 3])],
        [make("out", onnx.TensorProto.FLOAT, None)],
    )
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [session.run(None, {"image": picture[None]})[0][0] for picture in pictures]


CHAINS = {
    "shortest": spec_of(Resize(size=64), CenterCrop(size=(56, 48)), size=(56, 48)),
    "a crop larger than the picture": spec_of(Resize(size=20), CenterCrop(size=(32, 33)), size=(32, 33)),
    "bicubic": spec_of(Resize(size=(48, 64), mode="exact", filter="bicubic"), size=(48, 64)),
    "lanczos": spec_of(Resize(size=(48, 64), mode="exact", filter="lanczos"), size=(48, 64)),
    "hamming": spec_of(Resize(size=(48, 64), mode="exact", filter="hamming"), size=(48, 64)),
    "grey": spec_of(ToGray(), Resize(size=(28, 28), mode="exact"), size=(28, 28), channels="GRAY"),
    "a border": spec_of(Resize(size=(20, 20), mode="exact"), Pad(padding=(1, 2, 3, 4), fill=9), size=(26, 24)),
    "a crop alone": spec_of(CenterCrop(size=(64, 101)), size=(64, 101)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_pixels_within_one_level_of_cnnkits(name: str) -> None:
    spec = CHAINS[name]
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]
    preprocess = images.Preprocess(spec)
    for inside, picture in zip(prepared_inside(spec, pictures), pictures, strict=True):
        apart = np.abs(inside - preprocess(picture)[0])
        assert apart.max() <= 1
        assert apart.mean() < 0.02


def test_bilinear_against_pillow_itself_on_photographs() -> None:
    spec = spec_of(Resize(size=(224, 224), mode="exact"), size=(224, 224))
    pictures = [images.decode(picture.data) for picture in find_pictures(None, None, n=3).each]
    for inside, picture in zip(prepared_inside(spec, pictures), pictures, strict=True):
        across = Image.fromarray(picture).resize((224, picture.shape[0]), Image.Resampling.BILINEAR)
        both = np.asarray(across.resize((224, 224), Image.Resampling.BILINEAR), dtype=np.float32)
        assert np.abs(inside - both.transpose(2, 0, 1)).max() <= 1


@pytest.mark.parametrize("order", ["RGB", "BGR"])
@pytest.mark.parametrize("channels", ["RGB", "BGR"])
def test_values_and_channel_orders(order: str, channels: Any) -> None:
    spec = spec_of(Resize(size=(8, 8), mode="exact"), UNIT, NORMAL, size=(8, 8), channels=channels)
    picture = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    given = picture if order == "RGB" else picture[:, :, ::-1].copy()
    (inside,) = prepared_inside(spec, [given], order)
    np.testing.assert_allclose(inside, images.Preprocess(spec)(picture)[0], atol=0.02)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x).relu().mean((2, 3)))


@pytest.mark.usefixtures("torchscript_only")
def test_a_fused_file_answers_from_raw_pixels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    spec = spec_of(Resize(size=36), CenterCrop(size=(32, 32)), UNIT, NORMAL, size=(32, 32))
    source = Source(Net().eval(), "net", "net.pt", spec=spec)
    plain = exporting.export_source(source, tmp_path / "plain.onnx")
    fused = exporting.export_source(source, tmp_path / "fused.onnx", fuse="BGR")
    assert fused.verification is not None
    assert [each.batch_size for each in fused.verification.comparisons] == [1]
    photo = find_pictures(None, None).each[0].data
    expected = pipeline.open_model(plain.path, device="cpu").predict(photo)
    found = pipeline.open_model(fused.path, device="cpu").predict(photo)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)

    session = onnxruntime.InferenceSession(fused.path, providers=["CPUExecutionProvider"])  # no cnnkit from here on
    pixels = np.ascontiguousarray(images.decode(photo)[None, :, :, ::-1])
    (scores,) = session.run(None, {"image": pixels})
    np.testing.assert_array_equal(scores[0], found.scores)
    assert scores.sum() == pytest.approx(1)


@pytest.mark.usefixtures("torchscript_only")
@pytest.mark.parametrize("half_io", [False, True])
def test_half_precision(tmp_path: Path, half_io: bool) -> None:
    spec = spec_of(Resize(size=(16, 16), mode="exact"), UNIT, size=(16, 16))
    source = Source(Net().eval(), "net", "net.pt", spec=spec)
    done = exporting.export_source(source, tmp_path / "half.onnx", precision="fp16", half_io=half_io)
    model = onnx.load(done.path)
    assert {tensor.data_type for tensor in model.graph.initializer if tensor.dims} == {onnx.TensorProto.FLOAT16}
    wanted = onnx.TensorProto.FLOAT16 if half_io else onnx.TensorProto.FLOAT
    assert model.graph.input[0].type.tensor_type.elem_type == wanted
    assert model.graph.output[0].type.tensor_type.elem_type == wanted
    assert done.spec.provenance["precision"] == "fp16"
    assert done.verification is not None
    assert done.verification.precision == "fp16"
    assert pipeline.open_model(done.path, device="cpu").predict(find_pictures(None, None).each[0].data).top(1)


def test_half_io_needs_half_precision(tmp_path: Path) -> None:
    source = Source(Net().eval(), "net", "net.pt", spec=CHAINS["shortest"])
    with pytest.raises(UsageError, match="--half-io goes with --precision fp16"):
        exporting.export_source(source, tmp_path / "x.onnx", half_io=True)


REFUSED = [
    (spec_of(Resize(size=(8, 8), mode="exact", filter="area", implementation="opencv"), size=(8, 8)), "opencv:area"),
    (spec_of(Resize(size=(8, 8), mode="exact", implementation="torch"), size=(8, 8)), "the resize torch:bilinear"),
    (
        spec_of(Resize(size=(8, 8), mode="exact", filter="box"), size=(8, 8)),
        "pillow's bilinear, bicubic, hamming, lanczos",
    ),
    (spec_of(Resize(size=(8, 8), mode="letterbox"), size=(8, 8)), "mode letterbox"),
    (spec_of(Pad(padding=(1, 1, 1, 1), mode="symmetric"), size=(8, 8)), "the padding 'symmetric'"),
]


@pytest.mark.parametrize(("spec", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_what_a_graph_cannot_say_is_refused(spec: ModelSpec, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        check_fusible(spec, opset=18)


def test_old_operators_and_detectors_are_refused() -> None:
    with pytest.raises(ModelError, match="--fuse needs opset 13 or later, 11 was asked for"):
        check_fusible(CHAINS["shortest"], opset=11)
    detector = CHAINS["shortest"].model_copy(
        update={"task": "detection", "output": DetectionOutput(name="y", decoder="yolox")}
    )
    with pytest.raises(ModelError, match="--fuse is for classifiers"):
        check_fusible(detector, opset=18)


def test_the_model_itself_is_not_changed() -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        m (float[N,3,56,48] input) => (float[N,3] logits) { p = GlobalAveragePool(input) logits = Flatten(p) }""")
    before = model.SerializeToString()
    fused = fuse(model, CHAINS["shortest"])
    assert model.SerializeToString() == before
    onnx.checker.check_model(fused, full_check=True)
