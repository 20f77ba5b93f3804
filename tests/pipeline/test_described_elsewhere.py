"""Files of others that say themselves, or beside themselves, how they are fed."""

import json
from pathlib import Path
from typing import Any

import pytest

from cnnkit import pipeline
from cnnkit.errors import ModelError
from cnnkit.spec import CenterCrop, DetectionOutput, Resize

SCORES = """
<ir_version: 10, opset_import: ["" : 17]>
m (float[N,3,{size},{size}] pixel_values) => (float[N,3] logits) {{
    pooled = GlobalAveragePool(pixel_values)
    logits = Flatten<axis=1>(pooled)
}}"""
MEAN, STD = [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]
PREPROCESSOR = {"size": {"height": 8, "width": 8}, "resample": 2, "image_mean": MEAN, "image_std": STD}


@pytest.mark.parametrize("size", ["8", "H", "16"], ids=["fixed", "open", "fixed at another size"])
def test_hugging_face_beside_the_file(write_model: Any, tmp_path: Path, size: str) -> None:
    path = write_model(tmp_path / "onnx" / "model.onnx", SCORES.format(size=size), None)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "red", "1": "green", "2": "blue"}}))
    model = pipeline.open_model(path, device="cpu")
    side = 16 if size == "16" else 8
    assert model.spec.names == ["red", "green", "blue"]
    assert model.spec.preprocess[0] == Resize(size=(side, side), mode="exact")
    assert f"How images are prepared is taken from {tmp_path / 'preprocessor_config.json'}." in model.notes


def test_a_typed_preset_wins_and_the_names_stay(write_model: Any, tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.onnx", SCORES.format(size="8"), None)
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "red", "1": "green", "2": "blue"}}))
    with pytest.raises(ModelError, match="holds no cnnkit spec"):
        pipeline.open_model(path, device="cpu")
    model = pipeline.open_model(path, device="cpu", preset="imagenet")
    assert model.spec.names == ["red", "green", "blue"]
    assert model.spec.preprocess[:2] == (Resize(size=9), CenterCrop(size=(8, 8)))


def test_ultralytics_in_the_file(write_model: Any, tmp_path: Path) -> None:
    import onnx

    text = """
        <ir_version: 10, opset_import: ["" : 17]>
        d (float[1,3,32,32] images) => (float[1,6,21] output0) {
            zero = Constant<value = float[1,6,21] {0}>()
            output0 = Identity(zero)
        }""".replace("{0}", "{" + ",".join(["0"] * 126) + "}")
    path = write_model(tmp_path / "yolo.onnx", text, None)
    model = onnx.load(path)
    facts = {"task": "detect", "names": "{0: 'cat', 1: 'dog'}", "imgsz": "[32, 32]", "stride": "32"}
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    spec = pipeline.open_model(path, device="cpu").spec
    assert spec.names == ["cat", "dog"]
    assert isinstance(spec.output, DetectionOutput)
    assert (spec.output.decoder, spec.output.name) == ("ultralytics", "output0")
    assert spec.preprocess[0] == Resize(size=(32, 32), mode="letterbox", filter="linear", implementation="opencv")


SEVERAL = """
<ir_version: 10, opset_import: ["" : 17]>
m (float[N,3,8,8] image) => (float[N,3,1,1] features, float[N,{n}] logits, float[N,{m}] other) {{
    features = GlobalAveragePool(image)
    logits = Flatten<axis=1>(features)
    other = Concat<axis=1>(logits, logits)
}}"""


def test_the_output_with_the_scores_is_chosen_with_a_reason(write_model: Any, tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", SEVERAL.format(n=3, m=6), None)
    labels = tmp_path / "names.txt"
    labels.write_text("\n".join("abcdef"))
    model = pipeline.open_model(path, device="cpu", preset="raw", labels=labels)
    assert model.spec.output.name == "other"
    assert any('the scores are taken from "other": it alone holds 6 scores' in note for note in model.notes)
    with pytest.raises(ModelError, match=r'has the outputs "features" .* --output-name NAME'):
        pipeline.open_model(path, device="cpu", preset="raw")
    named = pipeline.open_model(path, device="cpu", preset="raw", output_name="logits")
    assert (named.spec.output.name, len(named.spec.classes)) == ("logits", 3)
    with pytest.raises(ModelError, match='has no output "logit"; it has "features"'):
        pipeline.open_model(path, device="cpu", preset="raw", output_name="logit")
