"""AP under weights: of groups of images and of images drawn twice, as the evaluators have it on such sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.metrics import (
    BoxGroups,
    BoxRanking,
    FoundBoxes,
    TrueBoxes,
    WeightedAp,
    coco_rankings,
    coco_scores,
    match_detections,
    voc_rankings,
    voc_scores,
)

SEEDS = st.integers(0, 2**31)


def repeated(boxes, kind, times, **same):
    """The boxes of a set in which image i stands times[i] times, one after another."""
    first = np.cumsum(times) - times
    rows = np.repeat(np.arange(len(boxes)), times[boxes.image])
    copy = np.concatenate([np.arange(times[image]) for image in boxes.image] or [np.zeros(0, int)])
    columns = {name: getattr(boxes, name)[rows] for name in ("category", "boxes", *same.pop("columns"))}
    return kind(image=(first[boxes.image[rows]] + copy).astype(int), **columns, **same)


def drawn_set(truth, found, times):
    own = {"n_images": int(times.sum()), "n_classes": truth.n_classes}
    objects = repeated(truth, TrueBoxes, times, columns=("area", "crowd"), **own)
    return objects, repeated(found, FoundBoxes, times, columns=("scores",))


def coco_of(truth, found):
    return coco_rankings(match_detections(truth, found), truth, found)


def close(value, expected):
    assert (value is None) == (expected is None)
    assert value is None or value == pytest.approx(expected, abs=1e-12)


def value_under(ap, weights):
    found = float(ap.under(np.asarray(weights, np.float64)[:, None])[0])
    return None if np.isnan(found) else found


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_images_drawn_several_times_or_not_count_as_so_many(crowded_boxes, seed):
    truth, found = crowded_boxes(seed)
    random = np.random.default_rng(seed)
    # two equal images mix their equal scores, a weight keeps them together: no ties here
    columns = {name: getattr(found, name) for name in ("image", "category", "boxes")}
    found = FoundBoxes(**columns, scores=random.permutation(len(found)).astype(float))
    times = random.integers(0, 4, truth.n_images)
    again = drawn_set(truth, found, times)
    close(value_under(WeightedAp(coco_of(truth, found)), times), coco_scores(*again).figures()["AP"])
    for points in (11, None):
        ap = WeightedAp(voc_rankings(voc_scores(truth, found), truth, found), points=points)
        close(value_under(ap, times), voc_scores(*again).mean_ap(points))


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_a_group_has_what_pycocotools_and_hotcoco_say_of_its_images(crowded_boxes, pycocotools_run, seed):
    truth, found = crowded_boxes(seed)
    group = np.random.default_rng(seed).random(truth.n_images) < 0.5
    value = WeightedAp(coco_of(truth, found)).among(group).value
    if not group.any():
        assert value is None
        return
    own = drawn_set(truth, found, group.astype(int))
    close(value, coco_scores(*own).figures()["AP"])
    if len(own[0]) and len(own[1]):
        precision = pycocotools_run(*own, (1, 10, 100)).eval["precision"][:, :, :, 0, -1]
        known = precision[precision > -1]
        close(value, float(known.mean()) if known.size else None)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_all_images_are_the_whole_and_a_group_is_its_weights(crowded_boxes, seed):
    truth, found = crowded_boxes(seed)
    ap = WeightedAp(coco_of(truth, found))
    close(ap.value, coco_scores(truth, found).figures()["AP"])
    close(ap.among(np.ones(truth.n_images, bool)).value, ap.value)
    group = np.random.default_rng(seed).random(truth.n_images) < 0.5
    close(ap.among(group).value, value_under(ap, group))
    assert ap.among(group).n_objects + ap.among(~group).n_objects == ap.n_objects
    weights = np.random.default_rng(seed).integers(0, 3, (truth.n_images, 7))
    exact, fast = (ap.under(weights.astype(kind)) for kind in (np.float64, np.float32))
    assert np.allclose(exact, fast, atol=1e-6, equal_nan=True)


def ranked(*hits):
    """Class by class one detection an image, right or not, in the order of the images; every image has an object."""
    flags = [np.array(each, dtype=bool)[:, None] for each in hits]
    at = np.arange(len(hits[0]))
    return [BoxRanking(at, at, each, np.ones_like(each), np.ones(len(at), np.int64)) for each in flags]


def test_two_groups_by_hand():
    # right, wrong, right: 1/3 of the recall at precision 1, 1/3 at 2/3; of the first image alone 1, of the second 0
    ap = WeightedAp(ranked([1, 0, 1]), points=None)
    assert ap.value == pytest.approx(1 / 3 + 2 / 9)
    assert ap.among(np.array([True, False, False])).value == 1
    assert ap.among(np.array([False, True, False])).value == 0
    assert ap.among(np.array([False, True, True])).value == pytest.approx(1 / 2 * 1 / 2)
    # the chosen image right (2 of 3 times): 1 less the two others' figure; wrong: 0 less 1
    chance = BoxGroups(ap, resamples=300).by_chance(np.array([False, True, False]))
    assert np.unique(chance.round(6)).tolist() == [-1.0, 0.5, 0.75]
    assert np.array_equal(BoxGroups(ap, resamples=300).by_chance(np.array([True, False, True])), -chance)


def test_each_half_of_the_images_is_turned_against_the_other():
    groups = BoxGroups(WeightedAp(ranked([1, 0, 1, 1])), resamples=100)
    half = np.array([True, False, True, False])
    assert np.array_equal(groups.by_chance(half), -groups.by_chance(~half))


def test_a_group_without_an_object_has_no_figure():
    empty = BoxRanking(np.arange(0), np.arange(0), np.zeros((0, 1), bool), np.zeros((0, 1), bool), np.array([0, 1]))
    groups = BoxGroups(WeightedAp([empty]), resamples=50)
    assert groups.estimate(np.array([True, False])).value is None
    assert groups.estimate(np.array([False, True])).value == 0
    assert np.isnan(groups.by_chance(np.array([True, False]))).all()
    assert WeightedAp([]).value is None


def test_the_interval_of_one_class_holds_the_truth():
    """60 images of a class, one object and two detections each; the truth is the figure of 60,000."""
    random = np.random.default_rng(1)

    def some(n):
        image, right = np.repeat(np.arange(n), 2), np.tile([True, False], n) & (random.random(2 * n) < 0.8)
        order = np.argsort(-random.normal(right * 1.5), kind="stable")
        flags = right[order][:, None]
        return WeightedAp([BoxRanking(order, image[order], flags, np.ones_like(flags), np.ones(n, np.int64))])

    truth, n, held = some(60_000).value, 60, 0
    for _ in range(100):
        low, high = BoxGroups(some(n), resamples=200).estimate(np.ones(n, bool)).interval
        held += low <= truth <= high
    assert 0.90 <= held / 100 <= 0.99
