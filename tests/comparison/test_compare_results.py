"""Classifiers on the same images: by hand, against statsmodels, and what is refused or said."""

from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from cnnkit.comparison import Contender, compare_results
from cnnkit.errors import DataError, UsageError
from cnnkit.results import Cost, DataFacts, ProviderFacts, Speed
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Rescale, Resize

MakeContender = Callable[..., Contender]


def alone(only_first: int, only_second: int, both: int, neither: int = 0) -> tuple[list[int], list[int], list[int]]:
    """Labels (all 0), and answers of two models with so many images right."""
    first = [0] * only_first + [1] * only_second + [0] * both + [1] * neither
    second = [1] * only_first + [0] * only_second + [0] * both + [2] * neither
    return [0] * len(first), first, second


def accuracy_of(found, first="a", second="b"):
    return next(
        each
        for each in found.differences
        if (each.measure, each.first, each.second) == ("top1_accuracy", first, second)
    )


def test_accuracy_by_hand(make_contender: MakeContender) -> None:
    labels, first, second = alone(2, 14, 80, 4)
    found = compare_results([make_contender("a", labels, first), make_contender("b", labels, second)])

    difference = accuracy_of(found)
    assert (found.n, found.baseline, found.measure) == (100, "a", "top1_accuracy")
    assert difference.value == pytest.approx(0.12)
    assert difference.p == pytest.approx(mcnemar([[80, 2], [14, 4]], exact=True).pvalue)
    assert difference.better == "second"
    assert difference.low is not None
    assert 0 < difference.low < 0.12 < difference.high
    assert difference.sentence == (
        "b is better than a by 12.0 points of accuracy, 95 % interval 4.8 to 20.5 (p = 0.004)."
    )
    pair = found.pairs[0]
    assert (pair.both_right, pair.only_first, pair.only_second, pair.both_wrong) == (80, 2, 14, 4)
    assert pair.same_answer == 80
    assert len(pair.flips) == 16
    assert (pair.flips[0].key, pair.flips[0].label, pair.flips[0].first, pair.flips[0].second) == ("00000.png", 0, 0, 1)
    assert [(each.label, each.n, each.first_right, each.second_right) for each in pair.classes] == [(0, 100, 82, 94)]


def test_the_order_turns_the_difference_round(make_contender: MakeContender) -> None:
    labels, first, second = alone(2, 14, 80)
    one, other = make_contender("a", labels, first), make_contender("b", labels, second)
    there, back = accuracy_of(compare_results([one, other])), accuracy_of(compare_results([other, one]), "b", "a")
    assert there.value == -back.value
    assert (there.low, there.high) == (pytest.approx(-back.high), pytest.approx(-back.low))
    assert there.sentence == back.sentence


def test_what_cannot_be_told_says_how_many_images_would(make_contender: MakeContender) -> None:
    labels, first, second = alone(10, 14, 176)
    found = accuracy_of(compare_results([make_contender("a", labels, first), make_contender("b", labels, second)]))
    assert found.better == "undecided"
    assert found.further_images is not None
    assert found.sentence == (
        "These data cannot tell which of a and b is better in accuracy: b is ahead by 2.0 points, 95 % interval −3.0 "
        "to 7.1 (p = 0.54); about 1,100 more images would, if that difference stays."
    )


def test_that_many_images_decide(make_contender: MakeContender) -> None:
    labels, first, second = alone(10, 18, 172)
    one, other = make_contender("a", labels, first), make_contender("b", labels, second)
    further = accuracy_of(compare_results([one, other])).further_images
    factor = 1 + 1.03 * further / 200
    again = alone(*(round(factor * count) for count in (10, 18, 172)))
    found = accuracy_of(
        compare_results([make_contender("a", again[0], again[1]), make_contender("b", again[0], again[2])])
    )
    assert found.better == "second"


