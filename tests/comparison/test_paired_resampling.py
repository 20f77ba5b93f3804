"""Figures under weights: scikit-learn's with the same weights, repeated images, derivatives; and how often they err."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit import metrics
from cnnkit.comparison import Contender, compare_results
from cnnkit.comparison._differences import bootstrap_p, compare_proportions, compare_resampled, conclude
from cnnkit.comparison._rankings import rankings_of
from cnnkit.comparison._resampled import (
    Measured,
    Resampled,
    calibration_error_of,
    macro_f1_of,
    mean_of,
    mean_of_classes,
    resample,
)

MakeContender = Callable[..., Contender]


def case(n: int, seed: int, *, skill: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Labels of four classes, the last without an image, and probabilities."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 4)) + skill * np.eye(4)[labels]
    return labels, (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)


def figures_of(labels: np.ndarray, p: np.ndarray, *, resamples: int = 10) -> dict[str, Measured]:
    predicted, sure = p.argmax(axis=1), p.max(axis=1)
    found = [
        mean_of("cross_entropy", metrics.log_losses(p[np.arange(len(p)), labels])),
        calibration_error_of("ece", sure, predicted == labels),
        macro_f1_of("macro_f1", labels, predicted),
        *rankings_of(p, labels[:, None] == np.arange(4), resamples=resamples),
    ]
    return {figure.name: figure for figure in found}


def judged(labels: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """The same figures of the images as they are, by other code."""
    predicted, present = p.argmax(axis=1), np.unique(labels)
    ap = [sklearn.metrics.average_precision_score(labels == at, p[:, at]) for at in present]
    auc = [sklearn.metrics.roc_auc_score(labels == at, p[:, at]) for at in present if (labels != at).any()]
    true = np.maximum(p[np.arange(len(p)), labels].astype(float), 2.0**-126)
    return {
        "cross_entropy": float(-np.log(true).mean()),
        "macro_f1": sklearn.metrics.f1_score(labels, predicted, labels=present, average="macro", zero_division=0),
        "ece": metrics.calibration_error(p.max(axis=1), predicted == labels),
        "map": float(np.mean(ap)),
        **({"roc_auc": float(np.mean(auc))} if auc else {}),
    }


@settings(max_examples=25, deadline=None)
@given(st.integers(6, 50), st.integers(0, 10_000))
def test_values_are_those_of_other_code(n: int, seed: int) -> None:
    labels, p = case(n, seed)
    found = figures_of(labels, p)
    for name, value in judged(labels, p).items():
        assert found[name].value == pytest.approx(value), name
        assert found[name].under(np.ones((n, 1), np.float32))[0] == pytest.approx(value), name


@settings(max_examples=25, deadline=None)
@given(st.integers(6, 40), st.integers(0, 10_000))
def test_weights_are_repeated_images(n: int, seed: int) -> None:
    labels, p = case(n, seed)
    counts = np.bincount(np.random.default_rng(seed).integers(n, size=n), minlength=n)
    drawn = np.repeat(np.arange(n), counts)
    if len(np.unique(labels[drawn])) < 2:
        return
    wanted = judged(labels[drawn], p[drawn])
    for name, figure in figures_of(labels, p).items():
        assert figure.under(counts.astype(np.float32)[:, None])[0] == pytest.approx(wanted[name]), name


@pytest.mark.parametrize("seed", range(3))
def test_influence_is_the_derivative_by_the_weight(seed: int) -> None:
    labels, p = case(30, seed)
    for name, figure in figures_of(labels, p).items():
        assert figure.influence.sum() == pytest.approx(0, abs=1e-9), name
        for at in range(30):
            step = np.full((30, 1), -1e-4 / 29)  # all weight together stays the number of images
            step[at] = 1e-4
            up, down = (float(figure.under(1 + toward * step)[0]) for toward in (1, -1))
            assert (up - down) / 2e-4 == pytest.approx(figure.influence[at] * 30 / 29, abs=1e-5), name


def test_all_models_share_the_resamples() -> None:
    labels, p = case(60, 0)
    figures = list(figures_of(labels, p).values())
    one, other = (resample(figures, 60, resamples=50, seed=4) for _ in range(2))
    for name in one:
        assert (one[name].replicates == other[name].replicates).all()
    assert (resample(figures, 60, resamples=50, seed=5)["map"].replicates != one["map"].replicates).any()


def test_blocks_of_resamples_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, p = case(40, 0)
    whole = resample(list(figures_of(labels, p).values()), 40, resamples=30, seed=0)
    monkeypatch.setattr("cnnkit.metrics.bootstrap.BLOCK_BYTES", 4 * 40 * 7)
    blocks = resample(list(figures_of(labels, p).values()), 40, resamples=30, seed=0)
    for name in whole:
        assert blocks[name].replicates == pytest.approx(whole[name].replicates)


def test_too_much_work_is_not_resampled_and_agrees() -> None:
    labels, first = case(900, 1)
    second = case(900, 1, skill=1.3)[1]
    ends = []
    for resamples in (1500, 10**7):
        figures = [
            resample(
                rankings_of(each, labels[:, None] == np.arange(4), resamples=resamples), 900, resamples=1500, seed=0
            )
            for each in (first, second)
        ]
        found = compare_resampled("a", "b", (figures[0]["map"], figures[1]["map"]), 900)
        ends.append(found.interval)
        assert found.method == ("paired bootstrap" if resamples == 1500 else "paired jackknife")
    width = ends[0].high - ends[0].low
    assert ends[1] == pytest.approx(ends[0], abs=0.15 * width)


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.3, 0.3), st.integers(0, 1000))
def test_p_is_below_5_percent_exactly_when_the_interval_is_beside_zero(shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    influence = rng.exponential(size=200) / 200
    influence -= influence.mean()
    replicates = rng.normal(shift, 0.1, 600)

    def interval_at(level: float) -> metrics.Interval | None:
        return metrics.bootstrap_interval(replicates, shift, n=200, influence=influence, level=level)

    low, high = interval_at(0.95)
    p = bootstrap_p(interval_at, shift, resamples=600)
    assert 1 / 601 <= p <= 1
    assert (p < 0.05) == (low > 0 or high < 0)


def test_a_figure_that_nothing_moves() -> None:
    labels, p = case(50, 0)
    figures = resample(list(figures_of(labels, p).values()), 50, resamples=100, seed=0)
    (found,) = conclude([compare_resampled("a", "b", (figures["map"], figures["map"]), 50)])
    assert (found.better, found.low, found.p) == ("same", None, None)
    assert found.sentence == "a and b have the same mAP, image by image."


def test_whole_scores_give_map_auc_and_brier(make_contender: MakeContender) -> None:
    labels, p = case(80, 2)
    other = case(80, 2, skill=0.8)[1]
    classes = ["a", "b", "c", "d"]
    found = compare_results(
        [
            make_contender("x", labels.tolist(), scores=p, classes=classes),
            make_contender("y", labels.tolist(), scores=other, classes=classes),
        ]
    )
    values = {each.measure: each.value for each in found.differences}
    wanted = {name: judged(labels, other)[name] - value for name, value in judged(labels, p).items()}
    wanted["brier"] = metrics.brier_scores(other, labels).mean() - metrics.brier_scores(p, labels).mean()
    assert {name: values[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


@pytest.mark.slow
def test_false_alarms_of_the_exact_test_stay_below_their_level() -> None:
    """Two models of equal accuracy, 10,000 sets of images: at most 5.5 % are told apart."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(10_000):
        n = int(rng.integers(50, 800))
        shared, own = rng.random(n) < rng.uniform(0.5, 0.98), rng.random((2, n)) < rng.uniform(0.02, 0.3)
        right = [shared ^ each for each in own]
        alarms += (
            conclude([compare_proportions("a", "b", "top1_accuracy", (right[0], right[1]))])[0].better != "undecided"
        )
    assert alarms / 10_000 <= 0.055


