"""Several labels a sample: fixtures, and scikit-learn called live."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from numpy.typing import NDArray

from cnnkit import metrics

FIGURES = (
    "030_multilabel_basic",
    "032_multilabel_class_without_positives",
    "034_multilabel_ties",
    "036_multilabel_threshold_edge",
)


def load(shared: Path, name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((shared / "metrics" / "cls" / f"{name}.json").read_text())
    return case


@pytest.mark.parametrize("name", FIGURES)
def test_fixtures(shared: Path, name: str) -> None:
    case = load(shared, name)
    scores, truth, expected = case["scores"], case["y_true"], case["expected"]
    found = metrics.multilabel_estimates(scores, truth, threshold=expected["threshold"], resamples=100)
    ranking = metrics.ranking_estimates(scores, truth, resamples=100)
    assert found.exact_match_accuracy.value == approx(expected["exact_match_accuracy"])
    assert found.hamming_error.value == approx(expected["hamming_loss"])
    for figure in ("precision", "recall", "f1"):
        assert found.averages[f"micro_{figure}"].value == approx(expected[f"{figure}_micro"])
        each = [estimate.value or 0 for estimate in getattr(found, figure)]
        assert np.mean(each) == approx(expected[f"{figure}_macro"])  # theirs: over all classes
        scored = [value for value, n in zip(each, found.support, strict=True) if n]
        assert found.averages[f"macro_{figure}"].value == approx(np.mean(scored))  # ours: over those with images
    assert ranking.mean_average_precision.value == approx(expected["mAP_over_classes_with_positives"])
    for at, figures in enumerate(expected["per_class"].values()):
        assert (found.support[at], found.predicted[at]) == (figures["support"], figures["predicted"])
        assert found.recall[at].value == approx(figures["recall"])
        assert (found.precision[at].value or 0) == approx(figures["precision"])
        assert ranking.average_precision[at].value == approx(figures["AP"])
        assert ranking.roc_auc[at].value == approx(figures["roc_auc"])
        curve = metrics.pr_curve(np.array(scores)[:, at], np.array(truth)[:, at])
        theirs = figures["sklearn_precision_recall_curve"]
        assert (curve is None) == (theirs is None)
        if curve is not None:
            assert curve.precision == pytest.approx(theirs["precision"][-2::-1])
            assert curve.recall == pytest.approx(theirs["recall"][-2::-1])
            assert curve.threshold == pytest.approx(theirs["thresholds"][::-1])


def test_truth_that_is_not_binary_is_named(shared: Path) -> None:
    case = load(shared, "027_error_multilabel_not_binary")
    with pytest.raises(ValueError, match=r"positives must be 0 or 1, got 2 at \[0, 1\]"):
        metrics.multilabel_estimates(case["scores"], case["y_true"])


@pytest.fixture
def case() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(0)
    truth = rng.random((150, 4)) < [0.5, 0.3, 0.1, 0.7]
    return np.clip(0.4 * truth + rng.random((150, 4)) * 0.6, 0, 1), truth


def test_scikit_learn_says_the_same(case: tuple[NDArray[np.float64], NDArray[np.bool_]]) -> None:
    scores, truth = case
    found = metrics.multilabel_estimates(scores, truth, threshold=0.45, resamples=200)
    given = metrics.predicted_labels(scores, threshold=0.45)
    for kind in ("macro", "micro"):
        theirs = sklearn.metrics.precision_recall_fscore_support(truth, given, average=kind, zero_division=0)[:3]
        ours = [found.averages[f"{kind}_{figure}"].value for figure in ("precision", "recall", "f1")]
        assert ours == pytest.approx(theirs)
    assert found.hamming_error.value == pytest.approx(sklearn.metrics.hamming_loss(truth, given))
    assert found.exact_match_accuracy.value == pytest.approx(sklearn.metrics.accuracy_score(truth, given))
    thresholds = [0.0, 0.3, 0.45, 0.9, 1.1]
    wanted = [
        sklearn.metrics.f1_score(truth, scores >= threshold, average="macro", zero_division=0)
        for threshold in thresholds
    ]
    assert metrics.macro_f1_by_threshold(scores, truth, thresholds=thresholds) == pytest.approx(wanted)


def test_intervals_hold_their_figures_and_agree_with_a_plain_bootstrap(
    case: tuple[NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    scores, truth = case
    found = metrics.multilabel_estimates(scores, truth, resamples=1000)
    given = metrics.predicted_labels(scores)
    drawn = np.random.default_rng(3).integers(150, size=(2000, 150))
    hits, answers, labels = (part[drawn].sum(axis=1) for part in (truth & given, given, truth))
    macro = (2 * hits / (answers + labels)).mean(axis=1)
    micro = 2 * hits.sum(axis=1) / (answers + labels).sum(axis=1)
    for name, plain in (("macro_f1", macro), ("micro_f1", micro)):
        low, high = np.quantile(plain, [0.025, 0.975])
        assert found.averages[name].interval == pytest.approx((low, high), abs=0.2 * (high - low))
    for estimate in (*found.f1, *found.averages.values(), found.hamming_error, found.exact_match_accuracy):
        assert estimate.interval is not None
        assert estimate.value is not None
        assert estimate.interval.low <= estimate.value <= estimate.interval.high


def test_no_label_anywhere_is_undefined() -> None:
    found = metrics.multilabel_estimates([[0.1, 0.2]], [[0, 0]], resamples=10)
    assert found.averages["macro_f1"].value is None
    assert found.averages["micro_recall"].value is None
    assert found.exact_match_accuracy.value == 1
    with pytest.raises(ValueError, match="no sample has a label"):
        metrics.macro_f1_by_threshold([[0.1]], [[0]], thresholds=[0.5])


def approx(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, abs=1e-9)
