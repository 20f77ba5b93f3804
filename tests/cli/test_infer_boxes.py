"""Flags of a detector's boxes, from the command line to what is printed."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

SCENES = Path(__file__).resolve().parents[2] / "exported" / "digit-scenes.onnx"


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A picture in which the detector finds weak boxes of many classes, one over another."""
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), pixels)
    return tmp_path / "noise.png"


def overlap(one: list[float], other: list[float]) -> float:
    left, top, right, bottom = (*map(max, one[:2], other[:2]), *map(min, one[2:], other[2:]))
    shared = max(0.0, right - left) * max(0.0, bottom - top)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def test_boxes_of_other_classes_rule_one_another_out_where_that_is_typed(run_cnnkit: Any, noise: Path) -> None:
    largest = {}
    for flag in ("--agnostic", "--per-class"):
        typed = ("--conf", 0.001, "--iou", 0.3, "--max-detections", 100, flag)
        found = json.loads(run_cnnkit("infer", SCENES, noise, *typed, "--json").stdout)
        boxes = [each["box"] for each in found]
        largest[flag] = max(overlap(boxes[i], boxes[j]) for i in range(len(boxes)) for j in range(i))
        assert all(one["score"] >= other["score"] for one, other in pairwise(found))
    assert largest["--agnostic"] < 0.35 < largest["--per-class"]  # 0.3, before they are cut off at the border