def test_equal_models_are_not_proven_equal(make_contender: MakeContender) -> None:
    labels, first, _ = alone(0, 0, 90, 10)
    found = compare_results([make_contender("a", labels, first), make_contender("b", labels, first)], margin=0.02)
    assert accuracy_of(found).better == "same"
    assert found.sentences[0] == (
        "a and b get the same of the 100 images right; a difference of up to 3.7 points stays possible (95 % interval)."
    )
    assert found.equivalence[0].answer == "cannot tell"


def test_as_many_wins_as_losses(make_contender: MakeContender) -> None:
    labels, first, second = alone(6, 6, 88)
    found = accuracy_of(compare_results([make_contender("a", labels, first), make_contender("b", labels, second)]))
    assert found.further_images is None
    assert (
        "each is right on 6 images that the other gets wrong, 95 % interval −7.5 to 7.5 (p = 1.00)." in found.sentence
    )


@pytest.mark.parametrize(
    ("counts", "answer", "sentence"),
    [
        ((5, 5, 1990), "yes", "b is at most 1 point worse than a: the drop in accuracy is 0.00 points, 95 % interval"),
        ((90, 10, 1900), "no", "b is not at most 1 point worse than a: the drop in accuracy is 4.00 points"),
        ((20, 10, 370), "cannot tell", "These data cannot tell whether b is at most 1 point worse than a: the drop in"),
    ],
)
def test_equivalence(make_contender: MakeContender, counts, answer: str, sentence: str) -> None:
    labels, first, second = alone(*counts)
    found = compare_results([make_contender("a", labels, first), make_contender("b", labels, second)], margin=0.01)
    assert found.equivalence[0].answer == answer
    assert found.equivalence[0].sentence.startswith(sentence)
    assert (found.equivalence[0].further_images is None) == (answer != "cannot tell")


def test_many_models_are_corrected_by_holm(make_contender: MakeContender) -> None:
    rng = np.random.default_rng(3)
    labels = [0] * 300
    contenders = [
        make_contender(name, labels, (rng.random(300) > share).astype(int).tolist())
        for name, share in (("a", 0.80), ("b", 0.82), ("c", 0.90), ("d", 0.60))
    ]
    found = compare_results(contenders)
    tested = [each for each in found.differences if each.measure == "top1_accuracy"]
    assert len(tested) == 6
    assert [each.p_corrected for each in tested] == pytest.approx(
        multipletests([each.p for each in tested], method="holm")[1]
    )
    assert len(found.pairs) == 3
    assert found.sentences[0].startswith("c has the highest accuracy") or found.sentences[0].startswith("c is better")
    assert "corrected for 6 pairs" in found.sentences[1]
    others = [each for each in found.differences if each.measure == "macro_f1"]
    assert [(each.first, each.second) for each in others] == [("a", "b"), ("a", "c"), ("a", "d")]


def test_classes_are_matched_by_name_not_by_place(make_contender: MakeContender) -> None:
    one = make_contender("a", [0, 1, 2, 2], [0, 1, 2, 1], classes=["cat", "dog", "owl"])
    turned = make_contender("b", [2, 1, 0, 0], [2, 1, 1, 1], classes=["owl", "dog", "cat"])
    found = compare_results([one, turned])
    assert found.pairs[0].same_answer == 3
    assert found.pairs[0].flips[0].model_dump(include={"key", "label", "first", "second"}) == {
        "key": "00002.png",
        "label": 2,
        "first": 2,
        "second": 1,
    }


def test_an_alias_is_a_name(make_contender: MakeContender) -> None:
    synsets = [ClassName(name="tench", aliases=("n01",)), ClassName(name="ray", aliases=("n02", "ray, skate"))]
    one = make_contender("a", [0, 1], [0, 0], classes=synsets)
    other = make_contender("b", [1, 0], [1, 0], classes=["ray, skate", "tench"])
    assert compare_results([one, other]).pairs[0].only_second == 1


