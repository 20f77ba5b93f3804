"""Ultralytics' average precision, against its rules written out image by image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask

from cnnkit.metrics import FoundBoxes, TrueBoxes, coco_scores, ultralytics_scores


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
