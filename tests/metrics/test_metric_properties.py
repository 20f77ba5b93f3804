"""What all metrics share. Every public name stands in exactly one set, so that none escapes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnkit import metrics

Arrays = tuple[NDArray[Any], NDArray[Any]]


def confusion_figures(scores: NDArray[Any], labels: NDArray[Any]) -> metrics.ClassReport:
    """The report as a function of scores and labels, so that the properties reach it."""
    predicted = metrics.predicted_classes(scores)
    return metrics.classification_report(metrics.confusion_matrix(predicted, labels, n_classes=np.shape(scores)[1]))


# figures of (n, classes) scores and labels that do not depend on the order of samples or on repeating them all
FIGURES: dict[str, Callable[..., Any]] = {
    "average_precisions": metrics.average_precisions,
    "cross_entropy": metrics.cross_entropy,
    "fit_temperature": metrics.fit_temperature,
    "macro_roc_auc": metrics.macro_roc_auc,
    "mean_average_precision": metrics.mean_average_precision,
    "roc_aucs": metrics.roc_aucs,
    "top_k_accuracy": lambda scores, labels: metrics.top_k_accuracy(scores, labels, k=2),
    "top_k_error": lambda scores, labels: metrics.top_k_error(scores, labels, k=2),
}
# as before, with the number of samples in the answer
REPORTS: dict[str, Callable[..., Any]] = {
    "label_rank_bounds": lambda scores, labels: [np.sort(each) for each in metrics.label_rank_bounds(scores, labels)],
    "classification_report": confusion_figures,
    "ranking_estimates": lambda scores, labels: metrics.ranking_estimates(scores, labels, bootstrap_up_to=0),
}
# an answer for each sample
EACH_SAMPLE: dict[str, Callable[..., Any]] = {
    "brier_scores": metrics.brier_scores,
    "label_ranks": metrics.label_ranks,
    "predicted_classes": lambda scores, labels: metrics.predicted_classes(scores),
    "tempered_log_losses": lambda scores, labels: metrics.tempered_log_losses(scores, labels, temperature=2),
}
# one class against the rest: scores (n,) and positives (n,)
BINARY: dict[str, Callable[..., Any]] = {
    "average_precision": metrics.average_precision,
    "average_precision_influence": metrics.average_precision_influence,
    "pr_curve": metrics.pr_curve,
    "roc_auc": metrics.roc_auc,
    "roc_auc_influence": metrics.roc_auc_influence,
    "roc_curve": metrics.roc_curve,
}
# tested by themselves: what they take is neither of these
OTHERS = {
    "added_by_chance",
    "binned_gaps",
    "calibration_error",
    "fisher_exact",
    "independent_difference",
    "label_doubts",
    "probability_estimates",
    "reliability_bins",
    "risk_coverage",
    "threshold_for_precision",
    "bootstrap_interval",
    "bootstrap_mean",
    "bootstrap_ratio",
    "check_scores",
    "confusion_matrix",
    "images_to_bound",
    "jackknife_interval",
    "log_losses",
    "report_estimates",
    "resample_weights",
    "wilson",
}
RECORDS = {name for name in metrics.__all__ if name[0].isupper()}
MULTILABEL = {"macro_f1_by_threshold", "multilabel_estimates", "predicted_labels"}
# what has properties and tests of its own, by the file that it lives in
ELSEWHERE = ("coco", "detection", "paired", "permutation", "voc")
TESTED_ELSEWHERE = {
    name
    for name in set(metrics.__all__) - RECORDS
    if getattr(metrics, name).__module__.rpartition(".")[2].startswith(ELSEWHERE)
}
WITH_LABELS = {**FIGURES, **REPORTS, **{name: EACH_SAMPLE[name] for name in EACH_SAMPLE if name != "predicted_classes"}}
EVERY = {**WITH_LABELS, **EACH_SAMPLE}


@pytest.fixture
def case() -> Arrays:
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(4), 24), np.repeat(np.arange(3), 8)  # class 3 has no sample


def test_every_public_name_is_in_one_set() -> None:
    sets = [
        set(FIGURES),
        set(REPORTS),
        set(EACH_SAMPLE),
        set(BINARY),
        OTHERS,
        MULTILABEL,
        RECORDS,
        TESTED_ELSEWHERE,
    ]
    counted = [name for names in sets for name in names]
    assert sorted(counted) == sorted(metrics.__all__)


@pytest.mark.parametrize("name", [*FIGURES, *REPORTS])
def test_order_of_samples_does_not_matter(name: str, case: Arrays) -> None:
    scores, labels = case
    order = np.random.default_rng(1).permutation(len(labels))
    assert_same(
        {**FIGURES, **REPORTS}[name](scores, labels), {**FIGURES, **REPORTS}[name](scores[order], labels[order])
    )


@pytest.mark.parametrize("name", FIGURES)
def test_every_sample_twice_changes_nothing(name: str, case: Arrays) -> None:
    scores, labels = case
    twice = FIGURES[name](np.repeat(scores, 2, axis=0), np.repeat(labels, 2))
    assert_same(FIGURES[name](scores, labels), twice)


@pytest.mark.parametrize("name", ["top_k_accuracy", "top_k_error", "mean_average_precision", "macro_roc_auc"])
def test_names_of_classes_do_not_matter(name: str, case: Arrays) -> None:
    scores, labels = case
    renamed = np.array([2, 0, 3, 1])
    assert_same(FIGURES[name](scores, labels), FIGURES[name](scores[:, np.argsort(renamed)], renamed[labels]))


@pytest.mark.parametrize("name", EACH_SAMPLE)
def test_each_sample_by_itself(name: str, case: Arrays) -> None:
    scores, labels = case
    whole = EACH_SAMPLE[name](scores, labels)
    alone = [EACH_SAMPLE[name](scores[at : at + 1], labels[at : at + 1])[0] for at in range(len(labels))]
    assert whole.tolist() == pytest.approx(alone)
    assert whole.dtype in (np.int64, np.float64)


@pytest.mark.parametrize("name", BINARY)
def test_order_of_samples_does_not_matter_for_one_class(name: str, case: Arrays) -> None:
    scores, positives = np.round(case[0][:, 0], 1), case[1] == 0
    order = np.random.default_rng(1).permutation(len(positives))
    one, other = BINARY[name](scores, positives), BINARY[name](scores[order], positives[order])
    assert_same(one[order] if isinstance(one, np.ndarray) else one, other)


@pytest.mark.parametrize("name", ["average_precision", "average_precision_influence", "roc_auc", "roc_auc_influence"])
def test_only_the_order_of_scores_matters(name: str, case: Arrays) -> None:
    scores, positives = case[0][:, 0], case[1] == 0
    assert_same(BINARY[name](scores, positives), BINARY[name](np.log(scores) * 3 - 7, positives))


@pytest.mark.parametrize("name", EVERY)
def test_lists_and_float32_are_taken(name: str, case: Arrays) -> None:
    function = EVERY[name]
    scores, labels = case[0].astype(np.float32), case[1]
    assert_same(function(scores, labels), function(scores.tolist(), labels.tolist()))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(name: str, case: Arrays, bad: float) -> None:
    scores, labels = case
    scores[5, 2] = bad
    with pytest.raises(ValueError, match=rf"a score is {bad} \(sample 5, class 2\): scores must be finite"):
        EVERY[name](scores, labels)


@pytest.mark.parametrize("name", EVERY)
def test_empty_input_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        EVERY[name](np.zeros((0, 3)), np.zeros(0, dtype=int))


@pytest.mark.parametrize("name", WITH_LABELS)
@pytest.mark.parametrize("label", [-1, 4])
def test_labels_out_of_range_are_refused(name: str, case: Arrays, label: int) -> None:
    scores, labels = case
    labels[7] = label
    with pytest.raises(ValueError, match=f"label {label} of sample 7 is out of range: there are 4 classes, from 0"):
        WITH_LABELS[name](scores, labels)


@pytest.mark.parametrize("name", WITH_LABELS)
def test_lengths_that_disagree_are_refused(name: str, case: Arrays) -> None:
    with pytest.raises(ValueError, match="23 labels for 24 samples"):
        WITH_LABELS[name](case[0], case[1][:-1])


@pytest.mark.parametrize("name", WITH_LABELS)
def test_labels_that_are_no_whole_numbers_are_refused(name: str, case: Arrays) -> None:
    with pytest.raises(ValueError, match="labels must be whole numbers, got float64"):
        WITH_LABELS[name](case[0], case[1].astype(float))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    ("scores", "positives", "message"),
    [
        ([0.1, 0.2], [0, 2], r"positives must be 0 or 1, got 2 at \[1\]"),
        ([0.1, np.nan], [0, 1], r"a score is nan \(sample 1\)"),
        ([0.1, 0.2], [1], r"positives have shape \(1,\), the scores \(2,\)"),
        ([], [], "scores are empty"),
        ([[0.1]], [[1]], r"scores must be \(n,\), got shape \(1, 1\)"),
        (["a"], [1], "scores must be real numbers"),
    ],
)
def test_wrong_input_for_one_class(name: str, scores: Any, positives: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BINARY[name](scores, positives)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_pythons_own(name: str, case: Arrays) -> None:
    found = FIGURES[name](*case)
    for value in found if isinstance(found, tuple) else [found]:
        assert value is None or type(value) in (float, int)


def assert_same(one: Any, other: Any) -> None:
    """Equal up to rounding, whatever they are made of."""
    if isinstance(one, np.ndarray):
        assert one == pytest.approx(other, abs=1e-9)
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif hasattr(one, "__dataclass_fields__"):
        for field in one.__dataclass_fields__:
            assert_same(getattr(one, field), getattr(other, field))
    else:
        assert one == (other if other is None or isinstance(other, str) else pytest.approx(other, abs=1e-9))
