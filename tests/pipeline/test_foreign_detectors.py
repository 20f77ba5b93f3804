"""Detectors of others from the command line: each form of output is known by its shape, or asked about."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from cnnkit import pipeline
from cnnkit.boxes import cxcywh_from_xyxy
from cnnkit.errors import ModelError
from cnnkit.postprocess.yolox import grid_cells

Run = Callable[..., Any]
Outputs = Mapping[str, np.ndarray]

SIDE = 32
BOX = np.array([8.0, 4.0, 24.0, 28.0])  # in the input; the photo is twice as wide and as high
SEEN = [16.0, 8.0, 48.0, 56.0]
TYPES = {"float32": "float", "int64": "int64"}


def write_detector(path: Path, outputs: Outputs, metadata: Mapping[str, str] | None = None) -> Path:
    """A model that gives the same outputs for every picture."""
    declared = ", ".join(
        f"{TYPES[value.dtype.name]}[{','.join(map(str, value.shape))}] {name}" for name, value in outputs.items()
    )
    body = "\n".join(
        f"{name} = Constant<value = {TYPES[value.dtype.name]}[{','.join(map(str, value.shape))}] "
        f"{{{','.join(map(str, value.ravel().tolist()))}}}>()"
        for name, value in outputs.items()
    )
    text = (
        f'<ir_version: 8, opset_import: ["" : 17]>\ng (float[1,3,{SIDE},{SIDE}] image) => ({declared}) {{\n{body}\n}}'
    )
    model = onnx.parser.parse_model(text)
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    return path


def filled(shape: tuple[int, ...], at: tuple[Any, ...], values: Any, fill: float = 0.0) -> np.ndarray:
    array = np.full(shape, fill, np.float32)
    array[at] = values
    return array


def ultralytics() -> Outputs:
    return {"output0": filled((1, 6, 21), (0, slice(None), 5), [*cxcywh_from_xyxy(BOX), 0.1, 0.9])}


def end2end() -> Outputs:
    return {"output0": filled((1, 5, 6), (0, 0), [*BOX, 0.9, 1])}


def yolov5() -> Outputs:
    return {"out": filled((1, 63, 7), (0, 40), [*cxcywh_from_xyxy(BOX), 1, 0.1, 0.9])}


def yolox() -> Outputs:
    cells = grid_cells((SIDE, SIDE), (8, 16, 32))
    column, row, stride = cells[18]
    x, y, w, h = cxcywh_from_xyxy(BOX)
    own = [x / stride - column, y / stride - row, np.log(w / stride), np.log(h / stride), 1, 0.1, 0.9]
    return {"out": filled((1, 21, 7), (0, 18), own)}


def fastestdet() -> Outputs:
    _, _, w, h = cxcywh_from_xyxy(BOX) / SIDE
    own = [1, 0, 0, np.log(w / (1 - w)), np.log(h / (1 - h)), 0.01, 0.9]  # the centre is the corner of the last cell
    return {"out": filled((1, 7, 2, 2), (0, slice(None), 1, 1), own)}


def separate(form: str = "xyxy", *, names: tuple[str, ...] = ("boxes", "labels", "scores"), label: int = 2) -> Outputs:
    box = BOX / SIDE if "unit" in form else BOX
    box = box[[1, 0, 3, 2]] if form.startswith("yxyx") else box
    values = [box.astype(np.float32)[None], np.array([label]), np.array([0.9], np.float32)]
    return dict(zip(names, values, strict=True))


def tensorflow() -> Outputs:
    found = separate("yxyx:unit", names=("detection_boxes", "detection_classes", "detection_scores"))
    named = {name: value.astype(np.float32)[None] for name, value in found.items()}
    return {**named, "num_detections": np.ones(1, np.float32)}


def detr() -> Outputs:
    logits = filled((1, 3, 3), (0, slice(None)), [-9.0, -9.0, 9.0])
    logits[0, 1] = [-9, 12, 0]
    return {"pred_logits": logits, "pred_boxes": filled((1, 3, 4), (0, 1), cxcywh_from_xyxy(BOX) / SIDE, 0.5)}


@pytest.fixture
def photo(tmp_path: Path, write_colour: Callable[..., Path]) -> Path:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    return write_colour(tmp_path / "photo.png", "gray", size=(64, 64))


def boxes_of(run_cnnkit: Run, model: Path, photo: Path, *words: str) -> tuple[list[float], str]:
    """The one box that is found, which is the dog's, and what was said."""
    names = () if any(word == "--labels" for word in words) else ("--labels", model.parent / "names.txt")
    preset = () if "--preset" in words else ("--preset", "raw")
    result = run_cnnkit("infer", model, photo, *preset, *names, *words, "--json")
    [found] = json.loads(result.stdout)
    assert found["class"] == "dog"
    return found["box"], result.stderr


