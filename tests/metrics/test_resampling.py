"""Bootstrap and jackknife: against scikit-learn's weights, numeric derivatives, scipy's BCa, and each other."""

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.metrics.bootstrap import resample_weights
from cnnkit.metrics.ranked import Ranked
from cnnkit.metrics.report_estimates import _Cells


def ranking(n: int, seed: int, *, levels: int = 12) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores with ties, and at least two positives and negatives."""
    rng = np.random.default_rng(seed)
    positives = rng.random(n) < 0.4
    positives[:4] = [True, True, False, False]
    return np.round(rng.normal(size=n) + positives, 1) if levels else rng.normal(size=n) + positives, positives


@settings(max_examples=15, deadline=None)
@given(st.integers(4, 60), st.integers(0, 10_000))
def test_resampled_figures_equal_scikit_learn_with_the_same_weights(n: int, seed: int) -> None:
    scores, positives = ranking(n, seed)
    weights = next(resample_weights(n, resamples=5, seed=seed))
    ap, auc = Ranked(scores, positives).resampled(weights)
    for at in range(5):
        drawn = weights[:, at]
        if not drawn[positives].any():
            assert np.isnan(ap[at])
            continue
        wanted = sklearn.metrics.average_precision_score(positives, scores, sample_weight=drawn)
        assert ap[at] == pytest.approx(wanted)
        if drawn[~positives].any():
            assert auc[at] == pytest.approx(sklearn.metrics.roc_auc_score(positives, scores, sample_weight=drawn))
        else:
            assert np.isnan(auc[at])


@pytest.mark.parametrize("seed", range(4))
def test_influence_is_the_derivative_by_the_weight(seed: int) -> None:
    scores, positives = ranking(25, seed)
    pairs = (
        (metrics.average_precision_influence, sklearn.metrics.average_precision_score),
        (metrics.roc_auc_influence, sklearn.metrics.roc_auc_score),
    )
    for influence, figure in pairs:
        found = influence(scores, positives)
        assert found is not None
        assert found.sum() == pytest.approx(0, abs=1e-12)
        for at in range(25):
            ends = []
            for step in (1e-5, -1e-5):
                weights = np.ones(25)
                weights[at] += step
                ends.append(figure(positives, scores, sample_weight=weights))
            assert found[at] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)


def test_resamples_are_seeded_and_draw_n() -> None:
    one, again = (next(resample_weights(50, resamples=20, seed=3)) for _ in range(2))
    assert (one == again).all()
    assert (one.sum(axis=0) == 50).all()
    assert (one != next(resample_weights(50, resamples=20, seed=4))).any()
    with pytest.raises(ValueError, match="resamples must be at least 1, got 0"):
        next(resample_weights(50, resamples=0, seed=0))


def test_blocks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = next(resample_weights(30, resamples=10, seed=0))
    monkeypatch.setattr("cnnkit.metrics.bootstrap.BLOCK_BYTES", 4 * 30 * 3)
    blocks = list(resample_weights(30, resamples=10, seed=0))
    assert [block.shape[1] for block in blocks] == [3, 3, 3, 1]
    assert (np.concatenate(blocks, axis=1) == whole).all()


def test_mean_equals_scipys_bca() -> None:
    values = np.random.default_rng(0).exponential(size=2000)
    ours = metrics.bootstrap_mean(values, resamples=4000, seed=0)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=4000, batch=500, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours is not None
    width = theirs.high - theirs.low
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.05 * width)


def test_small_samples_get_wider_intervals() -> None:
    replicates = np.random.default_rng(0).normal(size=5000)
    widths = [high - low for low, high in (metrics.bootstrap_interval(replicates, 0.0, n=n) for n in (5, 30, 10_000))]
    assert widths[0] > widths[1] > widths[2] == pytest.approx(2 * 1.96, rel=0.03)


@pytest.mark.parametrize(("values", "n"), [([1.0, 1.0], 10), ([np.nan, np.nan], 10), ([0.5, 1.0], 1)])
def test_replicates_that_tell_nothing(values: list[float], n: int) -> None:
    assert metrics.bootstrap_interval(values, 1.0, n=n) is None


def test_jackknife_tells_nothing_at_the_ends() -> None:
    assert metrics.jackknife_interval(1.0, [0.1, -0.1], n=10) is None
    assert metrics.jackknife_interval(0.5, [0.0, 0.0], n=10) is None
    assert metrics.jackknife_interval(0.5, [0.1, -0.1], n=1) is None


def test_jackknife_agrees_with_the_bootstrap() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 800)
    scores = rng.normal(size=(800, 4)) + 1.5 * np.eye(4)[labels]
    one = metrics.ranking_estimates(scores, labels, resamples=2000)
    other = metrics.ranking_estimates(scores, labels, bootstrap_up_to=0)
    pairs = [(one.mean_average_precision, other.mean_average_precision), (one.macro_roc_auc, other.macro_roc_auc)]
    pairs += [*zip(one.average_precision, other.average_precision, strict=True)]
    pairs += [*zip(one.roc_auc, other.roc_auc, strict=True)]
    for bootstrap, jackknife in pairs:
        assert (bootstrap.method, jackknife.method) == ("bootstrap", "jackknife")
        assert bootstrap.value == jackknife.value
        assert bootstrap.interval is not None
        assert jackknife.interval is not None
        width = bootstrap.interval.high - bootstrap.interval.low
        assert jackknife.interval == pytest.approx(bootstrap.interval, abs=0.2 * width)


def test_perfect_figures_get_wilsons_end() -> None:
    scores, labels = np.eye(2)[[0, 0, 0, 1, 1]], [0, 0, 0, 1, 1]
    estimates = metrics.ranking_estimates(scores, labels, resamples=100)
    assert estimates.average_precision[0] == metrics.Estimate(1.0, metrics.wilson(3, 3), "wilson")
    assert estimates.mean_average_precision == metrics.Estimate(1.0, metrics.wilson(5, 5), "wilson")


def test_class_of_one_image_has_no_interval() -> None:
    scores, labels = [[0.9, 0.1], [0.8, 0.2], [0.4, 0.3]], [0, 0, 1]
    estimates = metrics.ranking_estimates(scores, labels, resamples=100)
    assert estimates.average_precision[1] == metrics.Estimate(1.0, None, None)
    assert estimates.average_precision[0].interval is not None


def test_several_labels_a_sample() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((40, 3)) < [0.5, 0.2, 0.0]
    scores = rng.random((40, 3))
    estimates = metrics.ranking_estimates(scores, truth, resamples=100)
    for at in range(2):
        wanted = sklearn.metrics.average_precision_score(truth[:, at], scores[:, at])
        assert estimates.average_precision[at].value == pytest.approx(wanted)
    assert estimates.average_precision[2] == metrics.Estimate(None)


def test_drawing_cells_is_drawing_images() -> None:
    """Sums of redrawn cells are those of a redrawn list of images."""
    confusion = np.array([[5, 2, 0], [1, 7, 3], [0, 0, 4]])
    cells = _Cells(confusion)
    hits, support, predicted = cells.sums(cells.counts[None])
    assert hits[0].tolist() == np.diagonal(confusion).tolist()
    assert support[0].tolist() == confusion.sum(axis=1).tolist()
    assert predicted[0].tolist() == confusion.sum(axis=0).tolist()
    drawn = np.concatenate(list(cells.draws(4000, 0)))
    assert (drawn.sum(axis=1) == 22).all()
    assert drawn.mean(axis=0) == pytest.approx(cells.counts, rel=0.1)
    assert drawn.var(axis=0) == pytest.approx(cells.counts * (1 - cells.counts / 22), rel=0.15)


def test_f1_interval_against_a_plain_bootstrap() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, 400)
    predicted = np.where(rng.random(400) < 0.7, labels, rng.integers(0, 3, 400))
    counts = metrics.confusion_matrix(predicted, labels, n_classes=3)
    found = metrics.report_estimates(counts, resamples=2000).averages["macro_f1"]
    plain = []
    for _ in range(1000):
        drawn = np.bincount(3 * labels[each := rng.integers(400, size=400)] + predicted[each], minlength=9)
        plain.append(metrics.classification_report(drawn.reshape(3, 3)).macro.f1)
    low, high = np.quantile(plain, [0.025, 0.975])
    assert found.interval is not None
    assert found.interval == pytest.approx((low, high), abs=0.2 * (high - low))


def test_means_over_classes_of_one_image_draw_the_classes() -> None:
    """Then the mean of the recalls is the accuracy, and its interval must be as wide."""
    rng = np.random.default_rng(0)
    labels = np.arange(120)
    predicted = np.where(rng.random(120) < 0.7, labels, (labels + 1) % 120)
    found = metrics.report_estimates(metrics.confusion_matrix(predicted, labels, n_classes=120)).averages
    assert found["macro_recall"].method == "bootstrap of classes"
    accuracy, recall = found["weighted_recall"], found["macro_recall"]
    assert accuracy.interval is not None
    assert recall.interval is not None
    assert recall.value == pytest.approx(accuracy.value)
    assert recall.interval == pytest.approx(accuracy.interval, abs=0.02)

    scores = rng.normal(size=(120, 120)) + 3 * np.eye(120)
    mean = metrics.ranking_estimates(scores, labels, resamples=500).mean_average_precision
    values = metrics.average_precisions(scores, labels)
    assert mean.method == "bootstrap of classes"
    assert mean.interval == metrics.bootstrap_mean(values, resamples=500)


def test_each_class_costs_a_degree_of_freedom() -> None:
    replicates = np.random.default_rng(0).normal(0.5, 0.01, size=4000)
    one = metrics.bootstrap_interval(replicates, 0.5, n=100)
    many = metrics.bootstrap_interval(replicates, 0.5, n=100, groups=50)
    assert one is not None
    assert many is not None
    assert (many.high - many.low) / (one.high - one.low) == pytest.approx(2**0.5, rel=0.05)
    assert metrics.bootstrap_interval(replicates, 0.5, n=50, groups=50) is None


def test_a_mean_that_is_off_by_more_than_it_varies_is_put_right():
    replicates = np.random.default_rng(0).normal(0.6, 0.01, 4000)
    low, high = metrics.bootstrap_interval(replicates, 0.58, n=10_000, groups=10)
    assert (low, high) == (pytest.approx(0.56 - 0.0196, abs=0.001), 0.58)  # it holds the figure all the same
    assert metrics.bootstrap_interval(replicates, 0.02, n=10_000, groups=10).low == 0
    assert metrics.bootstrap_interval(replicates, 0.58, n=10_000).high < 0.58 + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macro_f1", "weighted_precision", "weighted_f1"])
def test_averages_over_many_classes_hold_the_truth(name):
    random, classes, n = np.random.default_rng(0), 100, 1000
    chances = random.dirichlet(np.full(classes, 0.05), classes) * 0.3 + 0.7 * np.eye(classes)
    support, predicted, hits = np.ones(classes), chances.sum(axis=0), np.diag(chances)
    each = {"macro_f1": 2 * hits / (support + predicted), "weighted_precision": hits / predicted}
    truth = {**each, "weighted_f1": each["macro_f1"]}[name].mean()
    held = 0
    for seed in range(100):
        confusion = random.multinomial(n, chances.ravel() / classes).reshape(classes, classes)
        low, high = metrics.report_estimates(confusion, resamples=300, seed=seed).averages[name].interval
        held += low <= truth <= high
    assert held >= 85
    wide = metrics.jackknife_interval(0.5, [0.01, -0.01], n=100, groups=50)
    narrow = metrics.jackknife_interval(0.5, [0.01, -0.01], n=100)
    assert wide is not None
    assert narrow is not None
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(2**0.5, rel=0.05)
    assert metrics.jackknife_interval(0.5, [0.01, -0.01], n=50, groups=50) is None


@pytest.mark.parametrize(("above", "below"), [([], []), ([1.0], [0.0]), ([np.nan], [1.0])])
def test_ratio_that_is_none(above: list[float], below: list[float]) -> None:
    with pytest.raises(ValueError, match="above must be finite numbers, at least one, and below numbers above 0"):
        metrics.bootstrap_ratio(above, below)


def test_ratio_equals_scipys_bca() -> None:
    rng = np.random.default_rng(4)
    below = rng.integers(1, 20, 300)
    above = rng.binomial(below, 0.3)
    ours = metrics.bootstrap_ratio(above, below, resamples=4000)
    theirs = scipy.stats.bootstrap(
        (above, below),
        lambda one, other, axis: one.sum(axis=axis) / other.sum(axis=axis),
        paired=True,
        method="BCa",
        n_resamples=4000,
        batch=500,
        rng=rng,
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.05 * (theirs.high - theirs.low))
