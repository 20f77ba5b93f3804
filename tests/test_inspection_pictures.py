"""Kernels, feature maps and where a decision comes from: by hand, against torch, and on real files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from PIL import Image

from cnnkit import graphs, inspection, pipeline, runtime
from cnnkit.errors import DataError, UsageError
from cnnkit.inspection._class_activation import ClassActivation, class_activation
from cnnkit.inspection._occlusion import patches_over
from cnnkit.inspection._seen import see
from cnnkit.spec import METADATA_KEY, ModelSpec

UNIT = [{"op": "rescale", "scale": 1 / 255}]
# two kernels over colours, ReLU, mean over the places, two to three scores
POOLED = """<ir_version: 8, opset_import: ["" : 17]>
pooled (float[N,3,2,2] input) => (float[N,3] logits)
<float[2,3,1,1] kernels = {1, 0, 0, 0, 1, -1}, float[3,2] w = {1, 0, 0, 2, -1, 1}, float[3] b = {0.5, 0, -0.5}> {
    conv = Conv(input, kernels)
    r = Relu(conv)
    g = GlobalAveragePool(r)
    f = Flatten<axis=1>(g)
    logits = Gemm<transB=1>(f, w, b)
}"""


def spec(size: tuple[int, int], n: int, **changes: Any) -> dict[str, Any]:
    return {
        "input": {"size": list(size)},
        "preprocess": UNIT,
        "output": {"name": "logits"},
        "classes": [{"name": f"c{at}"} for at in range(n)],
        **changes,
    }


def saved(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def scratch(write_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_model(folder / "pooled.onnx", POOLED, spec((2, 2), 3))
    return folder


@pytest.fixture
def pooled(scratch: Path) -> pipeline.Model:
    return pipeline.open_model(scratch / "pooled.onnx")


def dense(
    path: Path, weights: np.ndarray, *, shape: str = "N,3,16,16", activation: str = "softmax", **changes: Any
) -> Path:
    """A file whose scores are products of all pixels with `weights`, (pixels, classes)."""
    model = onnx.parser.parse_model(
        f"""<ir_version: 8, opset_import: ["" : 17]>
        dense (float[{shape}] input) => (float[N,C] logits) {{
            f = Flatten<axis=1>(input)
            logits = MatMul(f, w)
        }}"""
    )
    model.graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), "w"))
    changes = {"output": {"name": "logits", "activation": activation}, **changes}
    facts = spec((16, 16), weights.shape[1], **changes)
    model.metadata_props.add(key=METADATA_KEY, value=ModelSpec.model_validate(facts).to_json())
    onnx.save(model, path)
    return path


# class activation


def test_class_activation_by_hand(pooled: pipeline.Model, tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]], np.uint8)
    seen = see(pooled.spec, saved(tmp_path / "four.png", pixels))
    found = class_activation(pooled, seen)
    assert isinstance(found, ClassActivation)
    # red, then green less blue, of each pixel, without what is negative
    first, second = np.array([[1, 0], [0, 1]]), np.array([[0, 1], [0, 1]])
    np.testing.assert_allclose(found.maps[0], first + 0.5, atol=1e-6)
    np.testing.assert_allclose(found.maps[1], 2 * second, atol=1e-6)
    np.testing.assert_allclose(found.maps[2], second - first - 0.5, atol=1e-6)
    np.testing.assert_allclose(found.scores, [0.5 + 0.5, 2 * 0.5, 0.5 - 0.5 - 0.5], atol=1e-6)
    assert found.layer == "r"


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000))
def test_the_mean_of_the_map_is_the_score(scratch: Path, seed: int) -> None:
    model = pipeline.open_model(scratch / "pooled.onnx")
    seen = see(model.spec, saved(scratch / "noise.png", noise(2, 2, 3, seed=seed)))
    found = class_activation(model, seen)
    assert isinstance(found, ClassActivation)
    (logits,) = model.session.run({"input": seen.values[None]}).values()
    np.testing.assert_allclose(found.maps.mean(axis=(1, 2)), logits[0], atol=1e-5)


def test_the_answer_is_the_models_own(pooled: pipeline.Model, tmp_path: Path) -> None:
    image = saved(tmp_path / "noise.png", noise(2, 2, 3))
    explained = inspection.explain(pooled, image)
    (best, p) = pooled.predict(image).top(1)[0]
    assert (explained.class_name, explained.method) == (best, "class activation")
    assert explained.probability == pytest.approx(p, abs=1e-6)
    assert inspection.explain(pooled, image, class_name="c2").class_name == "c2"


def test_a_background_is_no_class(write_model: Callable[..., Path], tmp_path: Path) -> None:
    output = {"name": "logits", "background": True}
    model = pipeline.open_model(write_model(tmp_path / "b.onnx", POOLED, spec((2, 2), 2, output=output)))
    image = saved(tmp_path / "noise.png", noise(2, 2, 3))
    found = class_activation(model, see(model.spec, image))
    assert isinstance(found, ClassActivation)
    np.testing.assert_array_equal(inspection.explain(model, image, class_name="c0").heat, found.maps[1])


@pytest.mark.parametrize(
    ("pooling", "layout"),
    [
        ("g = ReduceMean<axes=[2, 3], keepdims=1>(r)", "NCHW"),
        ("g = AveragePool<kernel_shape=[2, 2]>(r)", "NCHW"),
        ("t = Transpose<perm=[0, 2, 3, 1]>(r)\n g = ReduceMean<axes=[1, 2], keepdims=0>(t)", "NHWC inside"),
    ],
)
def test_other_ways_of_pooling_give_the_same(
    pooled: pipeline.Model, write_model: Callable[..., Path], tmp_path: Path, pooling: str, layout: str
) -> None:
    text = POOLED.replace("g = GlobalAveragePool(r)", pooling)
    model = pipeline.open_model(write_model(tmp_path / "other.onnx", text, spec((2, 2), 3)))
    image = saved(tmp_path / "noise.png", noise(2, 2, 3))
    same = inspection.explain(pooled, image)
    other = inspection.explain(model, image)
    assert other.method == "class activation", layout
    np.testing.assert_allclose(other.heat, same.heat, atol=1e-6)


def test_pooling_over_a_part_is_found_out_by_the_numbers(write_model: Callable[..., Path], tmp_path: Path) -> None:
    text = POOLED.replace("GlobalAveragePool(r)", "AveragePool<kernel_shape=[1, 1], strides=[2, 2]>(r)")
    model = pipeline.open_model(write_model(tmp_path / "part.onnx", text, spec((2, 2), 3)))
    explained = inspection.explain(model, saved(tmp_path / "noise.png", noise(2, 2, 3)))
    assert explained.method == "occlusion"
    assert "the places' parts do not add up to the scores" in explained.how[1]


@pytest.mark.torch
@pytest.mark.usefixtures("torchscript_only")
def test_as_torch_computes_it(tmp_path: Path) -> None:
    import torch
    from torch import nn

    from cnnkit import exporting

    torch.manual_seed(0)
    features = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU()
    )
    head = nn.Linear(12, 4)
    module = nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).eval()
    names = list("abcd")
    path = exporting.export(
        module, tmp_path / "m.onnx", classes=names, preset="imagenet", imgsz=(16, 24), resize="exact", verify=False
    )
    model = pipeline.open_model(path)
    seen = see(model.spec, saved(tmp_path / "noise.png", noise(30, 40, 3)))
    found = class_activation(model, seen)
    assert isinstance(found, ClassActivation)
    with torch.inference_mode():
        maps = features(torch.from_numpy(seen.values[None]))
        expected = torch.einsum("ck,khw->chw", head.weight, maps[0]) + head.bias[:, None, None]
    assert found.maps.shape == (4, 8, 12)
    np.testing.assert_allclose(found.maps, expected.numpy(), atol=1e-5)


# occlusion


@pytest.mark.parametrize(("top", "left"), [(0, 0), (6, 9), (12, 4)])
def test_occlusion_finds_the_patch_that_matters(tmp_path: Path, top: int, left: int) -> None:
    mask = np.zeros((3, 16, 16))
    mask[:, top : top + 4, left : left + 4] = 0.2
    weights = np.stack([mask.reshape(-1), np.zeros(768)], axis=1)
    model = pipeline.open_model(dense(tmp_path / "dense.onnx", weights))
    pixels = noise(16, 16, 3)
    pixels[top : top + 4, left : left + 4] = 255
    explained = inspection.explain(model, saved(tmp_path / "p.png", pixels))
    assert (explained.class_name, explained.method) == ("c0", "occlusion")
    y, x = np.unravel_index(np.argmax(explained.heat), explained.heat.shape)
    assert top <= y < top + 4
    assert left <= x < left + 4
    far = np.ones((16, 16), bool)
    far[max(0, top - 2) : top + 6, max(0, left - 2) : left + 6] = False
    assert np.abs(explained.heat[far]).max() < 1e-6, "what lies further than a patch takes nothing"


def test_occlusion_by_hand(tmp_path: Path) -> None:
    """One white pixel of nine on black counts; a patch over it leaves the mean colour there."""
    weights = np.zeros((27, 1))
    weights[[4, 13, 22]] = 1 / 3  # the middle, in each channel
    changes = {"input": {"size": [3, 3]}}
    path = dense(tmp_path / "d.onnx", weights, shape="N,3,3,3", activation="none", **changes)
    pixels = np.zeros((3, 3, 3), np.uint8)
    pixels[1, 1] = 255
    explained = inspection.explain(pipeline.open_model(path), saved(tmp_path / "p.png", pixels))
    assert explained.probability == pytest.approx(1.0)
    # all nine patches of 3x3, a pixel apart and cut at the border, hide the middle: each leaves 28 of 255 there
    np.testing.assert_allclose(explained.heat, np.full((3, 3), 1 - 28 / 255), atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300))
def test_patches_hide_every_pixel_in_bounded_number(height: int, width: int) -> None:
    patches, step = patches_over(height, width)
    times = np.zeros((height, width), int)
    for rows, columns in patches:
        times[rows, columns] += 1
        assert 0 <= rows.start < rows.stop <= height
        assert 0 <= columns.start < columns.stop <= width
    assert times.min() >= 1
    assert times.max() <= 9
    assert len(patches) <= 31 * 31
    assert step >= 1


@pytest.mark.parametrize("batch", ["N", "1", "4"])
def test_the_batch_that_a_file_takes_makes_no_difference(tmp_path: Path, batch: str) -> None:
    weights = np.random.default_rng(0).standard_normal((768, 3)) / 50
    image = saved(tmp_path / "p.png", noise(16, 16, 3))
    wanted = inspection.explain(pipeline.open_model(dense(tmp_path / "any.onnx", weights)), image)
    model = pipeline.open_model(dense(tmp_path / "b.onnx", weights, shape=f"{batch},3,16,16"))
    np.testing.assert_allclose(inspection.explain(model, image).heat, wanted.heat, atol=1e-6)


def test_channels_last_makes_no_difference(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 16, 16, 2)) / 50
    last = weights.transpose(1, 2, 0, 3).reshape(768, 2)
    image = saved(tmp_path / "p.png", noise(16, 16, 3))
    first = pipeline.open_model(dense(tmp_path / "first.onnx", weights.reshape(768, 2)))
    changes = {"input": {"size": [16, 16], "layout": "NHWC"}}
    second = pipeline.open_model(dense(tmp_path / "last.onnx", last, shape="N,16,16,3", **changes))
    np.testing.assert_allclose(inspection.explain(second, image).heat, inspection.explain(first, image).heat, atol=1e-5)


def test_progress_reaches_its_end_and_a_plain_picture_says_so(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((768, 2)) / 50
    model = pipeline.open_model(dense(tmp_path / "d.onnx", weights))
    image = saved(tmp_path / "plain.png", np.full((16, 16, 3), 90, np.uint8))
    calls: list[tuple[int, int]] = []
    explained = inspection.explain(model, image, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (256, 256)
    assert "No patch changes the probability" in explained.how[-1]
    assert explained.draw().facts["heat"] == {"size": [16, 16], "low": 0.0, "high": 0.0}


def test_a_file_that_prepares_pictures_itself(tmp_path: Path, write_model: Callable[..., Path]) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17]>
    whole (uint8[1,H,W,3] image) => (float[1,3] p) {
        x = Cast<to=1>(image)
        t = Transpose<perm=[0, 3, 1, 2]>(x)
        g = GlobalAveragePool(t)
        f = Flatten<axis=1>(g)
        p = Softmax<axis=1>(f)
    }"""
    facts = spec((8, 8), 3, preprocess=[], output={"name": "p", "activation": "none"})
    facts["input"] = {"name": "image", "layout": "NHWC", "dtype": "uint8", "size": [8, 8], "any_size": True}
    model = pipeline.open_model(write_model(tmp_path / "whole.onnx", text, facts))
    explained = inspection.explain(model, saved(tmp_path / "p.png", noise(20, 30, 3)))
    assert explained.heat.shape == (20, 30)
    assert "the file prepares pictures itself" in explained.how[1]


