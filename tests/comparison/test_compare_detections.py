"""Detectors on the same images: AP from rows against COCO's evaluator, images drawn twice, refusals."""

import contextlib
import dataclasses
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cnnkit.boxes import xyxy_from_xywh
from cnnkit.comparison import BOX_KINDS, Contender, ObjectPair, compare_results, paired_boxes
from cnnkit.comparison._boxes import Boxes
from cnnkit.errors import DataError
from cnnkit.metrics import FoundBoxes, TrueBoxes, coco_scores, match_detections, threshold_bits
from cnnkit.results import Figure, Results, rows_schema

N_CLASSES = 3
CLASSES = ["cat", "dog", "owl"]

MakeResults = Callable[..., Results]


def scene(n: int, seed: int, *, noise: float = 6.0) -> tuple[TrueBoxes, FoundBoxes]:
    """Objects on n images, crowds among them, and detections near most of them, with scores of their own."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, n)
    image = np.repeat(np.arange(n), counts)
    m = len(image)
    category, crowd = rng.integers(0, N_CLASSES, m), rng.random(m) < 0.1
    boxes = np.column_stack([rng.uniform(0, 200, (m, 2)), rng.uniform(20, 80, (m, 2))])
    kept = np.repeat(np.arange(m), rng.integers(0, 3, m))
    near = boxes[kept] + rng.normal(0, noise, (len(kept), 4))
    near[:, 2:] = np.maximum(near[:, 2:], 1)
    found_category = np.where(rng.random(len(kept)) < 0.85, category[kept], rng.integers(0, N_CLASSES, len(kept)))
    scores = rng.permutation(len(kept)) / (len(kept) + 1) + 0.0
    truth = TrueBoxes(n_images=n, n_classes=N_CLASSES, image=image, category=category, boxes=boxes, crowd=crowd)
    return truth, FoundBoxes(image=image[kept], category=found_category, boxes=near, scores=scores)


def rows_of(truth: TrueBoxes, found: FoundBoxes, keys: Sequence[str]) -> pa.Table:
    """As the rows of detection results: what each detection takes, and the objects that count."""
    matches = match_detections(truth, found)
    counted = [np.flatnonzero((truth.image == at) & ~truth.crowd) for at in range(truth.n_images)]
    place = np.full(len(truth) + 1, -1)
    for own in counted:
        place[own] = np.arange(len(own))
    columns = {
        "det_class": found.category,
        "det_score": found.scores,
        "det_match": threshold_bits(matches.hit),
        "det_ignore": threshold_bits(matches.ignored),
        "det_object": place[np.where(matches.hit[:, 0], matches.taken[:, 0], -1)],
        "det_box": xyxy_from_xywh(found.xywh),
    }
    table = {
        name: [column[(found.image == at) & matches.kept].tolist() for at in range(truth.n_images)]
        for name, column in columns.items()
    }
    table["truth_class"] = [truth.category[own].tolist() for own in counted]
    table["truth_box"] = [xyxy_from_xywh(truth.xywh[own]).tolist() for own in counted]
    digests = [key.encode().ljust(32)[:32] for key in keys]
    return pa.table({"key": list(keys), "digest": digests, **table}, schema=rows_schema("detection"))


@pytest.fixture
def detector(make_results: MakeResults) -> Callable[..., Contender]:
    def make(name: str, truth: TrueBoxes, found: FoundBoxes, *, classes: Sequence[str] = CLASSES) -> Contender:
        keys = [f"{at:04d}.jpg" for at in range(truth.n_images)]
        results = make_results("detection", classes, truth.n_images, figures={"coco_AP": Figure(value=0.5, n=9)})
        return Contender(name, f"results/{name}", results, rows_of(truth, found, keys))

    return make


def drawn(truth: TrueBoxes, found: FoundBoxes, order: np.ndarray) -> tuple[TrueBoxes, FoundBoxes]:
    """The images in that order, some of them more than once, as images of their own."""
    true_at = np.concatenate([np.flatnonzero(truth.image == at) for at in order])
    true_image = np.concatenate([np.full((truth.image == at).sum(), place) for place, at in enumerate(order)])
    found_at = np.concatenate([np.flatnonzero(found.image == at) for at in order])
    found_image = np.concatenate([np.full((found.image == at).sum(), place) for place, at in enumerate(order)])
    return TrueBoxes(
        n_images=len(order),
        n_classes=N_CLASSES,
        image=true_image.astype(int),
        category=truth.category[true_at],
        boxes=truth.boxes[true_at],
        crowd=truth.crowd[true_at],
    ), FoundBoxes(
        image=found_image.astype(int),
        category=found.category[found_at],
        boxes=found.boxes[found_at],
        scores=found.scores[found_at],
    )


@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 14), seed=st.integers(0, 10_000))
def test_ap_is_cocos_and_weights_are_repeated_images(n: int, seed: int, make_results: MakeResults) -> None:
    truth, found = scene(n, seed)
    results = make_results("detection", CLASSES, n, figures={"coco_AP": Figure(value=0.5, n=9)})
    contender = Contender("a", "a", results, rows_of(truth, found, [f"{at:02d}" for at in range(n)]))
    figures = Boxes([contender, contender]).figures(0, resamples=10)
    scored = coco_scores(truth, found).figures()
    if scored["AP"] is None:
        assert figures == []
        return
    names = ("AP", "AP50", "AP75")
    assert {each.name: each.value for each in figures[:3]} == {
        f"coco_{name}": pytest.approx(scored[name], abs=1e-9) for name in names
    }
    order = np.sort(np.random.default_rng(seed).integers(n, size=n))
    again = coco_scores(*drawn(truth, found, order)).figures()
    weights = np.bincount(order, minlength=n).astype(np.float32)[:, None]
    for name, figure in zip(names, figures, strict=False):
        value = figure.under(weights)[0]
        assert np.isnan(value) if again[name] is None else value == pytest.approx(again[name], abs=1e-9)


def test_chunks_of_resamples_change_nothing(
    monkeypatch: pytest.MonkeyPatch, detector: Callable[..., Contender]
) -> None:
    truth, found = scene(20, 1)
    contender = detector("a", truth, found)
    weights = np.random.default_rng(0).multinomial(20, np.ones(20) / 20, size=50).T.astype(np.float32)
    whole = Boxes([contender, contender]).figures(0, resamples=10)[0].under(weights)
    monkeypatch.setattr("cnnkit.metrics.detection_weighted.MOST_AT_ONCE", 40)
    assert Boxes([contender, contender]).figures(0, resamples=10)[0].under(weights) == pytest.approx(whole)


def test_the_better_detector_is_found(detector: Callable[..., Contender]) -> None:
    truth, sharp = scene(120, 3, noise=2.0)
    _, blurred = scene(120, 3, noise=12.0)
    found = compare_results([detector("blurred", truth, blurred), detector("sharp", truth, sharp)], margin=0.05)
    difference, *others = found.differences
    shares = ["recall_at_best_f1", "precision_at_best_f1"]
    assert [each.measure for each in others] == ["coco_AP50", "coco_AP75", *shares]
    assert (found.measure, difference.method, difference.better) == ("coco_AP", "paired bootstrap", "second")
    wanted = coco_scores(truth, sharp).figures()["AP"] - coco_scores(truth, blurred).figures()["AP"]
    assert difference.value == pytest.approx(wanted)
    assert difference.low is not None
    assert 0 < difference.low < wanted < difference.high
    assert difference.sentence.startswith("sharp is better than blurred by ")
    assert "points of AP (COCO), 95 % interval" in difference.sentence
    assert found.equivalence[0].answer == "yes"
    assert found.pairs == ()
    assert found.notes == ()


def test_other_objects_are_refused(detector: Callable[..., Contender]) -> None:
    truth, found = scene(5, 3)
    other = TrueBoxes(
        n_images=5, n_classes=3, image=truth.image[1:], category=truth.category[1:], boxes=truth.boxes[1:]
    )
    with pytest.raises(DataError, match="images have other objects in their truth"):
        compare_results([detector("a", truth, found), detector("b", other, found)])


def test_classes_in_another_order_are_the_same(detector: Callable[..., Contender]) -> None:
    truth, found = scene(12, 5)
    turned = [2 - np.asarray(each.category) for each in (truth, found)]
    mirrored = (
        TrueBoxes(
            n_images=12, n_classes=3, image=truth.image, category=turned[0], boxes=truth.boxes, crowd=truth.crowd
        ),
        FoundBoxes(image=found.image, category=turned[1], boxes=found.boxes, scores=found.scores),
    )
    compared = compare_results([detector("a", truth, found), detector("b", *mirrored, classes=CLASSES[::-1])])
    assert compared.differences[0].better == "same"


def test_no_object_at_all(detector: Callable[..., Contender]) -> None:
    empty = TrueBoxes(n_images=3, n_classes=3, image=[], category=[], boxes=[])
    none = FoundBoxes(image=[], category=[], boxes=[], scores=[])
    with pytest.raises(DataError, match="coco_AP is undefined on these 3 images: nothing to compare"):
        compare_results([detector("a", empty, none), detector("b", empty, none)])


CAT, DOG, OWL = ([10, 10, 20, 20], [50, 50, 30, 30], [100, 100, 40, 40])
NOWHERE = [200, 200, 20, 20]
# three images: a cat and a dog, an owl, a dog in a crowd of dogs
THREE = TrueBoxes(
    n_images=3,
    n_classes=3,
    image=[0, 0, 1, 2, 2],
    category=[0, 1, 2, 1, 1],
    boxes=[CAT, DOG, OWL, DOG, [0, 0, 90, 90]],
    crowd=[False, False, False, False, True],
)


def found_boxes(*boxes: tuple[int, int, list[int], float]) -> FoundBoxes:
    image, category, places, scores = zip(*boxes, strict=True)
    return FoundBoxes(image=image, category=category, boxes=places, scores=scores)


# finds both of the first image and the dog of the third, where what lies in the crowd is passed over
GOOD = found_boxes((0, 0, CAT, 0.9), (0, 1, DOG, 0.8), (2, 1, DOG, 0.7), (2, 1, [5, 5, 20, 20], 0.95), (1, 0, OWL, 0.1))
# finds the owl and the cat of the first image, and a cat where there is none; is unsure of the dog, and of much else
FAINT = [(1, 1, NOWHERE, 0.02)] * 4
OTHER = found_boxes((0, 0, CAT, 0.6), (1, 2, OWL, 0.9), (2, 0, NOWHERE, 0.7), (2, 1, DOG, 0.01), *FAINT)


@pytest.fixture
def three(detector: Callable[..., Contender]) -> list[Contender]:
    return [detector("good", THREE, GOOD), detector("other", THREE, OTHER)]


def pair_of(contenders: Sequence[Contender]) -> ObjectPair:
    (pair,) = compare_results(contenders, resamples=20).object_pairs
    return pair


def test_three_images_by_hand(three: list[Contender]) -> None:
    """F1 is highest from 0.7 on for the first (3 right of 3, 4 objects), from 0.6 on for the other (2 of 3)."""
    pair = pair_of(three)
    assert (pair.first_confidence, pair.second_confidence) == pytest.approx((0.7, 0.6))
    assert (pair.n, pair.both, pair.only_first, pair.only_second, pair.neither) == (4, 1, 2, 1, 0)
    assert (pair.first_false, pair.second_false) == (0, 1)
    told = [
        (each.key, each.n, each.only_first, each.only_second, each.first_false, each.second_false)
        for each in pair.images
    ]
    assert told == [("0002.jpg", 1, 1, 0, 0, 1), ("0000.jpg", 2, 1, 0, 0, 0), ("0001.jpg", 1, 0, 1, 0, 0)]
    changes = [(each.label, each.n, each.first_found, each.second_found, each.second_false) for each in pair.classes]
    assert changes == [(0, 1, 1, 1, 1), (1, 2, 2, 0, 0), (2, 1, 0, 1, 0)]
    assert pair.images[0].digest == three[0].rows.column("digest")[2].as_py().hex()
    assert pair.sentence == (
        "Of 4 objects good and other both find 1, good alone 2, other alone 1, neither 0, with 0 and 1 false alarms "
        "(from confidence 0.7 and 0.6 on, IoU 0.5)."
    )
    assert pair.sentence in compare_results(three, resamples=20).sentences


def test_shares_are_those_of_the_counts(three: list[Contender]) -> None:
    found = {each.measure: each for each in compare_results(three, resamples=20).differences}
    assert found["recall_at_best_f1"].value == pytest.approx(2 / 4 - 3 / 4)
    assert found["precision_at_best_f1"].value == pytest.approx(2 / 3 - 1)


def test_shares_of_images_that_are_drawn_more_than_once(three: list[Contender]) -> None:
    """Of 2, 1 and 1 objects the first finds 2, 0 and 1; of 1, 1 and 1 detections the other has 1, 1 and 0 right."""
    weights = np.array([[1, 1, 1], [2, 0, 1], [0, 2, 1], [0, 1, 2]], np.float32).T
    for at, name, wanted in (
        (0, "recall_at_best_f1", [3 / 4, 5 / 5, 1 / 3, 2 / 3]),
        (1, "precision_at_best_f1", [2 / 3, 2 / 3, 2 / 3, 1 / 3]),
    ):
        (share,) = [each for each in Boxes(three).figures(at, resamples=10) if each.name == name]
        assert share.under(weights) == pytest.approx(wanted)
        assert share.value == pytest.approx(wanted[0])
        assert share.influence.sum() == pytest.approx(0)


def test_what_is_drawn_on_them(three: list[Contender]) -> None:
    boxes = paired_boxes(*three)
    last = boxes.key == "0002.jpg"
    drawn = [
        (BOX_KINDS[kind], label, None if np.isnan(score) else round(score, 2), box)
        for kind, label, score, box in zip(
            boxes.kind[last], boxes.label[last].tolist(), boxes.score[last], boxes.box[last].tolist(), strict=True
        )
    ]
    assert drawn == [
        ("only_first", 1, None, [50, 50, 80, 80]),
        ("first_right", 1, 0.7, [50, 50, 80, 80]),
        ("second_false", 0, 0.7, [200, 200, 220, 220]),
    ]
    assert [BOX_KINDS[at] for at in boxes.kind[boxes.key == "0001.jpg"]] == ["only_second", "second_right"]


def mirrored(facts: dict[str, Any]) -> dict[str, Any]:
    """What is said of the first model, said of the second."""
    parts = {"first": "second", "second": "first"}
    return {"_".join(parts.get(part, part) for part in name.split("_")): value for name, value in facts.items()}


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 10), seed=st.integers(0, 10_000))
def test_against_itself_nothing_differs_and_swapped_the_lists_swap(
    n: int, seed: int, make_results: MakeResults
) -> None:
    truth, found = scene(n, seed)
    _, other = scene(n, seed, noise=15.0)
    results = make_results("detection", CLASSES, n, figures={"coco_AP": Figure(value=0.5, n=9)})
    keys = [f"{at:02d}" for at in range(n)]
    one, two, same = (
        Contender(name, name, results, rows_of(truth, boxes, keys))
        for name, boxes in (("one", found), ("two", other), ("same", found))
    )
    there, back, itself = (Boxes(pair).pair(0, 1) for pair in ((one, two), (two, one), (one, same)))
    assert there is not None
    assert back is not None
    assert itself is not None
    assert (itself.images, itself.only_first, itself.only_second) == ((), 0, 0)
    assert there.both + there.only_first + there.only_second + there.neither == there.n == (~truth.crowd).sum()
    lists = {"images", "classes", "sentence"}
    assert there.model_dump(exclude=lists) == mirrored(back.model_dump(exclude=lists))
    for mine, theirs in ((there.images, back.images), (there.classes, back.classes)):
        assert [each.model_dump() for each in mine] == [mirrored(each.model_dump()) for each in theirs]
    for name in ("only_first", "only_second", "first_false", "second_false"):
        if name.startswith("only"):
            assert sum(getattr(each, name) for each in there.images) == getattr(there, name)
        assert sum(getattr(each, name) for each in there.classes) == getattr(there, name)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_objects_are_found_as_cocos_evaluator_finds_them(seed: int, make_results: MakeResults) -> None:
    """pycocotools' own matching at IoU 0.5, at every confidence in turn."""
    truth, found = scene(6, seed)
    _, other = scene(6, seed, noise=15.0)
    results = make_results("detection", CLASSES, 6, figures={"coco_AP": Figure(value=0.5, n=9)})
    keys = [f"{at:02d}" for at in range(6)]
    pair = Boxes(
        [Contender(name, name, results, rows_of(truth, boxes, keys)) for name, boxes in (("a", found), ("b", other))]
    ).pair(0, 1)
    assert pair is not None
    (first, false), (second, other_false) = (best_by_coco(truth, boxes) for boxes in (found, other))
    assume(first and second)  # where nothing is found no confidence is better than another
    assert (pair.both, pair.only_first) == (len(first & second), len(first - second))
    assert (pair.only_second, pair.first_false, pair.second_false) == (len(second - first), false, other_false)


