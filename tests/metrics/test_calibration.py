"""Calibration, temperature, thresholds and ties: by hand, and against scikit-learn and scipy called live."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnnkit import metrics


def probabilities(n: int, seed: int, *, n_classes: int = 4, sure: float = 1.0) -> tuple[NDArray, NDArray]:
    """Labels drawn from a softmax, then made surer than they are by the factor `sure`."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, n_classes)) * 2
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return scipy.special.softmax(logits * sure, axis=1), labels


def test_calibration_error_by_hand() -> None:
    confidence, correct = [0.55, 0.65, 0.75, 0.95], [0, 1, 1, 1]
    # two bins: (0, .5] empty, (.5, 1] |mean .725 - .75| ; ten bins: .55 -> .55, .65 -> .35, .75 -> .25, .95 -> .05
    assert metrics.calibration_error(confidence, correct, bins=2) == pytest.approx(0.025)
    assert metrics.calibration_error(confidence, correct, bins=10) == pytest.approx(1.2 / 4)
    # two of equal mass: (.55, .65) is .6 against .5, (.75, .95) is .85 against 1
    assert metrics.calibration_error(confidence, correct, bins=2, equal_mass=True) == pytest.approx(0.125)


def test_edges_belong_to_the_bin_below() -> None:
    counts = [each.n for each in metrics.reliability_bins([0.0, 0.5, 0.5, 1.0], [0, 1, 0, 1], bins=2)]
    assert counts == [3, 1]
    empty = metrics.reliability_bins([1.0], [1], bins=2)[0]
    assert (empty.n, empty.confidence, empty.accuracy) == (0, None, None)


def test_equal_confidences_stay_in_one_bin() -> None:
    bins = metrics.reliability_bins([0.3] * 7 + [0.9] * 3, [1] * 10, bins=5, equal_mass=True)
    assert [(each.n, each.high) for each in bins] == [(7, 0.3), (3, 0.9)]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 80), st.integers(1, 20), st.booleans(), st.integers(0, 10_000))
def test_bins_hold_every_sample_once_and_give_the_error(n: int, bins: int, equal_mass: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence, correct = np.round(rng.random(n), 2), rng.random(n) < 0.5
    found = metrics.reliability_bins(confidence, correct, bins=bins, equal_mass=equal_mass)
    assert sum(each.n for each in found) == n
    assert len(found) <= bins
    error = sum(each.n * abs((each.confidence or 0) - (each.accuracy or 0)) for each in found) / n
    assert metrics.calibration_error(confidence, correct, bins=bins, equal_mass=equal_mass) == pytest.approx(error)
    for at, each in enumerate(found):
        lowest = (at == 0) & (confidence == each.low)
        assert ((confidence > each.low) & (confidence <= each.high) | lowest).sum() == each.n


def test_true_probabilities_have_a_small_error() -> None:
    p, labels = probabilities(20_000, 0)
    correct = p.argmax(axis=1) == labels
    assert metrics.calibration_error(p.max(axis=1), correct) < 0.015
    surer, labels = probabilities(20_000, 0, sure=3)
    assert metrics.calibration_error(surer.max(axis=1), surer.argmax(axis=1) == labels) > 0.05


def test_brier_equals_scikit_learn() -> None:
    p, labels = probabilities(200, 1)
    theirs = sklearn.metrics.brier_score_loss(labels, p, labels=range(4), scale_by_half=False)
    assert metrics.brier_scores(p, labels).mean() == pytest.approx(theirs)


@pytest.mark.parametrize("sure", [0.4, 1.0, 3.0])
def test_temperature_equals_scipys_search(sure: float) -> None:
    p, labels = probabilities(500, 2, sure=sure)
    found = metrics.fit_temperature(p, labels)

    def loss(log_t: float) -> float:
        return float(metrics.tempered_log_losses(p, labels, temperature=np.exp(log_t)).mean())

    theirs = scipy.optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-8})
    assert found == pytest.approx(np.exp(theirs.x), rel=1e-4)
    assert found == pytest.approx(sure, rel=0.2)


def test_tempered_losses_equal_scipys_softmax() -> None:
    p, labels = probabilities(50, 3)
    wanted = -scipy.special.log_softmax(np.log(p) / 1.7, axis=1)[np.arange(50), labels]
    assert metrics.tempered_log_losses(p, labels, temperature=1.7) == pytest.approx(wanted)
    assert metrics.tempered_log_losses(p, labels, temperature=1) == pytest.approx(
        metrics.log_losses(p[range(50), labels])
    )
    with pytest.raises(ValueError, match="temperature must be above 0, got 0"):
        metrics.tempered_log_losses(p, labels, temperature=0)


def test_no_temperature_mends_a_perfect_or_a_blind_model() -> None:
    assert metrics.fit_temperature([[0.9, 0.1], [0.2, 0.8]], [0, 1]) is None
    assert metrics.fit_temperature([[0.9, 0.1], [0.9, 0.1]], [0, 1]) is None


def test_risk_coverage_by_hand() -> None:
    curve = metrics.risk_coverage([0.9, 0.7, 0.7, 0.2], [1, 1, 0, 1])
    assert curve.threshold.tolist() == [0.9, 0.7, 0.2]
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    assert curve.accuracy.tolist() == pytest.approx([1, 2 / 3, 3 / 4])


