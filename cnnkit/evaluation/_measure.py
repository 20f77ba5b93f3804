"""All that is measured on one label and one answer an image."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.evaluation._answers import Answers
from cnnkit.evaluation._curves import curves_of
from cnnkit.evaluation._figures import accuracies, averages, cross_entropy
from cnnkit.results import ClassFigures, Confusion, Curves, Figure


@dataclass(frozen=True)
class Measured:
    figures: dict[str, Figure]
    per_class: tuple[ClassFigures, ...]
    confusion: Confusion
    curves: Curves
    n_classes_scored: int


def measure(answers: Answers, names: Sequence[str], *, n_bad: int, topk: Iterable[int] = ()) -> Measured:
    counts = metrics.confusion_matrix(answers.predicted, answers.truth, n_classes=answers.n_classes)
    report = metrics.classification_report(counts)
    ap = metrics.average_precisions(answers.scores, answers.truth)
    auc = metrics.roc_aucs(answers.scores, answers.truth)
    n = len(answers.rank)
    figures = {
        **accuracies(answers, n_bad=n_bad, topk=topk),
        **averages(report, answers),
        "map": Figure(value=_mean(ap), n=n),
        "roc_auc": Figure(value=_mean(auc), n=n),
        "cross_entropy": cross_entropy(answers),
    }
    return Measured(
        figures=figures,
        per_class=_per_class(names, report, ap, auc),
        confusion=_cells(counts),
        curves=curves_of(answers),
        n_classes_scored=report.n_classes_scored,
    )


def _per_class(
    names: Sequence[str], report: metrics.ClassReport, ap: Sequence[float | None], auc: Sequence[float | None]
) -> tuple[ClassFigures, ...]:
    return tuple(
        ClassFigures(
            name=name,
            n=report.support[at],
            n_predicted=report.predicted[at],
            precision=report.precision[at],
            recall=report.recall[at],
            f1=report.f1[at],
            ap=ap[at],
            roc_auc=auc[at],
        )
        for at, name in enumerate(names)
    )


def _cells(counts: NDArray[np.int64]) -> Confusion:
    filled = np.argwhere(counts)
    cells = tuple((int(label), int(answer), int(counts[label, answer])) for label, answer in filled)
    return Confusion(n_classes=len(counts), cells=cells)


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
