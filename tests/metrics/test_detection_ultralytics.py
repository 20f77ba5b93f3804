"""Ultralytics' average precision, against its rules written out image by image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask

from cnnkit.metrics import (
    BoxRanking,
    FoundBoxes,
    TrueBoxes,
    coco_scores,
    ultralytics_estimates,
    ultralytics_rankings,
    ultralytics_scores,
)
from cnnkit.metrics.detection_ultralytics import _influence


def by_the_rules(truth, found, limit):
    """Mean AP over classes and ten thresholds, the way the program goes about it."""
    thresholds = np.linspace(0.5, 0.95, 10)
    right = np.zeros((len(found), 10), bool)
    kept = np.zeros(len(found), bool)
    for image in range(truth.n_images):
        own = np.flatnonzero(found.image == image)
        own = own[np.argsort(-found.scores[own], kind="stable")][:limit]
        kept[own] = True
        objects = np.flatnonzero((truth.image == image) & ~truth.crowd)
        if not len(own) or not len(objects):
            continue
        iou = np.reshape(mask.iou(truth.xywh[objects], found.xywh[own], [0] * len(own)), (len(objects), len(own)))
        iou = iou * (truth.category[objects][:, None] == found.category[own])
        for at, threshold in enumerate(thresholds):
            matches = np.array(np.nonzero(iou >= threshold)).T
            matches = matches[np.argsort(-iou[matches[:, 0], matches[:, 1]], kind="stable")]
            matches = matches[np.unique(matches[:, 1], return_index=True)[1]]
            matches = matches[np.unique(matches[:, 0], return_index=True)[1]]
            right[own[matches[:, 1]], at] = True
    order = np.argsort(-found.scores, kind="stable")
    order = order[kept[order]]
    values = []
    for category in np.unique(truth.category[~truth.crowd]):
        n = ((truth.category == category) & ~truth.crowd).sum()
        own = order[found.category[order] == category]
        for at in range(10):
            values.append(one_ap(right[own, at], n) if len(own) else 0.0)
    return np.mean(values) if values else None


def one_ap(hits, n):
    recall = np.concatenate(([0.0], np.cumsum(hits) / n, [1.0]))
    precision = np.concatenate(([1.0], np.cumsum(hits) / np.arange(1, len(hits) + 1), [0.0]))
    envelope = np.flip(np.maximum.accumulate(np.flip(precision)))
    levels = np.linspace(0, 1, 101)
    return np.trapezoid(np.interp(levels, recall, envelope), levels)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), limit=st.sampled_from([300, 5]))
def test_random_sets_follow_the_rules(crowded_boxes, seed, limit):
    truth, found = crowded_boxes(seed)
    expected = by_the_rules(truth, found, limit)
    ours = ultralytics_scores(truth, found, max_detections=limit).mean_ap()
    assert ours == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_it_differs_from_coco_where_a_crowd_is_found():
    truth = TrueBoxes(
        n_images=1,
        n_classes=1,
        image=[0, 0],
        category=[0, 0],
        boxes=[[0, 0, 10, 10], [50, 50, 40, 40]],
        crowd=[False, True],
    )
    found = FoundBoxes(image=[0, 0], category=[0, 0], boxes=[[55, 55, 10, 10], [0, 0, 10, 10]], scores=[0.9, 0.8])
    assert coco_scores(truth, found).figures()["AP"] == pytest.approx(1)
    assert ultralytics_scores(truth, found).mean_ap(0.5) == pytest.approx(one_ap(np.array([False, True]), 1))
    assert ultralytics_scores(truth, found).mean_ap() < 0.6


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_estimates_have_the_values_of_the_scores(crowded_boxes, seed):
    truth, found = crowded_boxes(seed)
    scores, estimates = ultralytics_scores(truth, found), ultralytics_estimates(ultralytics_rankings(truth, found))
    for estimate, iou in ((estimates.mean, None), (estimates.at[0], 0.5)):
        wanted = scores.mean_ap(iou)
        assert estimate.value == (None if wanted is None else pytest.approx(wanted, abs=1e-12))


def area_under(ranking, weights):
    """The area under the lines when each image counts `weights` times, one line after the other."""
    own, n = weights[ranking.image], weights @ ranking.objects
    right, answers = np.cumsum(own * ranking.hit[:, 0]), np.cumsum(own)
    recall = np.concatenate(([0.0], right / n, [1.0]))
    precision = np.concatenate(([1.0], right / answers, [0.0]))
    envelope = np.flip(np.maximum.accumulate(np.flip(precision)))
    return float((np.diff(recall) * (envelope[1:] + envelope[:-1]) / 2).sum())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 30))
def test_influence_is_the_derivative(seed, n):
    random = np.random.default_rng(seed)
    n_images = 5
    hit, image = random.random((n, 1)) < 0.4, random.integers(0, n_images, n)
    objects = np.bincount(image[hit[:, 0]], minlength=n_images) + 1
    ranking = BoxRanking(np.arange(n), image, hit, np.ones((n, 1), bool), objects)
    value, influence, step = area_under(ranking, np.ones(n_images)), _influence(ranking, 0), 1e-6
    for at, moved in enumerate(influence):
        below, above = (area_under(ranking, np.ones(n_images) + sign * np.eye(n_images)[at]) for sign in (-step, step))
        # where two places of the curve are equally precise the derivative differs by side, and either will do
        sides = sorted([(value - below) / step, (above - value) / step])
        assert sides[0] - 1e-4 < moved < sides[1] + 1e-4
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def small_set(n_images=40):
    """Two classes, an object of each an image; nearly all are found, here well and there badly, beside false boxes."""
    random = np.random.default_rng(11)
    image, category = np.repeat(np.arange(n_images), 2), np.tile([0, 1], n_images)
    boxes = np.tile([50.0, 50.0, 40.0, 40.0], (len(image), 1))
    moved = boxes + random.exponential(4, (len(image), 1)) * [1, 0, 0, 0]
    false = random.choice(len(image), 40)
    return TrueBoxes(n_images=n_images, n_classes=2, image=image, category=category, boxes=boxes), FoundBoxes(
        image=np.concatenate([image, image[false]]),
        category=np.concatenate([category, category[false]]),
        boxes=np.concatenate([moved, boxes[false] + [200, 0, 0, 0]]),
        scores=np.concatenate([random.beta(3, 2, len(image)), random.beta(2, 3, 40)]),
    )


def drawn_again(truth, found, images):
    """The images drawn, some of them more than once, each as an image of its own."""
    parts = []
    for boxes in (truth, found):
        places = [np.flatnonzero(boxes.image == image) for image in images]
        at = np.concatenate(places)
        number = np.repeat(np.arange(len(images)), [len(each) for each in places])
        parts.append({"image": number, "category": boxes.category[at], "boxes": boxes.boxes[at]})
        if boxes is found:
            parts[-1]["scores"] = found.scores[at]
    return TrueBoxes(n_images=len(images), n_classes=truth.n_classes, **parts[0]), FoundBoxes(**parts[1])


def test_the_interval_is_as_wide_as_drawing_the_images_anew_says():
    truth, found = small_set()
    random = np.random.default_rng(5)
    drawn = [drawn_again(truth, found, random.integers(0, 40, 40)) for _ in range(200)]
    again = [ultralytics_scores(*pair) for pair in drawn]
    estimates = ultralytics_estimates(ultralytics_rankings(truth, found))
    for estimate, iou in ((estimates.mean, None), (estimates.at[0], 0.5)):
        values = [each.mean_ap(iou) for each in again]
        low, high = np.quantile(values, [0.025, 0.975])
        assert estimate.method == "jackknife"
        assert estimate.interval.low < estimate.value < estimate.interval.high
        assert estimate.interval.high - estimate.interval.low == pytest.approx(high - low, rel=0.2)
        assert estimate.interval.low == pytest.approx(low, abs=0.03)
        assert estimate.interval.high == pytest.approx(high, abs=0.03)


def test_there_is_no_interval_without_objects():
    truth = TrueBoxes(n_images=2, n_classes=1, image=[], category=[], boxes=[])
    found = FoundBoxes(image=[0], category=[0], boxes=[[0, 0, 1, 1]], scores=[0.5])
    estimates = ultralytics_estimates(ultralytics_rankings(truth, found))
    assert estimates.mean.value is estimates.mean.interval is estimates.at[0].value is None
