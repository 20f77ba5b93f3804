"""Scores one label and one answer an image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnkit import metrics
from cnnkit.data import Truth, find_images, read_truth
from cnnkit.errors import DataError
from cnnkit.evaluation._answers import Answers, answers_of, rows_of
from cnnkit.evaluation._classes import class_figures
from cnnkit.evaluation._confidence import (
    calibration_of,
    lost_to_softmax,
    operating_points_of,
    probability_figures,
    risk_coverage_of,
)
from cnnkit.evaluation._curves import class_curves
from cnnkit.evaluation._figures import accuracies, averages, confusion_of, figure_from_estimate
from cnnkit.evaluation._join import join
from cnnkit.evaluation._label_health import doubts_of
from cnnkit.evaluation._scored import Asked, Scored, scored
from cnnkit.evaluation._source import check_images, keys_of
from cnnkit.predictions import Run
from cnnkit.results import Figure
from cnnkit.spec import ClassificationOutput


def score_labels(run: Run, asked: Asked) -> Scored:
    truth = read_truth(asked.data, classes=run.spec.classes, truth=asked.truth, keys=keys_of(run), **asked.labels)
    notes = (*check_images(run, asked.data, truth), *_not_run(truth)) if asked.truth is None else ()
    joined = join(run, truth.labels)
    answers = answers_of(joined, truth.labels, source=str(run.path))
    softmax = isinstance(run.spec.output, ClassificationOutput) and run.spec.output.activation == "softmax"
    lost, n_bad = lost_to_softmax(answers) if softmax else None, sum(joined.bad.values())
    return scored(
        joined,
        truth,
        asked.data,
        rows_of(joined, answers),
        n_classes_scored=len(np.unique(answers.truth)),
        notes=(*notes, lost) if lost else notes,
        measured=measure_answers(answers, run.spec.names, asked, n_bad=n_bad, softmax=softmax and not lost),
    )


def _not_run(truth: Truth) -> tuple[str, ...]:
    """Class folders are read from the run's own keys: what else they hold is said, and not scored."""
    try:
        images = find_images(truth.root)
    except DataError:  # images that only their content tells
        return ()
    n = sum("/" in image.key and truth.prefix + image.key not in truth.labels for image in images)
    return (f"Images of the class folders that the run does not have, not scored: {n:,}.",) if n else ()


def measure_answers(
    answers: Answers, names: Sequence[str], asked: Asked, *, n_bad: int, softmax: bool
) -> dict[str, Any]:
    """Fields of Results by name, from whole score vectors."""
    counts = metrics.confusion_matrix(answers.predicted, answers.truth, n_classes=answers.n_classes)
    report = metrics.report_estimates(counts, resamples=asked.resamples, seed=asked.seed)
    ranking = metrics.ranking_estimates(answers.scores, answers.truth, resamples=asked.resamples, seed=asked.seed)
    curves = class_curves(answers.scores, lambda at: answers.truth == at, np.unique(answers.truth).tolist())
    return {
        "figures": _figures(answers, report, ranking, n_bad=n_bad, asked=asked),
        "per_class": class_figures(names, report, ranking, counts.sum(axis=1), counts.sum(axis=0)),
        "confusion": confusion_of(counts),
        "curves": curves.model_copy(update={"risk_coverage": risk_coverage_of(answers)}),
        "calibration": calibration_of(answers, softmax=softmax),
        "operating_points": operating_points_of(answers),
        "health": doubts_of(answers),
    }


def _figures(
    answers: Answers,
    report: metrics.ReportEstimates,
    ranking: metrics.RankingEstimates,
    *,
    n_bad: int,
    asked: Asked,
) -> dict[str, Figure]:
    n = len(answers.rank)
    return {
        **accuracies(answers, n_bad=n_bad, topk=asked.topk),
        **averages(report, n),
        "map": figure_from_estimate(ranking.mean_average_precision, n),
        "roc_auc": figure_from_estimate(ranking.macro_roc_auc, n),
        **probability_figures(answers, resamples=asked.resamples, seed=asked.seed),
    }
