"""Pascal VOC's average precision: the fixtures, plain fractions on random sets, and by hand."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.metrics import FoundBoxes, TrueBoxes, voc_scores

FIXTURES = [
    "000_padilla7_iou10",
    "000_padilla7_iou30",
    "000_padilla7_iou50",
    "000_padilla7_iou75",
    "001_perfect",
    "003_class_without_objects",
    "005_difficult_ignored",
    "007_first_detection_ignored",
    "009_plus_one_matters",
    "011_tie_order_reversed",
    "013_equal_iou_first_wins",
    "014_recall_6_of_10",
    "014_recall_7_of_20",
    "016_float_boxes",
    "018_two_classes_one_perfect",
    "030_random",
    "032_random",
    "040_cartucho_sample",
]


def columns(case):
    images = {name: at for at, name in enumerate(case["images"])}
    names = sorted({entry["class"] for entry in (*case["groundtruth"], *case["detections"])})
    categories = {name: at for at, name in enumerate(names)}

    def some(entries):
        return {
            "image": [images[entry["image"]] for entry in entries],
            "category": [categories[entry["class"]] for entry in entries],
            "boxes": [entry["bbox"] for entry in entries],
            "form": "corners",
        }

    objects, detections = case["groundtruth"], case["detections"]
    difficult = [entry["difficult"] for entry in objects]
    truth = TrueBoxes(n_images=len(images), n_classes=len(names), **some(objects), crowd=difficult)
    return truth, FoundBoxes(**some(detections), scores=[entry["score"] for entry in detections]), names


@pytest.mark.parametrize("plus_one", [True, False])
@pytest.mark.parametrize("name", FIXTURES)
def test_fixtures_have_their_figures(shared, name, plus_one):
    case = json.loads((shared / "metrics" / "voc" / f"{name}.json").read_text())
    expected = case["expected"]["devkit" if plus_one else "no_plus_one"]
    truth, found, names = columns(case)
    scores = voc_scores(truth, found, iou=case["params"]["iou"], plus_one=plus_one)
    assert scores.mean_ap(11) == pytest.approx(expected["mAP_11"], abs=1e-9)
    assert scores.mean_ap() == pytest.approx(expected["mAP_all"], abs=1e-9)
    for at, class_name in enumerate(names):
        one, wanted = scores.classes[at], expected["per_class"][class_name]
        assert one.n_objects == wanted["npos"]
        assert one.ap(11) == pytest.approx(wanted["AP_11"], abs=1e-9)
        assert one.ap() == pytest.approx(wanted["AP_all"], abs=1e-9)
        flags = np.where(one.ignored, "ignored", np.where(one.hits, "TP", "FP")).tolist()
        assert flags == wanted["flags"]
        if "precision" in wanted:
            assert one.precision.tolist() == pytest.approx(wanted["precision"], abs=1e-12)
            assert one.recall.tolist() == pytest.approx(wanted["recall"], abs=1e-12)


@pytest.mark.parametrize(
    ("name", "text"), [("051_error_inverted_box", "detection 0: bbox is"), ("053_error_difficult_text", "difficult")]
)
def test_bad_fixtures_are_refused(shared, name, text):
    case = json.loads((shared / "metrics" / "voc" / f"{name}.json").read_text())
    with pytest.raises(ValueError, match=text):
        columns(case)


def overlap(first, second, one):
    sides = [min(first[at + 2], second[at + 2]) - max(first[at], second[at]) + one for at in (0, 1)]
    shared = max(0, sides[0]) * max(0, sides[1])
    areas = [(box[2] - box[0] + one) * (box[3] - box[1] + one) for box in (first, second)]
    return Fraction(shared, sum(areas) - shared) if shared else Fraction(0)


def by_the_rules(objects, detections, iou, one):
    """AP at 11 points (the reference tools' grid) and over all, object by object, in fractions; one class.

    objects: (image, box, difficult); detections: (image, box, score).
    """
    to_find = sum(not difficult for _, _, difficult in objects)
    taken, hits, counted = set(), 0, 0
    points = []  # (recall, precision)
    for image, box, _ in sorted(detections, key=lambda detection: -detection[2]):
        overlaps = [(overlap(box, other, one), -at) for at, (place, other, _) in enumerate(objects) if place == image]
        best, at = max(overlaps, default=(Fraction(0), 0))
        if best >= iou and objects[-at][2]:
            continue
        counted += 1
        if best >= iou and best > 0 and -at not in taken:
            taken.add(-at)
            hits += 1
        points.append((Fraction(hits, to_find), Fraction(hits, counted)))
    levels = [float(level) for level in np.arange(0, 1.1, 0.1)]
    eleven = sum(max((p for r, p in points if float(r) >= level), default=Fraction(0)) for level in levels) / 11
    area, before = Fraction(0), Fraction(0)
    for at, (recall, _) in enumerate(points):
        area += (recall - before) * max(p for _, p in points[at:])
        before = recall
    return float(eleven), float(area)


pixel_box = st.tuples(*[st.integers(0, 9)] * 2, *[st.integers(0, 6)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
some_objects = st.lists(st.tuples(st.integers(0, 1), pixel_box, st.booleans()), max_size=8)
some_detections = st.lists(st.tuples(st.integers(0, 1), pixel_box, st.integers(0, 3)), max_size=12)


@settings(max_examples=80, deadline=None)
@given(some_objects, some_detections, st.sampled_from([Fraction(1, 2), Fraction(1, 4), Fraction(3, 4)]), st.booleans())
def test_random_sets_follow_the_rules(objects, detections, iou, plus_one):
    objects = [*objects, (0, (1, 1, 4, 4), False)]  # something to find
    truth = TrueBoxes(
        n_images=2,
        n_classes=1,
        image=[image for image, _, _ in objects],
        category=[0] * len(objects),
        boxes=[box for _, box, _ in objects],
        crowd=[difficult for _, _, difficult in objects],
        form="corners",
    )
    found = FoundBoxes(
        image=[image for image, _, _ in detections],
        category=[0] * len(detections),
        boxes=[box for _, box, _ in detections],
        scores=[score for _, _, score in detections],
        form="corners",
    )
    scores = voc_scores(truth, found, iou=float(iou), plus_one=plus_one)
    eleven, area = by_the_rules(objects, detections, iou, int(plus_one))
    assert scores.mean_ap(11) == pytest.approx(eleven, abs=1e-12)
    assert scores.mean_ap() == pytest.approx(area, abs=1e-12)


def test_cocos_boxes_become_the_same_pixels():
    truth = TrueBoxes(n_images=1, n_classes=1, image=[0], category=[0], boxes=[[0, 0, 3, 3]])
    found = FoundBoxes(image=[0], category=[0], boxes=[[1, 0, 3, 3]], scores=[1])  # 6 of 12 pixels
    assert voc_scores(truth, found).mean_ap() == 1
    assert voc_scores(truth, found, plus_one=False).mean_ap() == 0


def test_nothing_to_find_is_none_and_nothing_found_is_zero():
    nothing = {"image": [], "category": [], "boxes": []}
    one = {"image": [0], "category": [0], "boxes": [[0, 0, 3, 3]]}
    none_found, some_found = FoundBoxes(**nothing, scores=[]), FoundBoxes(**one, scores=[1])
    assert voc_scores(TrueBoxes(n_images=1, n_classes=1, **nothing), some_found).mean_ap() is None
    assert voc_scores(TrueBoxes(n_images=1, n_classes=1, **one), none_found).mean_ap(11) == 0


def test_unknown_images_are_refused():
    truth = TrueBoxes(n_images=1, n_classes=1, image=[], category=[], boxes=[])
    with pytest.raises(ValueError, match="detection 0: image is 5, expected below the 1 images"):
        voc_scores(truth, FoundBoxes(image=[5], category=[0], boxes=[[0, 0, 1, 1]], scores=[1]))
