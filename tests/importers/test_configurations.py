import json
from pathlib import Path
from typing import Any

import pytest

from cnnkit.errors import ModelError
from cnnkit.importers import find_description, from_huggingface, from_timm, from_ultralytics
from cnnkit.spec import CenterCrop, ClassName, Normalize, Rescale, Resize, ToGray

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
UNIT, NORMAL = Rescale(scale=1 / 255), Normalize(mean=tuple(MEAN), std=tuple(STD))


def timm_config(**changes: Any) -> dict[str, Any]:
    usual = {
        "input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "center",
        "mean": MEAN, "std": STD,
    }  # fmt: skip
    return {"architecture": "resnet", "num_classes": 2, "pretrained_cfg": {**usual, **changes}}


def test_timms_crop_share_is_rounded_down() -> None:
    found = from_timm(timm_config())  # 224 / 0.95 = 235.79
    assert found.preprocess == (Resize(size=235, filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL)
    assert (found.size, found.channels, found.classes) == ((224, 224), "RGB", None)


def test_timm_squashed_grey_and_labelled() -> None:
    config = timm_config(input_size=[1, 64, 64], crop_pct=1.0, crop_mode="squash", mean=[0.5], std=[0.5])
    config["label_names"] = ["n1", "n2"]
    config["label_descriptions"] = {"n1": "tench"}
    found = from_timm(config)
    crop = CenterCrop(size=(64, 64))
    size = Resize(size=(64, 64), mode="exact", filter="bicubic")
    assert found.preprocess == (ToGray(), size, crop, UNIT, Normalize(mean=(0.5,), std=(0.5,)))
    assert found.classes == (ClassName(name="tench", aliases=("n1",)), ClassName(name="n2"))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (timm_config(crop_mode="border"), "crop_mode 'border' to .* cannot be said in a spec"),
        (timm_config(input_size=[3, 224, 192]), r"crop_mode 'center' to \[224, 192\]"),
        ({"architecture": "x"}, "there is no input_size in it"),
    ],
)
def test_what_timm_says_that_a_spec_cannot(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        from_timm(config)


VIT = {
    "do_resize": True, "size": {"height": 224, "width": 224}, "resample": 2, "do_rescale": True,
    "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": MEAN, "image_std": STD,
}  # fmt: skip


def test_hugging_face_squashed() -> None:
    found = from_huggingface(VIT, {"id2label": {"0": "tench, Tinca tinca", "1": "goldfish"}})
    assert found.preprocess == (Resize(size=(224, 224), mode="exact"), UNIT, NORMAL)
    assert found.classes == (ClassName(name="tench, Tinca tinca", aliases=("tench",)), ClassName(name="goldfish"))
    assert (found.size, found.exact, found.activation) == ((224, 224), True, None)


def test_hugging_face_cut_out() -> None:
    facts = {**VIT, "size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": 224, "resample": 3}
    found = from_huggingface(facts, {"problem_type": "multi_label_classification"})
    assert found.preprocess == (Resize(size=256, filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL)
    assert found.activation == "sigmoid"
    assert "at most one pixel apart" in found.notes[0]


@pytest.mark.parametrize(("short", "operations"), [(224, 2), (384, 1)])
def test_convnext_cuts_below_384_and_squashes_from_there(short: int, operations: int) -> None:
    facts = {
        **VIT,
        "size": {"shortest_edge": short},
        "crop_pct": 0.875,
        "image_processor_type": "ConvNextImageProcessor",
    }
    found = from_huggingface(facts)
    assert found.preprocess is not None
    assert [op.op for op in found.preprocess][:-2] == ["resize", "center_crop"][:operations]
    first = found.preprocess[0]
    assert isinstance(first, Resize)
    assert first.size == (256 if short == 224 else (384, 384))
    assert found.size == (short, short)


STANDARD = {"image_mean": MEAN, "image_std": STD}
SHORT, CROP = {"shortest_edge": 224}, {"crop_size": {"height": 224, "width": 224}}

PROCESSORS: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    (
        "ConvNextFeatureExtractor",  # as resnet-50 has it: one number is the short side
        {"size": 224, "crop_pct": 0.875, "resample": 3, **STANDARD},
        (Resize(size=256, filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL),
    ),
    (
        "LevitImageProcessor",
        {"size": SHORT, **CROP, "resample": 3, **STANDARD},
        (Resize(size=256, filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL),
    ),
    (
        "PoolFormerImageProcessor",  # 224 / 0.95 = 235.79
        {"size": SHORT, **CROP, "crop_pct": 0.95, "resample": 3, **STANDARD},
        (Resize(size=235, filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL),
    ),
    (
        "PoolFormerImageProcessor",
        {"size": SHORT, **CROP, "crop_pct": None, "resample": 3, **STANDARD},
        (Resize(size=224, filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL),
    ),
    (
        "DeiTFeatureExtractor",
        {"size": 256, "crop_size": 224, "resample": 3, **STANDARD},
        (Resize(size=(256, 256), mode="exact", filter="bicubic"), CenterCrop(size=(224, 224)), UNIT, NORMAL),
    ),
    (
        "EfficientNetImageProcessor",  # divided by the standard deviation twice
        {"size": 64, "resample": 0, "image_mean": [0.5] * 3, "image_std": [0.5] * 3},
        (
            Resize(size=(64, 64), mode="exact", filter="nearest"),
            UNIT,
            Normalize(mean=(0.5,) * 3, std=(0.25,) * 3),
        ),
    ),
    (
        "EfficientNetImageProcessor",
        {"size": 64, "resample": 0, "rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False,
         "include_top": False},
        (Resize(size=(64, 64), mode="exact", filter="nearest"), Rescale(scale=1 / 127.5, offset=-1)),
    ),
    (
        "ViTImageProcessorFast",
        {"size": {"height": 8, "width": 8}, "do_center_crop": None, "do_pad": False, "device": None, **STANDARD},
        (Resize(size=(8, 8), mode="exact"), UNIT, NORMAL),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "facts", "expected"), PROCESSORS)
def test_what_each_image_processor_does_with_its_fields(
    kind: str, facts: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    found = from_huggingface({"image_processor_type": kind, **facts})
    assert (found.preprocess, found.channels) == (expected, "RGB")


def test_mobilevit_takes_bgr_and_normalizes_nothing() -> None:
    facts = {"feature_extractor_type": "MobileViTFeatureExtractor", "size": 288, "crop_size": 256, "resample": 2}
    for flip, channels in (
        ({}, "BGR"),
        ({"do_flip_channel_order": True}, "BGR"),
        ({"do_flip_channel_order": False}, "RGB"),
    ):
        found = from_huggingface({**facts, **flip})
        assert found.preprocess == (Resize(size=288), CenterCrop(size=(256, 256)), UNIT)
        assert found.channels == channels


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"image_processor_type": "PerceiverImageProcessor"},
            "PerceiverImageProcessor is none whose steps are known here",
        ),
        ({"do_pad": True}, "do_pad True is no field whose effect on the picture is known here"),
        ({"antialias": False}, "antialias False is no field whose effect"),
        ({"crop_pct": 0.9}, r"crop_pct 0\.9 is no field whose effect"),
        (
            {"do_flip_channel_order": True},
            "do_flip_channel_order with do_normalize leaves the order of image_mean open",
        ),
        ({"resample": None}, "do_resize is on, and size or resample is missing"),
        ({"do_center_crop": True}, "do_center_crop is on, and crop_size is missing"),
        ({"image_std": [0.2, 0.0, 0.2]}, "every standard deviation must be above 0"),
        ({"rescale_factor": float("nan")}, "the rescale cannot be said: scale: should be a finite number"),
        (
            {"image_processor_type": "EfficientNetImageProcessor", "rescale_offset": True},
            "rescale_offset with rescale_factor 0.0039.* has had two meanings",
        ),
    ],
)
def test_no_field_of_hugging_face_is_dropped(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=f"{sentence}.*--preset and its flags, or with --spec FILE"):
        from_huggingface({**VIT, **changes})


def test_hugging_face_without_what_it_needs() -> None:
    with pytest.raises(ModelError, match="image_mean or image_std is missing"):
        from_huggingface({"size": 8})
    with pytest.raises(ModelError, match=r"size \{'longest_edge': 9\} is more than a spec can say"):
        from_huggingface({**VIT, "size": {"longest_edge": 9}})


YOLO = {
    "task": "detect",
    "names": "{0: 'cat', 1: 'dog'}",
    "imgsz": "[640, 480]",
    "stride": "32",
    "args": "{'nms': False}",
}


def test_ultralytics_detector() -> None:
    found = from_ultralytics(YOLO)
    assert found is not None
    fitted = Resize(size=(640, 480), mode="letterbox", filter="linear", implementation="opencv")
    assert found.preprocess == (fitted, UNIT)
    assert (found.task, found.decoder, found.size) == ("detection", "ultralytics", (640, 480))
    assert found.classes == (ClassName(name="cat"), ClassName(name="dog"))
    for changes in ({"args": "{'nms': True}"}, {"end2end": "True"}):
        final = from_ultralytics({**YOLO, **changes})
        assert final is not None
        assert final.decoder == "ultralytics_end2end"


def test_ultralytics_classifier() -> None:
    found = from_ultralytics({**YOLO, "task": "classify", "imgsz": "[224, 224]"})
    assert found is not None
    assert found.preprocess == (Resize(size=224), CenterCrop(size=(224, 224)), UNIT)
    assert found.activation == "none"


def test_ultralytics_refuses_and_passes_by() -> None:
    assert from_ultralytics({"task": "detect"}) is None
    with pytest.raises(ModelError, match="the task is 'segment'; classify and detect can be run"):
        from_ultralytics({**YOLO, "task": "segment"})
    with pytest.raises(ModelError, match=r"names is '\{0: ', which cannot be read"):
        from_ultralytics({**YOLO, "names": "{0: "})


def test_what_lies_beside_a_file(tmp_path: Path) -> None:
    model = tmp_path / "onnx" / "model.onnx"
    model.parent.mkdir()
    assert find_description(model, {}) is None
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "a", "1": "b"}}))
    names_only = find_description(model, {})
    assert names_only is not None
    assert names_only.preprocess is None
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(VIT))
    both = find_description(model, {})
    assert both is not None
    assert both.preprocess is not None
    assert both.classes == (ClassName(name="a"), ClassName(name="b"))
    assert both.origin == str(tmp_path / "preprocessor_config.json")
    (model.parent / "config.json").write_text(json.dumps(timm_config()))
    nearer = find_description(model, {})
    assert nearer is not None
    assert nearer.size == (224, 224)
    own = find_description(model, YOLO)
    assert own is not None
    assert own.task == "detection"
    (model.parent / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json: cannot be read as JSON"):
        find_description(model, {})
