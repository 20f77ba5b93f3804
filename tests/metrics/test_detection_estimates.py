"""Intervals of AP and recall: the values are the protocols', the derivatives true, and the intervals hold the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.metrics import (
    BoxRanking,
    FoundBoxes,
    TrueBoxes,
    box_estimates,
    coco_rankings,
    coco_scores,
    match_detections,
    voc_rankings,
    voc_scores,
)
from cnnkit.metrics.detection_estimates import _curves, _recalls

AREAS = {"s": (0, 32**2), "m": (32**2, 96**2), "l": (96**2, 1e10)}


def close(value, expected):
    assert (value is None) == (expected is None)
    assert value is None or value == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_values_are_those_of_the_protocols(crowded_boxes, seed):
    truth, found = crowded_boxes(seed)
    figures, matches = coco_scores(truth, found).figures(), match_detections(truth, found)
    ap, recall = box_estimates(coco_rankings(matches, truth, found))
    close(ap.mean.value, figures["AP"])
    close(ap.at[0].value, figures["AP50"])
    close(recall.mean.value, figures["AR100"])
    for limit in (1, 10):
        _, recall = box_estimates(coco_rankings(matches, truth, found, limit=limit))
        close(recall.mean.value, figures[f"AR{limit}"])
    for size, areas in AREAS.items():
        of_size = match_detections(truth, found, areas=areas)
        ap, recall = box_estimates(coco_rankings(of_size, truth, found))
        close(ap.mean.value, figures[f"AP{size}"])
        close(recall.mean.value, figures[f"AR{size}"])
    scores = voc_scores(truth, found)
    for points in (11, None):
        ap, _ = box_estimates(voc_rankings(scores, truth, found), points=points)
        close(ap.mean.value, scores.mean_ap(points))


def area_under(ranking, weights):
    """The area under precision over recall when each image counts `weights` times, a threshold after the other."""
    areas = []
    for hit, counts in zip(ranking.hit.T, ranking.counts.T, strict=True):
        own = weights[ranking.image]
        right, answers = np.cumsum(own * hit), np.cumsum(own * counts)
        beyond = np.maximum.accumulate((right / np.maximum(answers, 1e-9))[::-1])[::-1]
        areas.append(float((own * hit * beyond).sum() / (weights @ ranking.objects)))
    return np.array(areas)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_influence_is_the_derivative(seed):
    random = np.random.default_rng(seed)
    n_images, n = 5, 30
    hit = random.random((n, 2)) < 0.4
    counts = hit | (random.random((n, 2)) < 0.8)
    image = random.integers(0, n_images, n)
    ranking = BoxRanking(np.arange(n), image, hit, counts, np.bincount(image[hit.any(axis=1)], minlength=n_images) + 1)
    values, influence = _curves(ranking, None)
    assert values == pytest.approx(area_under(ranking, np.ones(n_images)))
    step = 1e-6
    for at, moved in enumerate(influence.T):
        below, above = (area_under(ranking, np.ones(n_images) + sign * np.eye(n_images)[at]) for sign in (-step, step))
        # where two places of the curve are equally precise the derivative differs by side, and either will do
        assert (moved > (values - below) / step - 1e-4).all()
        assert (moved < (above - values) / step + 1e-4).all()
    np.testing.assert_allclose(influence.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(_recalls(ranking)[1].sum(axis=1), 0, atol=1e-12)


def draw(random, n_images):
    """One class: an object an image, found more often in easy images; u is how well a hit fits."""
    easy = random.random(n_images) < 0.6
    found = random.random(n_images) < np.where(easy, 0.9, 0.4)
    image = np.concatenate([np.flatnonzero(found), random.integers(0, n_images, n_images)])
    n_hits = int(found.sum())
    scores = np.concatenate([random.beta(4, 2, n_hits), random.beta(2, 4, n_images)])
    fit = np.concatenate([random.beta(3, 1, n_hits), np.full(n_images, -1.0)])
    order = np.argsort(-scores)
    hit = fit[order, None] > np.linspace(0, 0.9, 10)
    return BoxRanking(order, image[order], hit, np.ones_like(hit), np.ones(n_images, np.int64))


@pytest.mark.parametrize("n_images", [8, 60])
def test_intervals_hold_what_such_test_sets_give_on_average(n_images):
    random = np.random.default_rng(n_images)
    estimates = [box_estimates([draw(random, n_images)]) for _ in range(150)]
    for figures in zip(*estimates, strict=True):
        mean = np.mean([each.mean.value for each in figures])
        intervals = [each.mean.interval for each in figures]
        assert np.mean([interval.low <= mean <= interval.high for interval in intervals]) > 0.9


def many(seed=1):
    """Two classes over 60 images: one object an image and class, found three times in four, and as many false ones."""
    random = np.random.default_rng(seed)
    image, category = np.repeat(np.arange(60), 2), np.tile([0, 1], 60)
    boxes = np.tile([10.0, 10.0, 50.0, 50.0], (120, 1))
    truth = TrueBoxes(n_images=60, n_classes=3, image=image, category=category, boxes=boxes)
    off = np.where(random.random((120, 1)) < 0.75, 0.0, 200.0) * [1, 1, 0, 0]
    return truth, FoundBoxes(image=image, category=category, boxes=boxes + off, scores=random.random(120))


def test_a_figure_comes_with_its_interval():
    truth, found = many()
    ap, recall = box_estimates(coco_rankings(match_detections(truth, found), truth, found))
    for each in (ap.mean, recall.mean, ap.at[0], ap.classes[1], ap.first[0]):
        assert each.method == "jackknife"
        assert 0 < each.interval.low < each.value < each.interval.high < 1
    assert ap.classes[2].value is None
    assert ap.mean.interval.high - ap.mean.interval.low < ap.classes[0].interval.high - ap.classes[0].interval.low


def test_without_objects_nothing_is_defined():
    truth = TrueBoxes(n_images=2, n_classes=1, image=[], category=[], boxes=[])
    found = FoundBoxes(image=[0], category=[0], boxes=[[0, 0, 1, 1]], scores=[1])
    ap, recall = box_estimates(coco_rankings(match_detections(truth, found), truth, found))
    assert ap.mean.value is recall.mean.value is None
    assert len(ap.at) == 10
    assert ap.classes[0].value is ap.first[0].value is None


def test_without_detections_everything_is_missed():
    truth, _ = many()
    none = FoundBoxes(image=[], category=[], boxes=[], scores=[])
    ap, recall = box_estimates(coco_rankings(match_detections(truth, none), truth, none))
    assert ap.mean.value == recall.mean.value == 0
    assert ap.mean.method == "wilson"


def one_object(n_images, image, *, first):
    """A class that one image shows, with the object found, alone or after a false alarm."""
    hit = np.array([[True]]) if first else np.array([[False], [True]])
    places = np.arange(len(hit))
    return BoxRanking(
        places, np.full(len(hit), image), hit, np.ones_like(hit), np.bincount([image], minlength=n_images)
    )


def test_classes_of_one_image_each_vary_with_the_images():
    """By hand: AP 1 and 1/2, so that the images move the mean by an eighth each; t of one degree of freedom."""
    ap, _ = box_estimates([one_object(2, 0, first=True), one_object(2, 1, first=False)], points=None)
    half = 12.7062 * np.sqrt(2 * 0.125**2 * 2) / (0.75 * 0.25)
    low, high = 1 / (1 + np.exp(-np.log(3) - np.array([-half, half])))
    assert ap.mean.value == 0.75
    assert ap.mean.interval == pytest.approx((low, high), abs=1e-4)
    assert ap.classes[0].interval is None or ap.classes[0].method == "wilson"
    assert ap.classes[1].interval is None


def rare_classes(random, n_images):
    """30 classes, most of them rare, two an image, each with a chance of its own of being found."""
    frequency = 1 / np.arange(1, 31)
    found = np.linspace(0.1, 0.95, 30)[np.random.default_rng(5).permutation(30)]
    shown = np.array([random.choice(30, 2, replace=False, p=frequency / frequency.sum()) for _ in range(n_images)])
    rankings = []
    for at in range(30):
        images = random.permutation(np.flatnonzero((shown == at).any(axis=1)))
        hit = (random.random(len(images)) < found[at])[:, None]
        objects = np.bincount(images, minlength=n_images)
        rankings.append(BoxRanking(np.arange(len(images)), images, hit, np.ones_like(hit), objects))
    return rankings


@pytest.mark.parametrize("n_images", [8, 30])
def test_intervals_hold_what_such_test_sets_give_where_most_classes_are_rare(n_images):
    random = np.random.default_rng(n_images)
    estimates = [box_estimates(rare_classes(random, n_images)) for _ in range(200)]
    for figures in zip(*estimates, strict=True):
        mean = np.mean([each.mean.value for each in figures])
        intervals = [each.mean.interval for each in figures]
        assert np.mean([interval.low <= mean <= interval.high for interval in intervals]) > 0.88
