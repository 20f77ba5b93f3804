"""All that is measured on one label and one answer an image."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.evaluation._answers import Answers
from cnnkit.evaluation._confidence import calibration_of, operating_points_of, probability_figures, risk_coverage_of
from cnnkit.evaluation._curves import curves_of
from cnnkit.evaluation._figures import accuracies, averages, figure_from_estimate
from cnnkit.results import Calibration, ClassFigures, Confusion, Curves, Figure, OperatingPoint

FEW_IMAGES = 30


@dataclass(frozen=True)
class Measured:
    figures: dict[str, Figure]
    per_class: tuple[ClassFigures, ...]
    confusion: Confusion
    curves: Curves
    calibration: Calibration | None
    operating_points: tuple[OperatingPoint, ...]
    n_classes_scored: int


def measure(
    answers: Answers,
    names: Sequence[str],
    *,
    n_bad: int,
    topk: Iterable[int],
    softmax: bool,
    resamples: int,
    seed: int,
) -> Measured:
    counts = metrics.confusion_matrix(answers.predicted, answers.truth, n_classes=answers.n_classes)
    report = metrics.report_estimates(counts, resamples=resamples, seed=seed)
    ranking = metrics.ranking_estimates(answers.scores, answers.truth, resamples=resamples, seed=seed)
    n = len(answers.rank)
    figures = {
        **accuracies(answers, n_bad=n_bad, topk=topk),
        **averages(report, n),
        "map": figure_from_estimate(ranking.mean_average_precision, n),
        "roc_auc": figure_from_estimate(ranking.macro_roc_auc, n),
        **probability_figures(answers, resamples=resamples, seed=seed),
    }
    return Measured(
        figures=figures,
        per_class=_per_class(names, counts, report, ranking),
        confusion=_confusion(counts),
        curves=curves_of(answers).model_copy(update={"risk_coverage": risk_coverage_of(answers)}),
        calibration=calibration_of(answers, softmax=softmax),
        operating_points=operating_points_of(answers),
        n_classes_scored=int((counts.sum(axis=1) > 0).sum()),
    )


def _per_class(
    names: Sequence[str],
    counts: NDArray[np.int64],
    report: metrics.ReportEstimates,
    ranking: metrics.RankingEstimates,
) -> tuple[ClassFigures, ...]:
    columns = {
        "precision": report.precision,
        "recall": report.recall,
        "f1": report.f1,
        "ap": ranking.average_precision,
        "roc_auc": ranking.roc_auc,
    }
    support, predicted = counts.sum(axis=1).tolist(), counts.sum(axis=0).tolist()
    found = []
    for at, name in enumerate(names):
        mine = {figure: column[at] for figure, column in columns.items()}
        found.append(
            ClassFigures(
                name=name,
                n=support[at],
                n_predicted=predicted[at],
                **{figure: estimate.value for figure, estimate in mine.items()},
                intervals={figure: estimate.interval for figure, estimate in mine.items() if estimate.interval},
                note=_few(support[at]),
            )
        )
    return tuple(found)


def _few(n: int) -> str | None:
    if n == 0:
        return "no image"
    return f"rests on fewer than {FEW_IMAGES} images" if n < FEW_IMAGES else None


def _confusion(counts: NDArray[np.int64]) -> Confusion:
    filled = np.argwhere(counts)
    cells = tuple((int(label), int(answer), int(counts[label, answer])) for label, answer in filled)
    return Confusion(n_classes=len(counts), cells=cells)
