"""Files of others whose graphs do not say what their scores are: two photographs do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnnkit.pipeline import Model, open_model
from cnnkit.spec import ClassificationOutput

WriteModel = Callable[..., Path]

WEIGHTS = "<float[3, 3] w = {2, -3, 1, -1, 4, -2, 1, 1, -3}, float one = {1}, int64[1] axis = {1}>"
BY_HAND = "e = Exp(l) s = ReduceSum(e, axis) y = Div(e, s)"
SIGMOID = "n = Neg(l) e = Exp(n) d = Add(e, one) y = Reciprocal(d)"


def opened(write_model: WriteModel, folder: Path, end: str, *, batch: str = "N", **options: object) -> Model:
    text = f"""<ir_version: 8, opset_import: ["" : 17]> g (float[{batch},3,8,8] x) => (float[{batch},3] y) {WEIGHTS} {{
        p = GlobalAveragePool(x) f = Flatten(p) l = MatMul(f, w) {end} }}"""
    return open_model(write_model(folder / "m.onnx", text, None), device="cpu", preset="imagenet", **options)  # type: ignore[arg-type]


def activation(model: Model) -> str:
    assert isinstance(model.spec.output, ClassificationOutput)
    return model.spec.output.activation


@pytest.mark.parametrize("batch", ["N", "1", "3"])
def test_a_softmax_written_out_is_not_taken_twice(write_model: WriteModel, tmp_path: Path, batch: str) -> None:
    model = opened(write_model, tmp_path, BY_HAND, batch=batch)
    assert activation(model) == "none"
    assert model.notes[0] == (
        'Output "y" adds up to 1 on 8 cuts of two photographs: taken as probabilities (--activation says otherwise).'
    )
    photo = np.full((8, 8, 3), (200, 20, 90), np.uint8)
    plain = opened(write_model, tmp_path, "y = Identity(l)").predict(photo)
    assert model.predict(photo).scores == pytest.approx(plain.scores, abs=1e-6)


def test_a_sigmoid_written_out_is_taken_as_it_is_and_said(write_model: WriteModel, tmp_path: Path) -> None:
    model = opened(write_model, tmp_path, SIGMOID)
    assert activation(model) == "none"
    assert "as after a sigmoid: each value is taken as the score of its class" in model.notes[0]
    assert "--activation says otherwise" in model.notes[0]


def test_other_ends_keep_the_softmax(write_model: WriteModel, tmp_path: Path) -> None:
    for end in ("y = Identity(l)", "y = Tanh(l)"):
        model = opened(write_model, tmp_path, end)
        assert (activation(model), len(model.notes)) == ("softmax", 1)


def test_what_is_typed_holds(write_model: WriteModel, tmp_path: Path) -> None:
    model = opened(write_model, tmp_path, BY_HAND, activation="softmax")
    assert (activation(model), len(model.notes)) == ("softmax", 1)


def test_the_graph_holds_against_a_multi_label_configuration(write_model: WriteModel, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"problem_type": "multi_label_classification", "id2label": {"0": "a", "1": "b", "2": "c"}}'
    )
    found = {
        end: activation(opened(write_model, tmp_path, end)) for end in ("y = Identity(l)", "y = Sigmoid(l)", SIGMOID)
    }
    assert list(found.values()) == ["sigmoid", "none", "none"]
