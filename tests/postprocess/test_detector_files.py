"""Detectors as files, from photo to boxes in its pixels."""

import numpy as np
import onnx
import pytest

from cnnkit.pipeline import open_model
from cnnkit.spec import METADATA_KEY, ClassName, DetectionOutput, ModelInput, ModelSpec, Rescale, Resize

SEPARATE = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[1,3,32,32] image) => (float[N,4] boxes, float[N] scores, int64[N] labels) {
    boxes = Constant<value = float[3,4] {0.0, 0.0, 16.0, 8.0, 8.0, 8.0, 24.0, 24.0, 1.0, 1.0, 2.0, 2.0}>()
    scores = Constant<value = float[3] {0.9, 0.8, 0.1}>()
    labels = Constant<value = int64[3] {1, 2, 2}>()
}"""


@pytest.fixture
def separate(tmp_path):
    """A detector as torchvision exports them: no axis for the batch, labels from 1."""
    spec = ModelSpec(
        task="detection",
        input=ModelInput(name="image", size=(32, 32)),
        preprocess=(Resize(size=(32, 32), mode="exact"), Rescale(scale=1 / 255)),
        output=DetectionOutput(name="boxes", decoder="boxes", scores="scores", labels="labels", first_label=1),
        classes=(ClassName(name="cat"), ClassName(name="dog")),
    )
    model = onnx.parser.parse_model(SEPARATE)
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    path = tmp_path / "separate.onnx"
    onnx.save(model, path)
    return path


def test_outputs_without_a_batch_axis_stay_whole(separate):
    found = open_model(separate, device="cpu").predict(np.zeros((64, 128, 3), np.uint8))
    assert [(name, box) for name, _, box in found.boxes] == [("cat", (0, 0, 64, 16)), ("dog", (32, 16, 96, 48))]