@pytest.mark.parametrize(
    ("outputs", "words", "said"),
    [
        (ultralytics, (), '"ultralytics": 4 + 2 values for each of 21 candidates'),
        (end2end, (), '"ultralytics_end2end": six values for each box: corners, score, class'),
        (yolov5, (), '"yolov5": 5 + 2 values for each of 63 candidates, three a cell'),
        (yolox, ("--decoder", "yolox"), '"yolox": 5 + 2 values for each of 21 candidates, one a cell'),
        (
            yolox,
            ("--preset", "yolox", "--resize", "exact"),
            '"yolox": 5 + 2 values for each of 21 candidates, one a cell',
        ),
        (fastestdet, (), '"fastestdet": one map of 5 + 2 values in each cell'),
        (separate, ("--background",), "\"boxes\": boxes in 'boxes', scores in 'scores', labels in 'labels'"),
        (tensorflow, (), "named as TensorFlow's: top, left, bottom, right in 0..1, labels from 1"),
        (detr, (), "\"detr\": a box in 'pred_boxes' and 3 logits in 'pred_logits' for each query, the last one no"),
    ],
)
def test_each_form(
    run_cnnkit: Run, photo: Path, tmp_path: Path, outputs: Callable[[], Outputs], words: tuple[str, ...], said: str
) -> None:
    model = write_detector(tmp_path / "m.onnx", outputs())
    box, told = boxes_of(run_cnnkit, model, photo, *words)
    assert box == pytest.approx(SEEN, abs=1e-3)
    assert f"Boxes are read by the decoder {said}" in told or said in told


def test_separate_boxes_told_apart_by_their_types(run_cnnkit: Run, photo: Path, tmp_path: Path) -> None:
    found = separate("yxyx:unit", names=("6379", "6381", "6383"), label=1)
    model = write_detector(tmp_path / "m.onnx", {f"t{name}": value for name, value in found.items()})
    box, _ = boxes_of(run_cnnkit, model, photo, "--box-form", "yxyx:unit", "--no-background")
    assert box == pytest.approx(SEEN, abs=1e-3)


def test_a_label_file_with_a_background_says_where_labels_begin(run_cnnkit: Run, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "all.txt").write_text("background\ncat\ndog\n")
    model = write_detector(tmp_path / "m.onnx", separate())
    boxes_of(run_cnnkit, model, photo, "--labels", str(tmp_path / "all.txt"))


@pytest.mark.parametrize(
    ("outputs", "words", "message"),
    [
        (yolox, (), "can be read in more than one way: yolox"),
        (yolox, (), "if boxes are in pixels). Say which: --decoder NAME"),
        (separate, (), 'its labels "labels" may count classes from 0, or from 1 where 0 is a background'),
        (ultralytics, ("--decoder", "yolox"), "the decoder 'yolox' does not read such"),
        (ultralytics, ("--output-name", "boxes"), 'has no output "boxes"; it has "output0"'),
        (lambda: {"out": np.zeros((1, 9, 21), np.float32)}, (), "no known decoder reads such"),
    ],
)
def test_what_the_shapes_leave_open_is_asked(
    run_cnnkit: Run, photo: Path, tmp_path: Path, outputs: Callable[[], Outputs], words: tuple[str, ...], message: str
) -> None:
    model = write_detector(tmp_path / "m.onnx", outputs())
    names = ("--preset", "raw", "--labels", tmp_path / "names.txt")
    said = run_cnnkit("infer", model, photo, *names, *words, exit_code=3).stderr
    assert message in said


def test_a_decoder_that_is_none_is_refused_with_those_there_are(run_cnnkit: Run, photo: Path, tmp_path: Path) -> None:
    model = write_detector(tmp_path / "m.onnx", yolox())
    names = ("--preset", "raw", "--labels", tmp_path / "names.txt", "--decoder", "yolo")
    said = run_cnnkit("infer", model, photo, *names, exit_code=2).stderr
    assert "there is no decoder 'yolo'; there are ultralytics, ultralytics_end2end, yolov5, yolox, " in said