# what is drawn


def test_the_heat_lies_over_what_the_network_gets(write_model: Callable[..., Path], tmp_path: Path) -> None:
    steps = [{"op": "resize", "size": 2}, {"op": "center_crop", "size": [2, 2]}, *UNIT]
    model = pipeline.open_model(write_model(tmp_path / "p.onnx", POOLED, spec((2, 2), 3, preprocess=steps)))
    wide = np.zeros((40, 120, 3), np.uint8)
    drawn = inspection.explain(model, saved(tmp_path / "wide.png", wide)).draw()
    left = drawn.picture[:, : (drawn.picture.shape[1] - 14) // 2]
    middle = left[left.shape[0] // 3]
    third = len(middle) // 3
    assert (middle[: third - 3] > 128).all(), "left of the centre crop is dimmed"
    assert (middle[third + 3 : 2 * third - 3] == 0).all()
    assert (middle[2 * third + 3 :] > 128).all()


def test_a_layer_by_its_name_its_tensor_or_none(pooled: pipeline.Model, tmp_path: Path) -> None:
    image = saved(tmp_path / "four.png", np.array([[[255, 0, 0], [0, 0, 255]], [[0, 0, 0], [0, 255, 0]]], np.uint8))
    first = inspection.draw_features(pooled, image)
    assert first.title == "Conv_0 (Conv): 2 maps of 2x2"
    assert first.facts == {"layer": "Conv_0", "operator": "Conv", "maps": 2, "size": [2, 2], "silent": 0}
    assert "mid grey is 0" in first.lines[1]
    named = inspection.draw_features(pooled, image, layer="Relu_1")
    assert "black is 0" in named.lines[1]
    np.testing.assert_array_equal(named.picture, inspection.draw_features(pooled, image, layer="r").picture)
    tops = named.picture[5, [5, 415, 430, 840]][:, 0]  # the first row of both maps: red; green less blue
    assert tops.tolist() == [255, 0, 0, 0]
    vector = inspection.draw_features(pooled, image, layer="Gemm_4")
    assert vector.title == "Gemm_4 (Gemm): 3 maps of 1x1"


def test_silent_maps_are_counted(pooled: pipeline.Model, tmp_path: Path) -> None:
    image = saved(tmp_path / "blue.png", np.full((2, 2, 3), (0, 0, 255), np.uint8))
    drawn = inspection.draw_features(pooled, image, layer="r")
    assert drawn.facts["silent"] == 2
    assert "2 of 2 are 0 everywhere" in drawn.lines[1]


def test_a_wrong_layer_is_answered_with_the_list(pooled: pipeline.Model, tmp_path: Path) -> None:
    image = saved(tmp_path / "p.png", noise(2, 2, 3))
    with pytest.raises(UsageError) as told:
        inspection.draw_features(pooled, image, layer="Rely_1")
    assert str(told.value).endswith(
        "pooled.onnx: it has no layer 'Rely_1' (did you mean 'Relu_1'?). "
        "Its layers are Conv_0, Relu_1, GlobalAveragePool_2, Flatten_3, Gemm_4."
    )


def test_without_a_convolution_a_layer_must_be_named(tmp_path: Path) -> None:
    model = pipeline.open_model(dense(tmp_path / "d.onnx", np.ones((768, 2))))
    with pytest.raises(
        UsageError, match=r"it has no convolution\. Name a layer: --layer NAME\. Its layers are Flatten_0"
    ):
        inspection.draw_features(model, saved(tmp_path / "p.png", noise(16, 16, 3)))


@pytest.mark.parametrize(("content", "sentence"), [(b"", "the file is empty"), (b"text", "no kind of image begins")])
def test_a_bad_picture_is_named(pooled: pipeline.Model, tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(DataError, match=f"bad.png: {sentence}"):
        inspection.explain(pooled, tmp_path / "bad.png")
    with pytest.raises(DataError, match=r"none\.png: cannot be read: No such file"):
        inspection.explain(pooled, tmp_path / "none.png")


# files that others made


def test_the_last_convolution_of_squeezenet_is_its_map(shared: Path) -> None:
    """It ends in convolution, ReLU and mean: what a place says for a class is that class's channel."""
    path = shared / "models" / "squeezenet_fp16.onnx"
    model = pipeline.open_model(path, preset="imagenet-caffe", labels=shared / "models" / "imagenet_synset_words.txt")
    image = sorted((shared / "imagenet200" / "n02099267").iterdir())[0]
    found = class_activation(model, seen := see(model.spec, image))
    assert isinstance(found, ClassActivation)
    graph = graphs.with_outputs(graphs.load(path), ["conv10_2"])
    outputs = runtime.open_session(graph.SerializeToString(), device="cpu").run({"data_0": seen.values[None]})
    np.testing.assert_allclose(found.maps, outputs["conv10_2"][0].astype(float), atol=0.1)
    explained = inspection.explain(model, image)
    assert explained.class_name == "flat-coated retriever"
    y, x = np.unravel_index(np.argmax(explained.heat), explained.heat.shape)
    assert 5 <= y <= 10, "the dog's shoulder, below the middle"
    assert 2 <= x <= 8, "and to the left of it"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mobilenet_v2_int8", {"preset": "imagenet", "labels": "imagenet_synset_words.txt"}),
        ("mobilenet_v1_025_128_uint8_nhwc", {"preset": "raw", "labels": "imagenet_labels_1001.txt"}),
    ],
)
def test_quantised_files_have_class_activation_too(shared: Path, name: str, options: dict[str, Any]) -> None:
    labels = shared / "models" / options["labels"]
    model = pipeline.open_model(shared / "models" / f"{name}.onnx", **{**options, "labels": labels})
    seen = see(model.spec, sorted((shared / "imagenet200" / "n02099267").iterdir())[0])
    found = class_activation(model, seen)
    assert isinstance(found, ClassActivation)
    assert found.off < 0.02 * np.ptp(found.scores)


def test_a_network_with_dense_layers_is_explained_by_hiding(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n")
    model = pipeline.open_model(
        shared / "models" / "cifar10_tutorial.onnx", preset="tf", labels=tmp_path / "names.txt", resize="exact"
    )
    explained = inspection.explain(model, shared / "cifar10" / "horse" / "0003.jpg")
    assert (explained.class_name, explained.method) == ("horse", "occlusion")
    horse, grass = explained.heat[8:24, 6:26].mean(), explained.heat[24:, :6].mean()
    assert horse > 0.05 > grass
