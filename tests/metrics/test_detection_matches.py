"""Matching, curves, confusion and error kinds: against pycocotools, the licence plates, and by hand."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask

from cnnkit.metrics import (
    FoundBoxes,
    TrueBoxes,
    coco_scores,
    curve_from_hits,
    detection_confusion,
    detection_curve,
    error_kinds,
    interpolated_ap,
    match_detections,
    threshold_bits,
)

seeds = st.integers(0, 2**31)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, limit=st.sampled_from([100, 3]))
def test_matches_are_pycocotools(crowded_boxes, pycocotools_run, seed, limit):
    truth, found = crowded_boxes(seed)
    matches = match_detections(truth, found, max_detections=limit)
    evaluator = pycocotools_run(truth, found, [limit])
    seen = np.zeros(len(found), bool)
    for cell in evaluator.evalImgs:
        if cell is None or cell["aRng"][1] < 1e9 or cell["aRng"][0] > 0:
            continue
        own = np.array(cell["dtIds"], int) - 1
        seen[own] = True
        crowd = np.append(truth.crowd, False)[cell["dtMatches"].astype(int) - 1].T & (cell["dtMatches"].T > 0)
        np.testing.assert_array_equal(matches.taken[own], cell["dtMatches"].T - 1)
        np.testing.assert_array_equal(matches.ignored[own], crowd)
    np.testing.assert_array_equal(matches.kept, seen)
    assert not matches.hit[~seen].any()


@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_curves_have_cocos_average_precision(crowded_boxes, seed):
    truth, found = crowded_boxes(seed)
    matches, scores = match_detections(truth, found), coco_scores(truth, found)
    for iou in (0.5, 0.75, 0.9):
        for category in range(truth.n_classes):
            curve = detection_curve(matches, found, iou=iou, category=category)
            expected = scores.ap(slice(category, category + 1), iou=iou)
            assert curve.average_precision(101) == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_a_second_choice_is_looked_for():
    truth = TrueBoxes(n_images=1, n_classes=1, image=[0, 0], category=[0, 0], boxes=[[0, 0, 10, 10], [0, 0, 10, 8]])
    found = FoundBoxes(image=[0, 0], category=[0, 0], boxes=[[0, 0, 10, 10]] * 2, scores=[0.9, 0.8])
    matches = match_detections(truth, found)
    assert matches.taken[:, 0].tolist() == [0, 1]
    assert threshold_bits(matches.hit).tolist() == [0b1111111111, 0b0001111111]
    assert matches.threshold(0.9) == 8


@pytest.fixture
def plates(shared):
    return json.loads((shared / "metrics" / "pr" / "license_plates.json").read_text())


def test_licence_plates_row_by_row(plates):
    hits = [flag == "TP" for flag in plates["flags"]]
    curve = curve_from_hits(hits, plates["positives"], scores=plates["confidence"])
    assert curve.precision.tolist() == [float(Fraction(value)) for value in plates["precision_fraction"]]
    assert curve.recall.tolist() == [float(Fraction(value)) for value in plates["recall_fraction"]]
    assert curve.average_precision(11) == pytest.approx(34 / 77, abs=1e-15)
    assert curve.average_precision() == pytest.approx(418 / 945, abs=1e-15)
    assert curve.average_precision(101) == pytest.approx(134 / 303, abs=1e-15)


def test_best_f1_of_the_plates(plates):
    hits = [flag == "TP" for flag in plates["flags"]]
    best = curve_from_hits(hits, 15, scores=plates["confidence"]).best_f1()
    assert (best.confidence, best.f1) == (0.25, pytest.approx(14 / 24))
    assert (best.precision, best.recall) == (pytest.approx(7 / 9), pytest.approx(7 / 15))


def test_a_threshold_takes_equal_scores_together():
    best = curve_from_hits([True, False, False, False], 1, scores=[0.5, 0.5, 0.5, 0.1]).best_f1()
    assert (best.confidence, best.f1) == (0.5, pytest.approx(2 / 4))


def test_curves_without_objects_or_detections():
    assert curve_from_hits([], 3, scores=[]).average_precision() == 0
    assert curve_from_hits([], 3, scores=[]).best_f1() is None
    assert curve_from_hits([False], 0, scores=[1]).average_precision(11) is None
    assert interpolated_ap(np.zeros(0), np.zeros(0), points=101) == 0


@pytest.mark.parametrize(
    ("hits", "n", "scores", "text"),
    [
        ([True], 1, [0.5, 0.4], r"one length, got \(1,\) and \(2,\)"),
        ([True, True], 1, [1, 1], "2 detections are right, but there are only 1 objects"),
    ],
)
def test_impossible_curves_are_refused(hits, n, scores, text):
    with pytest.raises(ValueError, match=text):
        curve_from_hits(hits, n, scores=scores)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_the_curve_of_all_classes_counts_them_all(crowded_boxes, seed):
    truth, found = crowded_boxes(seed)
    matches = match_detections(truth, found)
    whole = detection_curve(matches, found, iou=0.5)
    parts = [detection_curve(matches, found, iou=0.5, category=at) for at in range(truth.n_classes)]
    assert whole.n_objects == sum(part.n_objects for part in parts) == (~truth.crowd).sum()
    assert whole.hits.sum() == sum(part.hits.sum() for part in parts)
    assert (np.diff(whole.scores) <= 0).all()


def scene():
    """Classes 0 and 1: a cat found as a cat, a cat found as a dog, a dog missed, a box on nothing, one on a crowd."""
    truth = TrueBoxes(
        n_images=2,
        n_classes=2,
        image=[0, 0, 1, 1],
        category=[0, 0, 1, 0],
        boxes=[[0, 0, 10, 10], [50, 0, 10, 10], [0, 0, 10, 10], [50, 50, 40, 40]],
        crowd=[False, False, False, True],
    )
    found = FoundBoxes(
        image=[0, 0, 0, 1, 1],
        category=[0, 1, 0, 0, 1],
        boxes=[[0, 0, 10, 9], [50, 0, 10, 10], [80, 80, 5, 5], [55, 55, 10, 10], [0, 0, 10, 10]],
        scores=[0.9, 0.8, 0.7, 0.6, 0.1],
    )
    return truth, found


def test_confusion_by_hand():
    assert detection_confusion(*scene()).tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert detection_confusion(*scene(), confidence=0.05).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_confusion_counts_every_object_once(crowded_boxes, seed):
    truth, found = crowded_boxes(seed)
    matrix = detection_confusion(truth, found, confidence=0)
    per_class = np.bincount(truth.category[~truth.crowd], minlength=truth.n_classes)
    np.testing.assert_array_equal(matrix[:-1].sum(axis=1), per_class)
    assert matrix[:, :-1].sum() <= len(found)
    assert matrix[-1, -1] == 0


def test_error_kinds_by_hand():
    kinds = error_kinds(*scene())
    assert kinds.counts == {
        "classification": 1,
        "localisation": 0,
        "both": 0,
        "duplicate": 0,
        "background": 1,
        "missed": 0,
    }
    assert kinds.kind.tolist() == [-1, 0, 4, -1, -1]


def kinds_by_the_definition(truth, found):
    """TIDE's kinds, detection by detection, from COCO's matching."""
    matches = match_detections(truth, found, iou_thresholds=[0.5])
    counts = dict.fromkeys(("classification", "localisation", "both", "duplicate", "background", "missed"), 0)
    excused = set(matches.taken[matches.hit[:, 0], 0].tolist())
    overlaps = np.reshape(mask.iou(found.xywh, truth.xywh, [0] * len(truth)), (len(found), len(truth)))
    for at in np.flatnonzero(matches.kept & ~matches.hit[:, 0] & ~matches.ignored[:, 0]):
        here = np.flatnonzero((truth.image == found.image[at]) & ~truth.crowd)
        own = here[truth.category[here] == found.category[at]]
        other = here[truth.category[here] != found.category[at]]
        best_own, best_other = (overlaps[at, them].max(initial=0.0) for them in (own, other))
        if 0.1 <= best_own <= 0.5:
            counts["localisation"] += 1
            excused.add(own[overlaps[at, own].argmax()])
        elif best_other >= 0.5:
            counts["classification"] += 1
            excused.add(other[overlaps[at, other].argmax()])
        elif best_own >= 0.5:
            counts["duplicate"] += 1
        else:
            counts["background" if best_other <= 0.1 else "both"] += 1
    counts["missed"] = sum(at not in excused for at in np.flatnonzero(~truth.crowd))
    return counts


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_error_kinds_follow_the_definition(crowded_boxes, seed):
    truth, found = crowded_boxes(seed)
    assert error_kinds(truth, found).counts == kinds_by_the_definition(truth, found)


def test_error_kinds_are_the_librarys_where_there_are_no_crowds():
    from cnnkit.metrics.coco import coco_engine

    random = np.random.default_rng(4)

    def some(n):
        corner, sides = random.random((n, 2)) * 40, random.random((n, 2)) * 25 + 5
        columns = np.concatenate([corner, sides], axis=1)
        return {"image": random.integers(0, 9, n), "category": random.integers(0, 3, n), "boxes": columns}

    truth, loose = some(60), some(150)
    close = {name: column[:40].copy() for name, column in truth.items()}
    close["boxes"] += random.random((40, 4))
    columns = {name: np.concatenate([loose[name], close[name], truth[name][:30]]) for name in truth}
    truth, found = TrueBoxes(n_images=9, n_classes=3, **truth), FoundBoxes(**columns, scores=random.random(220))
    theirs = coco_engine(truth, found).tide_errors()["counts"]
    ours = error_kinds(truth, found).counts
    assert list(ours.values()) == [theirs[name] for name in ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")]
    assert min(ours.values()) > 0
