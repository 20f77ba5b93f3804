"""Scores any number of labels an image, at one threshold and over all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.data import LabelSets, read_label_sets
from cnnkit.evaluation._answers import refuse_no_answer
from cnnkit.evaluation._classes import class_figures
from cnnkit.evaluation._curves import class_curves
from cnnkit.evaluation._figures import figure_from_estimate
from cnnkit.evaluation._fitting import truth_of_sets
from cnnkit.evaluation._join import Joined, join
from cnnkit.evaluation._scored import Asked, Scored, scored
from cnnkit.evaluation._source import keys_of
from cnnkit.predictions import Run
from cnnkit.results import Curve, Curves, Figure, rows_schema
from cnnkit.spec import ClassificationOutput

if TYPE_CHECKING:
    import pyarrow as pa

THRESHOLDS = tuple(at / 100 for at in range(1, 100))

Bools = NDArray[np.bool_]


def score_label_sets(run: Run, asked: Asked) -> Scored:
    sets = truth_of_sets(asked)
    truth = read_label_sets(asked.data, classes=run.spec.classes, truth=sets, keys=keys_of(run), **asked.labels)
    joined = join(run, truth.labels)
    refuse_no_answer(joined, source=str(run.path))
    measured, rows, n_classes_scored = measure_label_sets(joined, truth, run.spec.names, asked)
    return scored(
        joined,
        truth,
        asked.data,
        rows,
        n_classes_scored=n_classes_scored,
        notes=_softmax_note(run),
        measured=measured,
    )


def measure_label_sets(
    joined: Joined, truth: LabelSets, names: Sequence[str], asked: Asked
) -> tuple[dict[str, Any], "pa.Table", int]:
    """Fields of Results by name, the rows, and how many classes some image shows."""
    scores, true, threshold = joined.scores.T, _matrix(joined, truth, len(names)), asked.label_threshold
    how = {"resamples": asked.resamples, "seed": asked.seed}
    report = metrics.multilabel_estimates(scores, true, threshold=threshold, **how)
    ranking = metrics.ranking_estimates(scores, true, **how)
    measured = {
        "multilabel": True,
        "figures": _figures(report, ranking, len(true)),
        "per_class": class_figures(names, report, ranking, report.support, report.predicted),
        "curves": _curves(scores, true),
        "protocol": {"threshold": threshold, "rule": "score >= threshold"},
    }
    rows = _rows(joined, truth, metrics.predicted_labels(scores, threshold=threshold))
    return measured, rows, report.n_classes_scored


def _matrix(joined: Joined, truth: LabelSets, n_classes: int) -> Bools:
    keys = [key for key, ok in zip(joined.keys.to_pylist(), joined.ok, strict=True) if ok]
    matrix = np.zeros((len(keys), n_classes), dtype=np.bool_)
    for row, key in enumerate(keys):
        matrix[row, list(truth.labels[key])] = True
    return matrix


def _figures(report: metrics.MultilabelEstimates, ranking: metrics.RankingEstimates, n: int) -> dict[str, Figure]:
    estimates = {
        "exact_match_accuracy": report.exact_match_accuracy,
        "hamming_error": report.hamming_error,
        **report.averages,
        "map": ranking.mean_average_precision,
        "roc_auc": ranking.macro_roc_auc,
    }
    return {name: figure_from_estimate(estimate, n) for name, estimate in estimates.items()}


def _curves(scores: NDArray[np.float32], true: Bools) -> Curves:
    present = np.flatnonzero(true.any(axis=0)).tolist()
    curves = class_curves(scores, lambda at: true[:, at], present)
    if not present:
        return curves
    values = metrics.macro_f1_by_threshold(scores, true, thresholds=THRESHOLDS)
    return curves.model_copy(update={"f1": Curve(x=THRESHOLDS, y=values, threshold=THRESHOLDS)})


def _rows(joined: Joined, truth: LabelSets, given: Bools) -> "pa.Table":
    import pyarrow as pa

    schema = rows_schema("classification", multilabel=True)
    answers = iter(given)
    predicted = [np.flatnonzero(next(answers)).tolist() if ok else None for ok in joined.ok]
    columns = {
        "key": joined.keys,
        "digest": joined.digests,
        "labels": pa.array([truth.labels[key] for key in joined.keys.to_pylist()], schema.field("labels").type),
        "predicted": pa.array(predicted, schema.field("predicted").type),
    }
    return pa.table(columns, schema=schema)


def _softmax_note(run: Run) -> tuple[str, ...]:
    if isinstance(run.spec.output, ClassificationOutput) and run.spec.output.activation == "softmax":
        return ("The model's scores come from a softmax, which lets one label win; several labels want a sigmoid.",)
    return ()
