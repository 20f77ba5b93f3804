"""int8 detectors behind the gate on coco_AP."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cnnkit import pipeline, quantization
from cnnkit.boxes import cxcywh_from_xyxy
from cnnkit.comparison.paired_ap import paired_ap_drop
from cnnkit.errors import CheckFailed, DataError, UsageError
from cnnkit.metrics import FoundBoxes, TrueBoxes, coco_scores
from cnnkit.quantization._choice import _error, _tried_alone
from cnnkit.spec import METADATA_KEY, parse_spec

CELL, CELLS = 8, 4  # 16 cells of 8 pixels; an object is a cell that is brighter than most
N = 60


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of cells, a few of which are objects and a little brighter than the rest, and boxes.csv."""
    root = tmp_path_factory.mktemp("cells")
    random = np.random.default_rng(1)
    rows = ["key,class,x1,y1,x2,y2"]
    for number in range(N):
        levels = random.normal(90, 25, (CELLS, CELLS))
        for at in random.permutation(CELLS * CELLS)[:2]:
            levels.flat[at] += 60
            y, x = divmod(int(at), CELLS)
            rows.append(f"{number:02}.png,spot,{CELL * x},{CELL * y},{CELL * (x + 1)},{CELL * (y + 1)}")
        picture = np.kron(levels.clip(0, 255), np.ones((CELL, CELL))).astype(np.uint8)
        cv2.imwrite(str(root / f"{number:02}.png"), np.repeat(picture[:, :, None], 3, axis=2))
    (root / "boxes.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    """Brightness of each cell by two convolutions, in the form of Ultralytics: boxes in pixels beside scores."""
    corners = np.array([[x, y, x + 1, y + 1] for y in range(CELLS) for x in range(CELLS)], np.float64) * CELL
    constants = {
        "smooth": np.full((3, 1, 1, 1), 1.0, np.float32),
        "mean": np.full((1, 3, CELL, CELL), 6 / (3 * CELL * CELL), np.float32),
        "middle": np.full(1, -2.7, np.float32),
        "boxes": cxcywh_from_xyxy(corners).T[None].astype(np.float32),
        "flat": np.array([1, 1, CELLS * CELLS], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["image", "smooth"], ["smoothed"], name="first", group=3),
        helper.make_node("Conv", ["smoothed", "mean", "middle"], ["levels"], name="second", strides=[CELL, CELL]),
        helper.make_node("Sigmoid", ["levels"], ["sure"], name="sigmoid"),
        helper.make_node("Reshape", ["sure", "flat"], ["scores"], name="reshape"),
        helper.make_node("Concat", ["boxes", "scores"], ["output0"], name="concat", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "cells",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, CELL * CELLS, CELL * CELLS])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 5, CELLS * CELLS])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    side = CELL * CELLS
    facts = {
        "task": "detection",
        "input": {"name": "image", "size": [side, side]},
        "preprocess": [{"op": "resize", "size": [side, side], "mode": "exact"}, {"op": "rescale", "scale": 1 / 255}],
        "output": {"name": "output0", "decoder": "ultralytics"},
        "classes": [{"name": "spot"}],
    }
    model.metadata_props.add(key=METADATA_KEY, value=parse_spec(json.dumps(facts), source="test").to_json())
    onnx.save(model, tmp_path / "cells.onnx")
    return tmp_path / "cells.onnx"


def test_a_good_copy_is_written_with_its_record(detector: Path, labelled: Path, run_cnnkit: Callable[..., Any]) -> None:
    words = ("quantize", detector, "--calib", labelled, "--data", labelled, "--max-drop", 10, "--json")
    result = run_cnnkit(*words)
    decision = json.loads(result.stdout)["decision"]
    assert (decision["basis"], decision["measure"], decision["n"]) == ("labels", "coco_AP", N)
    assert decision["low"] <= decision["drop"] <= decision["high"] <= decision["max_drop"]
    assert f"The gate: on {N} images coco_AP drops by" in result.stderr
    int8 = detector.with_name("cells-int8.onnx")
    opened = pipeline.open_model(int8)
    assert opened.spec.spec_hash == pipeline.open_model(detector).spec.spec_hash, "the gate's low confidence stays out"
    assert opened.spec.provenance["quantization"]["decision"]["measure"] == "coco_AP"
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(int8).graph.node}


def test_scores_count_as_much_as_boxes_that_are_a_hundred_times_as_large() -> None:
    wanted = np.concatenate([np.full((4, 50), 300.0), np.tile([0.0, 1.0], (3, 25))])
    got = wanted.copy()
    got[4:] *= 0.9
    assert _error([got], [wanted]) == pytest.approx(0.01 / 5)
    assert _error([got[:, :9]], [wanted]) == 1, "another number of boxes"


def test_many_nodes_are_tried_in_groups_first() -> None:
    nodes, tried = [f"n{at}" for at in range(113)], []
    culprit = "n77"

    def error_of(keep: frozenset[str]) -> float:
        tried.append(keep)
        return 0.1 if culprit in keep else 0.5

    reports: list[tuple[int, int]] = []
    single = _tried_alone(nodes, error_of, lambda done, total: reports.append((done, total)))
    assert min(single, key=single.__getitem__) == culprit
    assert len(tried) < 40
    assert reports[-1][0] == reports[-1][1] == len(tried)
    assert list(_tried_alone(nodes[:5], error_of, lambda done, total: None)) == nodes[:5], "few nodes one by one"


def test_a_copy_that_is_worse_is_refused(
    detector: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cnnkit.quantization import _graph

    real = _graph.quantized

    def spoilt(*args: Any, **options: Any) -> bytes:
        made = onnx.load_model_from_string(real(*args, **options))
        for tensor in made.graph.initializer:
            if tensor.name.endswith("_quantized") and "bias" not in tensor.name:
                tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
        return made.SerializeToString()

    monkeypatch.setattr(_graph, "quantized", spoilt)
    monkeypatch.setattr("cnnkit.quantization._choice.MOST_FLOAT", 0)
    with pytest.raises(CheckFailed, match=r"on 60 images coco_AP drops by \d\d\.\d\d points .*too much"):
        quantization.quantize(detector, tmp_path / "q.onnx", calib=labelled, labelled=labelled)
    assert not (tmp_path / "q.onnx").exists()


def test_without_labels_it_is_said_what_to_give(detector: Path, labelled: Path, run_cnnkit: Callable[..., Any]) -> None:
    said = run_cnnkit("quantize", detector, "--calib", labelled, exit_code=2).stderr
    assert "is a detector, and how much average precision int8 costs shows on labelled boxes alone" in said
    assert "Give --data, a COCO .json, Pascal VOC's .xml, YOLO's labels or a .csv." in said
    assert "Calibrating" not in said


def test_labels_of_other_pictures(detector: Path, labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("key,class,x1,y1,x2,y2\nother.png,spot,0,0,8,8\n")
    with pytest.raises(DataError, match="the pictures of its 1 labelled images are not beside the labels"):
        quantization.quantize(detector, calib=labelled, labelled=tmp_path / "boxes.csv")


def test_a_detector_needs_labels_from_python_too(detector: Path, labelled: Path) -> None:
    with pytest.raises(UsageError, match="Give --data"):
        quantization.quantize(detector, calib=labelled)


def found_boxes(seed: int, *, miss: float, truth: TrueBoxes) -> FoundBoxes:
    """The objects, some of them missed, with boxes a little off and false ones between them."""
    random = np.random.default_rng(seed)
    kept = random.random(len(truth)) > miss
    n = int(kept.sum())
    boxes = np.concatenate([truth.boxes[kept] + random.normal(0, 0.4, (n, 4)), random.uniform(1, 9, (n, 4))])
    return FoundBoxes(
        image=np.tile(truth.image[kept], 2),
        category=np.tile(truth.category[kept], 2),
        boxes=boxes.clip(0.1),
        scores=np.concatenate([random.uniform(0.3, 1, n), random.uniform(0, 0.7, n)]),
    )


class TestPairedDrop:
    @pytest.fixture
    def truth(self) -> TrueBoxes:
        random = np.random.default_rng(0)
        image, category = np.repeat(np.arange(80), 3), random.integers(0, 2, 240)
        boxes = np.concatenate([random.uniform(0, 80, (240, 2)), random.uniform(8, 20, (240, 2))], axis=1)
        return TrueBoxes(n_images=80, n_classes=2, image=image, category=category, boxes=boxes)

    def test_the_values_are_hotcocos(self, truth: TrueBoxes) -> None:
        one, other = found_boxes(1, miss=0.1, truth=truth), found_boxes(2, miss=0.3, truth=truth)
        drop = paired_ap_drop(truth, one, other, margin=0.01)
        assert drop is not None
        assert drop.first == pytest.approx(coco_scores(truth, one).figures()["AP"], abs=1e-12)
        assert drop.second == pytest.approx(coco_scores(truth, other).figures()["AP"], abs=1e-12)
        assert drop.drop == pytest.approx(drop.first - drop.second)
        assert 0 < drop.low < drop.drop < drop.high, "a fifth of the objects less shows"

    def test_pairing_narrows_the_interval(self, truth: TrueBoxes) -> None:
        one = found_boxes(1, miss=0.1, truth=truth)
        near = FoundBoxes(image=one.image, category=one.category, boxes=one.boxes + 0.05, scores=one.scores)
        drop, far = (
            paired_ap_drop(truth, one, other, margin=0.01) for other in (near, found_boxes(3, miss=0.1, truth=truth))
        )
        assert drop is not None
        assert far is not None
        assert drop.high - drop.low < 0.5 * (far.high - far.low)

    def test_no_difference_is_bounded_by_the_number_of_images(self, truth: TrueBoxes) -> None:
        from cnnkit.metrics import wilson

        one = found_boxes(1, miss=0.1, truth=truth)
        drop = paired_ap_drop(truth, one, one, margin=0.01)
        assert drop is not None
        assert (drop.drop, drop.low, drop.high) == (0, 0, wilson(0, 80)[1])

    def test_no_object_to_find(self, truth: TrueBoxes) -> None:
        empty = TrueBoxes(n_images=3, n_classes=2, image=[], category=[], boxes=[])
        nothing = FoundBoxes(image=[], category=[], boxes=[], scores=[])
        assert paired_ap_drop(empty, nothing, nothing, margin=0.01) is None


@pytest.mark.slow
def test_a_published_detector_is_measured(shared: Path, tmp_path: Path, run_cnnkit: Callable[..., Any]) -> None:
    models = shared / "models"
    words = ("--preset", "yolox", "--decoder", "yolox", "--labels", models / "coco_names.txt", "--samples", 16)
    result = run_cnnkit(
        *("quantize", models / "yolox_nano.onnx", "-o", tmp_path / "q.onnx", "--calib", shared / "coco128" / "images"),
        *("--data", shared / "coco128", "--max-drop", 30, *words, "--json"),
    )
    decision = json.loads(result.stdout)["decision"]
    assert decision["n"] == 128
    assert 0 < decision["drop"] < 0.15