def test_classes_of_one_name_without_images_are_said(make_contender: MakeContender) -> None:
    one = make_contender("a", [0, 0], [0, 1], classes=["cat", ClassName(name="crane", aliases=("bird",)), "crane"])
    other = make_contender("b", [0, 0], [0, 1], classes=["cat", "crane", ClassName(name="crane", aliases=("x",))])
    # equal lists of names are equal classes; turned round they are not
    assert not any("crane" in note for note in compare_results([one, other]).notes)
    turned = make_contender("b", [2, 2], [2, 1], classes=["crane", "crane", "cat"])
    found = compare_results([one, turned])
    assert "2 classes of b (such as 'crane') could be several of a; no image is labelled so" in found.notes
    assert found.pairs[0].same_answer == 1


def one_named(contender: Contender, name: str) -> Contender:
    return Contender(name, contender.source, contender.results, contender.rows)


def test_images_without_an_answer_are_left_out_and_counted(make_contender: MakeContender) -> None:
    one = make_contender("a", [0, 1, 2, 2], [0, None, 2, 1])
    other = make_contender("b", [0, 1, 2, 2], [0, 1, 2, None])
    found = compare_results([one, other])
    assert (found.n, found.n_left_out) == (2, 2)
    assert "2 of 4 images lack an answer (1 from a, 1 from b) and are left out of every difference" in found.notes


def test_keys_with_and_without_the_part_are_the_same_images(make_contender: MakeContender) -> None:
    part = DataFacts(root="images", part="test", fingerprint="01", n=2, n_classes=3, n_classes_scored=3)
    digests = [b"1" * 32, b"2" * 32]
    one = make_contender("a", [0, 1], [0, 1], keys=["test/x.png", "test/y.png"], digests=digests, data=part)
    other = make_contender("b", [0, 1], [0, 0], keys=["x.png", "y.png"], digests=digests, data=part)
    found = compare_results([one, other])
    assert found.n == 2
    assert found.pairs[0].flips[0].key == "test/y.png"


def test_the_order_of_rows_does_not_matter(make_contender: MakeContender) -> None:
    one = make_contender("a", [0, 1], [0, 1], keys=["x", "y"])
    other = make_contender("b", [1, 0], [0, 0], keys=["y", "x"])
    assert compare_results([one, other]).pairs[0].only_first == 1


