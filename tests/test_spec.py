import json

import pytest
from pydantic import ValidationError

from cnnkit.errors import ModelError
from cnnkit.spec import ModelSpec, Normalize, Rescale, Resize, parse_spec

EXAMPLE = {
    "schema": 1,
    "task": "classification",
    "input": {"name": "input", "layout": "NCHW", "dtype": "float32", "channels": "RGB", "size": [224, 224]},
    "decode": {"exif": True, "alpha": "drop"},
    "preprocess": [
        {"op": "resize", "size": 256, "mode": "shortest", "filter": "bilinear", "implementation": "pillow"},
        {"op": "center_crop", "size": [224, 224]},
        {"op": "rescale", "scale": 0.00392156862745098},
        {"op": "normalize", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    ],
    "output": {"name": "logits", "activation": "softmax", "background": False},
    "classes": [{"name": "tench", "aliases": ["n01440764"]}],
    "provenance": {"source": "model.pt"},
    "verification": {"passed": True},
}


def spec(**changes: object) -> ModelSpec:
    return parse_spec(json.dumps(EXAMPLE | changes), source="test")


def test_a_spec_survives_its_own_json() -> None:
    read = spec()
    assert parse_spec(read.to_json(), source="again") == read


def test_the_list_splits_where_values_begin() -> None:
    assert [op.op for op in spec().geometry_operations] == ["resize", "center_crop"]
    assert [op.op for op in spec().value_operations] == ["rescale", "normalize"]


def test_the_hash_leaves_out_where_a_model_came_from() -> None:
    plain = spec()
    assert spec(provenance={"source": "other"}, verification={}).spec_hash == plain.spec_hash
    assert spec(decode={"exif": False, "alpha": "drop"}).spec_hash != plain.spec_hash


def test_defaults_written_out_do_not_change_the_hash() -> None:
    assert spec(decode={}).spec_hash == spec().spec_hash


def refusal(**changes: object) -> str:
    with pytest.raises(ModelError) as caught:
        spec(**changes)
    return str(caught.value)


def test_a_newer_schema_is_refused_with_the_way_out() -> None:
    assert refusal(schema=2) == "test: the spec has schema 2, this cnnkit reads up to 1. Upgrade cnnkit to read it."


def test_unknown_keys_are_refused_by_name() -> None:
    assert "colour: there is no such field" in refusal(colour="RGB")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"classes": []}, "classes is empty"),
        ({"input": {"channels": "GRAY", "size": [8, 8]}}, "to_gray stands first in preprocess exactly when"),
        ({"preprocess": [{"op": "normalize", "mean": [0.5, 0.5], "std": [1, 1]}]}, "2 means for 3 channels"),
        (
            {"preprocess": [{"op": "rescale", "scale": 1}, {"op": "center_crop", "size": [2, 2]}]},
            "center_crop stands after the values",
        ),
        ({"preprocess": [{"op": "rescale", "scale": float("nan")}]}, "scale: should be a finite number"),
        (
            {"preprocess": [{"op": "normalize", "mean": [0.0] * 3, "std": [float("inf")] * 3}]},
            "should be a finite number",
        ),
        ({"task": "detection"}, "task 'detection' does not go with output ClassificationOutput"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], sentence: str) -> None:
    assert sentence in refusal(**changes)


def test_a_spec_that_is_no_json_is_refused() -> None:
    with pytest.raises(ModelError, match=r"digits\.onnx: the spec is not JSON"):
        parse_spec("{", source="digits.onnx")


def test_a_filter_of_another_implementation_is_refused_with_the_right_ones() -> None:
    with pytest.raises(ValidationError, match="opencv has no filter 'bilinear'; it has nearest, linear, cubic"):
        Resize(size=8, implementation="opencv")


def test_a_standard_deviation_of_zero_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be above 0"):
        Normalize(mean=(0.0,), std=(0.0,))


def test_a_letterbox_takes_two_sizes() -> None:
    with pytest.raises(ValidationError, match=r"resize mode 'letterbox' takes size as \[height, width\], got 640"):
        Resize(size=640, mode="letterbox")


def test_a_rescale_has_no_offset_unless_given() -> None:
    assert Rescale(scale=2.0).offset == 0.0


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("conf", 1.5, "output.conf: should be less than or equal to 1 (got 1.5)"),
        ("iou", -0.1, "output.iou: should be greater than or equal to 0 (got -0.1)"),
        ("max_detections", 0, "output.max_detections: should be greater than or equal to 1 (got 0)"),
        ("confidence", 0.5, "output.confidence: there is no such field (got 0.5)"),
    ],
)
def test_a_detectors_output_is_told_its_own_problem_alone(field: str, value: float, problem: str) -> None:
    output = {"name": "out", "decoder": "yolox", field: value}
    with pytest.raises(ModelError) as caught:
        spec(task="detection", output=output)
    assert str(caught.value) == f"test: the spec is not valid: {problem}"