@pytest.mark.slow
def test_paired_intervals_hold_the_true_difference() -> None:
    """Two models of equal skill: the true difference is 0, and 93 to 97 % of the intervals should hold it."""
    held = {"map": 0, "macro_f1": 0, "cross_entropy": 0}
    trials = 400
    for trial in range(trials):
        labels, p = case(240, 10_000 + trial)
        rng = np.random.default_rng(trial)
        logits = rng.normal(size=(240, 4)) + 1.5 * np.eye(4)[labels]
        other = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
        figures = [
            resample(list(figures_of(labels, each, resamples=400).values()), 240, resamples=400, seed=trial)
            for each in (p, other)
        ]
        for name in held:
            low, high = compare_resampled("a", "b", (figures[0][name], figures[1][name]), 240).interval
            held[name] += low <= 0 <= high
    for name, count in held.items():
        assert 0.925 <= count / trials <= 0.98, name


def many_classes(seed: int) -> list[dict[str, Resampled]]:
    """Two models of equal skill on 50 classes of 6 images, which mostly agree."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 50, 300)
    base = rng.normal(size=(300, 50))
    found = []
    for _ in range(2):
        logits = 0.8 * base + 0.6 * rng.normal(size=(300, 50)) + 3 * np.eye(50)[labels]
        p = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
        figures = [
            macro_f1_of("macro_f1", labels, p.argmax(axis=1)),
            *rankings_of(p, labels[:, None] == np.arange(50), resamples=250),
        ]
        found.append(resample(figures, 300, resamples=250, seed=seed))
    return found


def test_an_average_over_classes_costs_a_degree_of_freedom_each() -> None:
    """Few images a class: what is spread by sqrt(n / (n - classes)) is wider by just that."""
    one, other = many_classes(0)
    for name in ("macro_f1", "map"):
        wide = compare_resampled("a", "b", (one[name], other[name]), 300).interval
        narrow = compare_resampled(
            "a", "b", (replace(one[name], groups=1), replace(other[name], groups=1)), 300
        ).interval
        assert 1.02 < (wide.high - wide.low) / (narrow.high - narrow.low) < 1.3


@pytest.mark.slow
def test_paired_intervals_hold_the_true_difference_over_many_classes() -> None:
    trials, held = 100, {"macro_f1": 0, "map": 0}
    for trial in range(trials):
        one, other = many_classes(trial)
        for name in held:
            low, high = compare_resampled("a", "b", (one[name], other[name]), 300).interval
            held[name] += low <= 0 <= high
    for name, count in held.items():
        assert count / trials >= 0.88, name


def test_with_one_image_a_class_a_mean_over_classes_is_a_mean_over_images() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(80)
    order = rng.permutation(80)
    by_class = mean_of_classes("x", values, order[:, None] == np.arange(80))
    by_image = mean_of("x", values[order])
    drawn = [resample([each], 80, resamples=300, seed=0)["x"] for each in (by_class, by_image)]
    assert drawn[0].replicates == pytest.approx(drawn[1].replicates, rel=1e-5)
    assert drawn[0].value == pytest.approx(drawn[1].value)
    assert by_class.influence == pytest.approx(by_image.influence)


def test_macro_f1_of_one_image_a_class_is_as_uncertain_as_the_accuracy() -> None:
    """Drawing images would leave out a third of the classes and weigh the others alike: three quarters of the width."""
    labels = np.arange(200)
    predicted = np.where(
        np.random.default_rng(1).random(200) < 0.7, labels, 200
    )  # the wrong ones: a class without images
    f1 = resample([macro_f1_of("macro_f1", labels, predicted)], 200, resamples=2000, seed=0)["macro_f1"]
    hits = resample([mean_of("accuracy", labels == predicted)], 200, resamples=2000, seed=0)["accuracy"]
    assert f1.replicates is not None
    assert hits.replicates is not None
    assert f1.replicates == pytest.approx(hits.replicates, rel=1e-5)


def test_rankings_of_one_image_a_class_draw_the_classes() -> None:
    labels = np.arange(30)
    p = np.random.default_rng(2).dirichlet(np.ones(30), 30).astype(np.float32)
    positives = labels[:, None] == np.arange(30)
    found = {each.name: each for each in rankings_of(p, positives, resamples=10)}
    assert found["map"].value == pytest.approx(metrics.mean_average_precision(p, labels))
    assert found["roc_auc"].value == pytest.approx(metrics.macro_roc_auc(p, labels))
    twice = np.full((30, 1), 2, np.float32)
    assert found["map"].under is not None
    assert found["map"].under(twice) == pytest.approx(found["map"].value, rel=1e-5)