def best_by_coco(truth: TrueBoxes, found: FoundBoxes) -> tuple[set[int], int]:
    """The objects found, and the false alarms, at the confidence with the highest F1, of equals the highest."""
    given = COCO()
    given.dataset = {
        "images": [{"id": at} for at in range(truth.n_images)],
        "categories": [{"id": at} for at in range(N_CLASSES)],
        "annotations": [
            {"id": at + 1, "image_id": int(truth.image[at]), "category_id": int(truth.category[at])}
            | {"bbox": truth.boxes[at].tolist(), "area": 1.0, "iscrowd": int(truth.crowd[at])}
            for at in range(len(truth))
        ],
    }
    best: tuple[float, set[int], int] = (-1.0, set(), 0)
    with contextlib.redirect_stdout(io.StringIO()):
        given.createIndex()
        for confidence in sorted(found.scores.tolist(), reverse=True):
            chosen = np.flatnonzero(found.scores >= confidence)
            told = np.column_stack([found.image, found.xywh, found.scores, found.category])[chosen]
            evaluator = COCOeval(given, given.loadRes(told), "bbox")
            evaluator.params.areaRng, evaluator.params.areaRngLbl = [[0, 1e10]], ["all"]
            evaluator.params.iouThrs = np.array([0.5])
            evaluator.evaluate()
            each = [one for one in evaluator.evalImgs if one]
            free = [~one["dtIgnore"][0].astype(bool) for one in each]
            taken = [one["dtMatches"][0][kept] for one, kept in zip(each, free, strict=True)]
            objects = {int(at) for one in taken for at in one if at}
            false = sum(int((one == 0).sum()) for one in taken)
            f1 = 2 * len(objects) / (len(objects) + false + (~truth.crowd).sum())
            if f1 > best[0] + 1e-12:
                best = (f1, objects, false)
    return best[1:]