REFUSED = {
    "other images": (
        {"keys": ["x", "z", "w"]},
        "results/b cannot be compared with results/a: 1 of 3 images are in results/a alone (such as 'y'); 1 of 3 "
        "images are in results/b alone (such as 'w'). A paired comparison needs the same images",
    ),
    "other content": (
        {"digests": [b"x".ljust(32), b"!".ljust(32), b"z".ljust(32)]},
        "1 of 3 images have the same name and another content (such as 'y')",
    ),
    "other labels": (
        {"labels": [0, 0, 2]},
        "1 of 3 images have another label (such as 'y': 'dog' and 'cat'). Score both models with the same truth.",
    ),
    "other classes": (
        {"classes": ["cat", "dog", "fox"]},
        "1 of 3 classes are in results/a alone (such as 'owl'); 1 of 3 classes are in results/b alone (such as 'fox')",
    ),
    "fewer classes": (
        {"classes": ["cat", "dog", "owl", "fox"]},
        "results/b cannot be compared with results/a: 1 of 4 classes are in results/b alone (such as 'fox')",
    ),
    "no answer": ({"predicted": [None, None, None]}, "no image has an answer from all of results/a, results/b"),
    "several labels": (
        {"multilabel": True},
        "results/b cannot be compared with results/a: one is several labels an image, the other classification.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_comparable_is_refused(make_contender: MakeContender, what: str) -> None:
    changes, message = REFUSED[what]
    facts = {"labels": [0, 1, 2], "predicted": [0, 1, 1], "keys": ["x", "y", "z"]}
    with pytest.raises(DataError) as refused:
        compare_results([make_contender("a", **facts), make_contender("b", **(facts | changes))])
    assert message in str(refused.value)


def test_a_label_that_several_classes_answer_to_is_refused(make_contender: MakeContender) -> None:
    one = make_contender("a", [0], [0], classes=[ClassName(name="crane", aliases=("bird",)), "crane"])
    other = make_contender("b", [0], [0], classes=["crane", "crane "])
    with pytest.raises(DataError, match="classes are in results/b alone"):
        compare_results([one, other])
    other = make_contender("b", [1], [1], classes=[ClassName(name="bird"), "crane"])
    assert compare_results([one, make_contender("b", [0], [0], classes=["crane", "crane"])]).n == 1
    with pytest.raises(DataError, match="1 images are labelled 'crane' or so, which several of the classes answer to"):
        compare_results([one, other])


def test_files_without_hashes_are_paired_by_name_and_that_is_said(make_contender: MakeContender) -> None:
    one = make_contender("a", [0, 1], [0, 1])
    other = make_contender("b", [0, 1], [0, 1], digests=[None, None])
    assert "b has no hashes of its images: they are paired by name alone" in compare_results([one, other]).notes


def spec(size: int, **resize: object) -> ModelSpec:
    return ModelSpec(
        input=ModelInput(size=(size, size)),
        preprocess=(Resize(size=size, **resize), Rescale(scale=1 / 255)),
        output=ClassificationOutput(),
        classes=(ClassName(name="cat"),),
    )


def test_other_preprocessing_and_providers_are_said(make_contender: MakeContender) -> None:
    one, other = (
        make_contender(name, [0, 1], [0, 1], model={"name": name, "sha256": name, "spec_hash": name})
        for name in ("a", "b")
    )
    one = Contender("a", one.source, one.results, one.rows, spec=spec(224))
    facts = other.results.model_copy(update={"provider": ProviderFacts(name="CUDAExecutionProvider", precision="fp16")})
    other = Contender("b", other.source, facts, other.rows, spec=spec(128, implementation="opencv", filter="linear"))
    assert compare_results([one, other]).models[1].notes == (
        "other preprocessing than a: input 128 x 128 RGB, resize shortest 128 opencv linear; a: input 224 x 224 RGB, "
        "resize shortest 224 pillow bilinear",
        "ran on CUDAExecutionProvider in fp16, a on CPUExecutionProvider in fp32",
    )
    gone = Contender("b", other.source, other.results, other.rows)
    assert "the run of b is gone" in compare_results([one, gone]).models[1].notes[0]


def test_predictions_of_which_only_the_file_is_known(make_contender: MakeContender) -> None:
    one = make_contender("a", [0, 1], [0, 1])
    other = make_contender("b", [0, 1], [0, 0], model={"name": "theirs"}, provider=None)
    for pair in ([one, other], [other, one]):
        found = compare_results(pair)
        notes = found.models[1].notes
        assert notes == ("predictions of another tool: how b saw the images is not known",)
    assert compare_results([other, make_contender("c", [0, 1], [0, 0], model={"name": "x"}, provider=None)]).n == 2


def test_what_needs_whole_scores_is_left_out_by_name(make_contender: MakeContender) -> None:
    found = compare_results([make_contender("a", [0, 1], [0, 1]), make_contender("b", [0, 1], [0, 0])])
    assert "mAP, ROC AUC and Brier score are not compared (a: the run is gone; b: the run is gone)" in found.notes
    assert "map" not in {each.measure for each in found.differences}


def test_fronts(make_contender: MakeContender) -> None:
    labels, first, second = alone(2, 14, 80)
    small, large = Cost(size_bytes=10), Cost(size_bytes=30)
    quick = Speed(latency_ms_p50=1.0)
    one = make_contender("a", labels, first, cost=small, speed=quick)
    other = make_contender("b", labels, second, cost=large, speed=quick)
    found = compare_results([one, other])
    assert {each.cost: each.models for each in found.fronts} == {"size_bytes": ("a", "b"), "latency_ms_p50": ("b",)}
    assert "As measured, not beaten in accuracy and file size together: a and b." in found.sentences
    assert "As measured, no other is better than b in accuracy or in latency (p50)." in found.sentences


def test_speeds_of_different_kinds_stand_apart(make_contender: MakeContender) -> None:
    labels, first, second = alone(2, 14, 80)
    alone_speed = Speed(latency_ms_p50=1.0, images_per_s=158_001, images_per_s_of="model", noisy=True)
    files_speed = Speed(latency_ms_p50=1.0, images_per_s=2_114, images_per_s_of="files")
    one = make_contender("a", labels, first, speed=alone_speed)
    found = compare_results([one, make_contender("b", labels, second, speed=files_speed)])
    assert "images_per_s" not in {each.cost for each in found.fronts}
    assert (
        "images per second were not measured alike and do not compare (a: images/s of the model alone; b: images/s "
        "from files); `cnnkit bench` with the same images measures models side by side" in found.notes
    )
    assert "the machine was too noisy to trust the speed of a when it was measured" in found.notes
    alike = compare_results([one, make_contender("b", labels, second, speed=alone_speed)])
    assert "images_per_s" in {each.cost for each in alike.fronts}
    assert not any("images per second" in note for note in alike.notes)
    assert "the machine was too noisy to trust the speed of a and b when it was measured" in alike.notes


def test_a_front_of_one_claims_no_lead_that_is_not_there(make_contender: MakeContender) -> None:
    labels, first, _ = alone(2, 14, 80)
    one = make_contender("a", labels, first, cost=Cost(size_bytes=30))
    other = make_contender("b", labels, first, cost=Cost(size_bytes=10))
    told = compare_results([one, other]).sentences
    assert "As measured, no other is better than b in accuracy or in file size." in told
    assert not any("ahead" in sentence for sentence in told)


def test_wrong_calls(make_contender: MakeContender) -> None:
    one = make_contender("a", [0], [0])
    with pytest.raises(UsageError, match="comparing takes at least two results, got 1"):
        compare_results([one])
    with pytest.raises(UsageError, match="a margin must be above 0 points, got -1"):
        compare_results([one, one_named(one, "b")], margin=-0.01)
    with pytest.raises(ValueError, match="names of their own"):
        compare_results([one, one])


def test_models_that_share_the_first_place_are_named_together(make_contender: MakeContender) -> None:
    labels = [0, 1] * 40
    good = [*labels[:70], *(1 - each for each in labels[70:])]
    other = [*(1 - each for each in labels[:10]), *labels[10:]]
    poor = [1 - each for each in labels]
    contenders = [make_contender(name, labels, each) for name, each in (("a", good), ("b", other), ("c", poor))]
    (told,) = [each for each in compare_results(contenders).sentences if "the highest" in each]
    assert told == "a and b have the same accuracy, the highest; a is better than c."


def test_images_below_one_folder_more_are_the_same(make_contender: MakeContender) -> None:
    """A run over the whole folder has `images/` before every key, one over the pictures has not."""
    labels, names = [0, 1, 0, 1], [f"{at}.png" for at in range(4)]
    one = make_contender("a", labels, labels, keys=names)
    hashes = one.rows.column("digest").to_pylist()
    below = [f"images/{name}" for name in names]
    for first, other in ((names, below), (below, names), ([f"x/{name}" for name in names], below)):
        pair = [
            make_contender(name, labels, labels, keys=keys, digests=hashes)
            for name, keys in (("a", first), ("b", other))
        ]
        assert compare_results(pair).n == 4
    others = [f"images/{at}.png" for at in range(1, 5)]
    with pytest.raises(DataError, match="are in results/a alone"):
        compare_results([one, make_contender("b", labels, labels, keys=others, digests=hashes)])