def test_class_names_are_asked_for(run_cnnkit: Run, photo: Path, tmp_path: Path) -> None:
    model = write_detector(tmp_path / "m.onnx", ultralytics())
    said = run_cnnkit("infer", model, photo, "--preset", "ultralytics", exit_code=3).stderr
    assert "a detector's class names are not in the file (its outputs are " in said
    assert "--labels FILE" in said


def test_shares_taken_for_pixels_are_noticed(run_cnnkit: Run, photo: Path, tmp_path: Path) -> None:
    model = write_detector(tmp_path / "m.onnx", separate("xyxy:unit"))
    words = ("--preset", "raw", "--labels", tmp_path / "names.txt", "--background")
    said = run_cnnkit("infer", model, photo, *words, exit_code=3).stderr
    assert "if they are parts of the picture, say --box-form xyxy:unit" in said
    run_cnnkit("infer", model, photo, *words, "--box-form", "xyxy:pixels")
    box, _ = boxes_of(run_cnnkit, model, photo, "--background", "--box-form", "xyxy:unit")
    assert box == pytest.approx(SEEN, abs=1e-3)


@pytest.mark.parametrize(
    ("outputs", "words", "message"),
    [
        (ultralytics, ("--box-form", "yxyx"), "--box-form is for detectors whose boxes, scores and labels are outputs"),
        (separate, ("--background", "--box-form", "corners"), "box form 'corners' must be one of xyxy, yxyx, xywh"),
        (ultralytics, ("--background",), "--background is for classifiers; the spec says detection."),
    ],
)
def test_wrong_usage(
    run_cnnkit: Run, photo: Path, tmp_path: Path, outputs: Callable[[], Outputs], words: tuple[str, ...], message: str
) -> None:
    model = write_detector(tmp_path / "m.onnx", outputs())
    names = ("--preset", "raw", "--labels", tmp_path / "names.txt")
    assert message in run_cnnkit("infer", model, photo, *names, *words, exit_code=2).stderr


METADATA = {"task": "detect", "names": "{0: 'cat', 1: 'dog'}", "imgsz": "[32, 32]", "stride": "32"}


@pytest.mark.parametrize(
    ("outputs", "metadata", "decoder"),
    [
        (ultralytics, {}, "ultralytics"),
        (end2end, {"end2end": "True"}, "ultralytics_end2end"),
        (end2end, {"args": "{'nms': True}"}, "ultralytics_end2end"),
        (end2end, {}, "ultralytics_end2end"),
        (yolov5, {}, "yolov5"),
    ],
    ids=["v8", "end to end", "suppression exported", "told by the shape alone", "v5"],
)
def test_ultralytics_metadata(
    photo: Path, tmp_path: Path, outputs: Callable[[], Outputs], metadata: dict[str, str], decoder: str
) -> None:
    model = pipeline.open_model(write_detector(tmp_path / "m.onnx", outputs(), METADATA | metadata), device="cpu")
    assert getattr(model.spec.output, "decoder", None) == decoder
    assert any(f'Boxes are read by the decoder "{decoder}"' in note for note in model.notes)
    [(name, _, box)] = model.predict(photo).boxes
    assert name == "dog"
    assert box == pytest.approx(SEEN, abs=1e-3)


def test_a_classifier_of_several_axes_is_none(tmp_path: Path, photo: Path) -> None:
    model = write_detector(tmp_path / "m.onnx", {"scores": np.zeros((1, 2, 1, 1), np.float32)})
    spec = pipeline.open_model(model, device="cpu", preset="raw", labels=tmp_path / "names.txt").spec
    assert spec.task == "classification"
    maps = write_detector(tmp_path / "maps.onnx", {"maps": np.zeros((1, 2, 7, 7), np.float32)})
    with pytest.raises(ModelError, match="no known decoder reads such"):
        pipeline.open_model(maps, device="cpu", preset="raw", labels=tmp_path / "names.txt")


def test_a_classifier_of_four_classes_beside_its_decision_is_none(tmp_path: Path, photo: Path) -> None:
    outputs = {"a": np.zeros((1, 4), np.float32), "b": np.zeros(1, np.int64), "c": np.zeros(1, np.float32)}
    model = write_detector(tmp_path / "m.onnx", outputs)
    (tmp_path / "four.txt").write_text("cat\ndog\nant\nbee\n")
    for labels in (tmp_path / "four.txt", None):
        spec = pipeline.open_model(model, device="cpu", preset="raw", labels=labels, output_name="a").spec
        assert (spec.task, len(spec.classes)) == ("classification", 4)
