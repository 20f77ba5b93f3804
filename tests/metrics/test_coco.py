"""COCO's figures: the fixtures, pycocotools on random sets, and by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.metrics import FoundBoxes, TrueBoxes, coco_scores, tie_order
from cnnkit.metrics.coco import MAX_DETECTIONS


def columns(ground, results):
    """COCO's JSON as boxes in columns, and the class ids by position."""
    image_ids = [image["id"] for image in ground["images"]]
    images = dict(zip(image_ids, tie_order(image_ids).tolist(), strict=True))
    category_ids = sorted(category["id"] for category in ground["categories"])
    categories = {category_id: at for at, category_id in enumerate(category_ids)}
    found = ground["annotations"]
    truth = TrueBoxes(
        n_images=len(image_ids),
        n_classes=len(category_ids),
        image=[images[entry["image_id"]] for entry in found],
        category=[categories[entry["category_id"]] for entry in found],
        boxes=[entry["bbox"] for entry in found],
        area=[entry.get("area", entry["bbox"][2] * entry["bbox"][3]) for entry in found],
        crowd=[bool(entry.get("iscrowd", 0)) for entry in found],
    )
    detections = FoundBoxes(
        image=[images[entry["image_id"]] for entry in results],
        category=[categories[entry["category_id"]] for entry in results],
        boxes=[entry["bbox"] for entry in results],
        scores=[entry["score"] for entry in results],
    )
    return truth, detections, category_ids


def without_none(figures):
    return {name: -1.0 if value is None else value for name, value in figures.items()}


def test_fixtures_have_their_figures(shared, coco_case):
    folder = shared / "metrics" / "coco" / coco_case
    ground, results, expected = (json.loads((folder / f"{part}.json").read_text()) for part in ("gt", "dt", "expected"))
    truth, found, category_ids = columns(ground, results)
    limits = expected.get("params", {}).get("maxDets", MAX_DETECTIONS)
    scores = coco_scores(truth, found, max_detections=limits)
    assert without_none(scores.figures()) == pytest.approx(expected["stats"], abs=1e-9)
    by_iou = dict(zip(expected.get("per_iou", ()), scores.by_iou(), strict=False))
    assert without_none(by_iou) == pytest.approx(expected.get("per_iou", {}), abs=1e-9)
    for category_id, figures in expected.get("per_class", {}).items():
        own = scores.figures(category_ids.index(int(category_id)))
        assert without_none(own) == pytest.approx(figures, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), limits=st.sampled_from([(1, 10, 100), (1, 5), (3,)]))
def test_random_sets_are_pycocotools(crowded_boxes, pycocotools_run, seed, limits):
    truth, found = crowded_boxes(seed)
    ours = coco_scores(truth, found, max_detections=limits)
    theirs = pycocotools_run(truth, found, limits)
    for name in ("precision", "recall", "scores"):
        np.testing.assert_allclose(getattr(ours, name), theirs.eval[name], atol=1e-12, rtol=0)
    if limits == MAX_DETECTIONS:
        assert list(without_none(ours.figures()).values()) == pytest.approx(theirs.stats.tolist(), abs=1e-12)


def one_of_each(**changed):
    truth = {"n_images": 2, "n_classes": 2, "image": [0], "category": [1], "boxes": [[0, 0, 10, 10]], "crowd": [False]}
    found = {"image": [0], "category": [1], "boxes": [[0, 0, 10, 10]], "scores": [0.5]}
    for name, value in changed.items():
        (truth if name.startswith("true_") else found)[name.removeprefix("true_")] = value
    return TrueBoxes(**truth), FoundBoxes(**found)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"scores": [np.inf]}, "detection 0: score is inf, expected a finite number"),
        ({"scores": [np.nan]}, "detection 0: score is nan"),
        ({"scores": ["high"]}, r"score must be \(n,\) numbers"),
        ({"scores": [0.5, 0.6]}, "image has 1 entries, scores has 2"),
        ({"boxes": [[0, np.nan, 1, 1]]}, r"detection 0: bbox is \[0.0, nan, 1.0, 1.0\], expected four finite numbers"),
        ({"boxes": [[0, 0, -1, 1]]}, "expected width and height from 0 up"),
        ({"boxes": [[0, 0, 5]]}, r"bbox: expected \(n, 4\), got \(1, 3\)"),
        ({"image": [2]}, "detection 0: image is 2, expected below the 2 images"),
        ({"image": [-1]}, "detection 0: image is -1, expected from 0 up"),
        ({"category": [2]}, "detection 0: category is 2, expected below the 2 classes"),
        ({"category": [0.5]}, r"category must be \(n,\) whole numbers"),
        ({"true_image": [2]}, "object 0: image is 2"),
        ({"true_category": [7]}, "object 0: category is 7"),
        ({"true_boxes": [[0, 0, 1, np.inf]]}, "object 0: bbox is"),
        ({"true_area": [-1]}, "object 0: area is -1.0, expected a finite number from 0 up"),
        ({"true_crowd": ["maybe"]}, r"crowd \(difficult\) must be \(n,\) of 0 or 1"),
        ({"true_crowd": [2]}, r"crowd \(difficult\) must be \(n,\) of 0 or 1"),
    ],
)
def test_bad_input_is_named(changed, text):
    with pytest.raises(ValueError, match=text):
        coco_scores(*one_of_each(**changed))


@pytest.mark.parametrize("limits", [[], [0, 1], [10, 1], [1, 1]])
def test_limits_must_ascend(limits):
    with pytest.raises(ValueError, match="max_detections must ascend from 1"):
        coco_scores(*one_of_each(), max_detections=limits)


def test_undefined_is_none_and_numbers_are_pythons():
    figures = coco_scores(*one_of_each()).figures()
    assert list(figures) == ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
    assert figures["APl"] is None
    assert type(figures["AP"]) is float
    assert coco_scores(*one_of_each()).figures(category=0)["AP"] is None


def test_corners_are_taken_as_their_pixels():
    truth = TrueBoxes(n_images=1, n_classes=1, image=[0], category=[0], boxes=[[11, 21, 42, 52]], form="corners")
    assert truth.area.tolist() == [32 * 32]
    found = FoundBoxes(image=[0], category=[0], boxes=[[10, 20, 32, 32]], scores=[1])
    figures = coco_scores(truth, found).figures()
    assert figures["APs"] == figures["APm"] == pytest.approx(1)
    assert figures["APl"] is None


def test_without_the_library_the_extra_is_named(monkeypatch):
    import sys

    from cnnkit.errors import MachineError

    monkeypatch.setitem(sys.modules, "hotcoco", None)
    with pytest.raises(MachineError, match=r"needs hotcoco .*Install: pip install \"cnnkit\[detection\]\"\."):
        coco_scores(*one_of_each())