def test_an_image_without_an_answer_is_one_on_which_nothing_is_found(three: list[Contender]) -> None:
    columns = three[0].rows.to_pydict()
    for name in ("det_class", "det_score", "det_match", "det_ignore", "det_object", "det_box"):
        columns[name][2] = None
    unread = dataclasses.replace(three[0], rows=pa.table(columns, schema=rows_schema("detection")))
    pair = pair_of([unread, three[1]])
    assert (pair.both, pair.only_first, pair.only_second, pair.neither) == (1, 1, 1, 1)


def test_objects_in_another_order_are_the_same_and_in_other_places_are_not_compared(
    detector: Callable[..., Contender],
) -> None:
    order = [1, 0, 2, 3, 4]
    columns = {name: getattr(THREE, name)[order] for name in ("image", "category", "boxes", "crowd")}
    turned = TrueBoxes(n_images=3, n_classes=3, **columns)
    first = detector("good", THREE, GOOD)
    assert pair_of([first, detector("other", turned, OTHER)]).only_first == 2
    moved = TrueBoxes(n_images=3, n_classes=3, **columns | {"boxes": columns["boxes"] + [0, 3, 0, 0]})
    found = compare_results([first, detector("other", moved, OTHER)], resamples=20)
    assert found.object_pairs == ()
    assert found.notes == (
        "the labels of other have their boxes in other places than those of good: objects found are not compared",
    )


def test_a_detector_that_finds_nothing(detector: Callable[..., Contender], three: list[Contender]) -> None:
    none = FoundBoxes(image=[], category=[], boxes=[], scores=[])
    pair = pair_of([three[0], detector("none", THREE, none)])
    assert (pair.both, pair.only_first, pair.only_second, pair.second_false) == (0, 3, 0, 0)
    assert pair.second_confidence == 0.25


def test_every_model_is_told_against_the_baseline(detector: Callable[..., Contender], three: list[Contender]) -> None:
    pairs = compare_results([*three, detector("third", THREE, GOOD)], resamples=20).object_pairs
    assert [(each.first, each.second) for each in pairs] == [("good", "other"), ("good", "third")]
    assert pairs[1].images == ()
