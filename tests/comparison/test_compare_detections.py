"""Detectors on the same images: AP from rows against COCO's evaluator, images drawn twice, refusals."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.boxes import xyxy_from_xywh
from cnnkit.comparison import Contender, compare_results
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
    assert {each.name: each.value for each in figures} == {
        f"coco_{name}": pytest.approx(scored[name], abs=1e-9) for name in names
    }
    order = np.sort(np.random.default_rng(seed).integers(n, size=n))
    again = coco_scores(*drawn(truth, found, order)).figures()
    weights = np.bincount(order, minlength=n).astype(np.float32)[:, None]
    for name, figure in zip(names, figures, strict=True):
        value = figure.under(weights)[0]
        assert np.isnan(value) if again[name] is None else value == pytest.approx(again[name], abs=1e-9)


def test_chunks_of_resamples_change_nothing(
    monkeypatch: pytest.MonkeyPatch, detector: Callable[..., Contender]
) -> None:
    truth, found = scene(20, 1)
    contender = detector("a", truth, found)
    weights = np.random.default_rng(0).multinomial(20, np.ones(20) / 20, size=50).T.astype(np.float32)
    whole = Boxes([contender, contender]).figures(0, resamples=10)[0].under(weights)
    monkeypatch.setattr("cnnkit.comparison._detections.NUMBERS_AT_ONCE", 40)
    assert Boxes([contender, contender]).figures(0, resamples=10)[0].under(weights) == pytest.approx(whole)


def test_the_better_detector_is_found(detector: Callable[..., Contender]) -> None:
    truth, sharp = scene(120, 3, noise=2.0)
    _, blurred = scene(120, 3, noise=12.0)
    found = compare_results([detector("blurred", truth, blurred), detector("sharp", truth, sharp)], margin=0.05)
    difference, *others = found.differences
    assert [each.measure for each in others] == ["coco_AP50", "coco_AP75"]
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