def test_threshold_answers_as_many_as_it_can() -> None:
    confidence, correct = [0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0]
    assert metrics.threshold_for_precision(confidence, correct, wanted=0.75) == metrics.Threshold(0.6, 0.75, 0.8)
    assert metrics.threshold_for_precision(confidence, correct, wanted=0.9) == metrics.Threshold(0.9, 1.0, 0.2)
    assert metrics.threshold_for_precision([0.9, 0.8], [0, 1], wanted=0.9) is None
    with pytest.raises(ValueError, match="wanted must lie between 0 and 1, got 90"):
        metrics.threshold_for_precision(confidence, correct, wanted=90)


def test_places_between_best_and_worst() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 3, (60, 5)), rng.integers(0, 5, 60)
    best, worst = metrics.label_rank_bounds(scores, labels)
    ranks = metrics.label_ranks(scores, labels)
    assert (best <= ranks).all()
    assert (ranks <= worst).all()
    smallest = np.finfo(float).eps
    shifted = scores.astype(float)
    shifted[np.arange(60), labels] += smallest * 8
    assert (metrics.label_ranks(shifted, labels) == best).all()
    shifted[np.arange(60), labels] -= smallest * 16
    assert (metrics.label_ranks(shifted, labels) == worst).all()


def test_estimates_are_the_figures_with_bootstrap_intervals() -> None:
    p, labels = probabilities(300, 4, sure=2)
    found = metrics.probability_estimates(p, labels, resamples=800, seed=1)
    correct = p.argmax(axis=1) == labels
    assert found.cross_entropy.value == pytest.approx(metrics.cross_entropy(p, labels).value)
    assert found.brier.value == pytest.approx(metrics.brier_scores(p, labels).mean())
    assert found.calibration_error.value == pytest.approx(metrics.calibration_error(p.max(axis=1), correct))
    mass = metrics.calibration_error(p.max(axis=1), correct, equal_mass=True)
    assert found.calibration_error_equal_mass.value == pytest.approx(mass)
    alone = metrics.bootstrap_mean(metrics.brier_scores(p, labels), resamples=800, seed=1)
    assert found.brier.interval == pytest.approx(alone)
    for estimate in (found.cross_entropy, found.calibration_error, found.calibration_error_equal_mass):
        assert estimate.interval is not None
        assert estimate.interval.low < (estimate.value or 0) < estimate.interval.high


def test_the_interval_of_a_calibration_error_by_hand() -> None:
    p = np.tile([0.8, 0.2], (100, 1))
    labels = np.repeat([0, 1], [90, 10])  # one bin: 80 % sure, 90 % right, with a standard error of 3 points
    found = metrics.probability_estimates(p, labels, resamples=4000).calibration_error
    assert found.value == pytest.approx(0.1)
    assert found.interval == pytest.approx((0.1 - 1.96 * 0.03, 0.1 + 1.98 * 0.03), abs=0.004)


def test_what_chance_adds_is_what_it_adds_to_models_that_are_calibrated() -> None:
    errors, added = [], []
    for seed in range(40):
        p, labels = drawn_from_its_probabilities(1000, seed=seed)
        sure, right = p.max(axis=1), p.argmax(axis=1) == labels
        errors.append(metrics.calibration_error(sure, right))
        added.append(metrics.added_by_chance(metrics.binned_gaps(sure, right)))
    assert np.mean(errors) <= np.mean(added) <= 1.2 * np.mean(errors)


def test_chance_adds_next_to_nothing_to_gaps_that_are_sure() -> None:
    gaps = metrics.binned_gaps([0.8] * 1000, [1] * 500 + [0] * 500)
    assert metrics.added_by_chance(gaps) < 1e-9
    assert metrics.added_by_chance(np.zeros((3, 2))) == 0


def test_a_model_that_may_be_calibrated_perfectly_is_not_said_to_be_off() -> None:
    for seed in range(5):
        p, labels = drawn_from_its_probabilities(1000, seed=seed)
        found = metrics.probability_estimates(p, labels, resamples=300)
        assert found.calibration_error.interval.low <= 0.005
        assert found.calibration_error.value > 0.01
        assert found.calibration_error.interval.high > found.calibration_error.value + 0.01


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("off", [0.0, 0.03, 0.1])
def test_the_interval_of_a_calibration_error_holds_the_truth(n: int, off: float) -> None:
    held = 0
    for seed in range(200):
        p, labels = drawn_from_its_probabilities(n, seed=seed, off=off)
        low, high = metrics.probability_estimates(p, labels, resamples=200, seed=seed).calibration_error.interval
        held += low <= off <= high
    assert held >= 180


def drawn_from_its_probabilities(n: int, *, seed: int, off: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Two classes; each answer is right as often as it is sure, less `off`."""
    random = np.random.default_rng(seed)
    sure = random.uniform(0.62, 1, n)
    return np.stack([sure, 1 - sure], axis=1), np.where(random.random(n) < sure - off, 0, 1)


@pytest.mark.parametrize(
    "function",
    [
        metrics.calibration_error,
        metrics.reliability_bins,
        metrics.risk_coverage,
        metrics.binned_gaps,
        lambda sure, right: metrics.threshold_for_precision(sure, right, wanted=0.5),
    ],
)
@pytest.mark.parametrize(
    ("confidence", "correct", "message"),
    [
        ([0.5, 1.5], [0, 1], r"probabilities must lie in \[0, 1\], got 1.5: are these logits"),
        ([0.5, np.nan], [0, 1], "a score is nan"),
        ([], [], "empty"),
        ([0.5], [0, 1], r"positives have shape \(2,\), the scores \(1,\)"),
        ([[0.5]], [[1]], r"confidence must be \(n,\), got shape \(1, 1\)"),
    ],
)
def test_what_is_wrong_is_named(function, confidence, correct, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        function(confidence, correct)
