"""Score matrices with figures worked out beforehand: `metrics/cls` of the real data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnkit import metrics

FIGURES = (
    "001_basic",
    "003_logits",
    "005_topk_ties",
    "007_k_exceeds_classes",
    "009_class_never_predicted",
    "011_single_sample",
    "013_two_classes",
    "015_negative_scores",
    "017_samples_with_tied_scores_across",
)
ERRORS = ("021_error_inf_scores", "023_error_negative_label", "025_error_width_mismatch")


def load(shared: Path, name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((shared / "metrics" / "cls" / f"{name}.json").read_text())
    return case


@pytest.mark.parametrize("name", FIGURES)
def test_accuracy_and_top_k(shared: Path, name: str) -> None:
    case = load(shared, name)
    scores, labels, expected = case["scores"], case["y_true"], case["expected"]
    n_classes = len(case["classes"])
    assert metrics.top_k_accuracy(scores, labels) == pytest.approx(expected["accuracy"], abs=1e-9)
    for k in (1, 2, 3, 5):
        if f"top{k}_error" in expected:
            error = metrics.top_k_error(scores, labels, k=min(k, n_classes))
            assert error == pytest.approx(expected[f"top{k}_error"], abs=1e-9)


@pytest.mark.parametrize("name", FIGURES)
def test_confusion_and_averages(shared: Path, name: str) -> None:
    case = load(shared, name)
    expected = case["expected"]
    predicted = metrics.predicted_classes(case["scores"])
    counts = metrics.confusion_matrix(predicted, case["y_true"], n_classes=len(case["classes"]))
    assert counts.tolist() == expected["confusion_matrix_rows_true_cols_pred"]

    report = metrics.classification_report(counts)
    for average, key in ((report.macro, "macro"), (report.weighted, "weighted")):
        figures = expected[key]["over_classes_with_support"] if key == "macro" else expected[key]
        assert average._asdict() == pytest.approx(figures, abs=1e-9)
    assert report.micro.f1 == pytest.approx(expected["micro_f1"], abs=1e-9)
    assert report.macro.recall == pytest.approx(expected["balanced_accuracy"], abs=1e-9)

    estimates = metrics.report_estimates(counts, resamples=100)
    for kind, average in (("macro", report.macro), ("weighted", report.weighted), ("micro", report.micro)):
        for figure, value in average._asdict().items():
            assert estimates.averages[f"{kind}_{figure}"].value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("name", FIGURES)
def test_each_class(shared: Path, name: str) -> None:
    case = load(shared, name)
    scores, labels = np.array(case["scores"]), np.array(case["y_true"])
    counts = metrics.confusion_matrix(metrics.predicted_classes(scores), labels, n_classes=len(case["classes"]))
    report = metrics.classification_report(counts)
    ap, auc = metrics.average_precisions(scores, labels), metrics.roc_aucs(scores, labels)
    ranking = metrics.ranking_estimates(scores, labels, resamples=100)
    for at, figures in enumerate(case["expected"]["per_class"].values()):
        assert (report.support[at], report.predicted[at]) == (figures["support"], figures["predicted"])
        assert report.precision[at] == (approx(figures["precision"]) if figures["precision_defined"] else None)
        assert report.recall[at] == approx(figures["recall"])
        occurs = figures["support"] or figures["predicted"]
        assert report.f1[at] == (approx(figures["f1"]) if occurs else None)
        assert ap[at] == approx(figures["AP"])
        assert auc[at] == approx(figures["roc_auc_one_vs_rest"])
        assert ranking.average_precision[at].value == approx(figures["AP"])
        assert ranking.roc_auc[at].value == approx(figures["roc_auc_one_vs_rest"])
    wanted = case["expected"]["mAP_over_classes_with_positives"]
    assert metrics.mean_average_precision(scores, labels) == approx(wanted)
    assert ranking.mean_average_precision.value == approx(wanted)


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_wrong_is_named(shared: Path, name: str) -> None:
    case = load(shared, name)
    with pytest.raises(ValueError, match=r".") as caught:
        metrics.top_k_error(metrics.check_scores(case["scores"], classes=case["classes"]), case["y_true"], k=1)
    for word in case["error_should_name"]:
        assert word in str(caught.value)


def approx(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, abs=1e-9)
