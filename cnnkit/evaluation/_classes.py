"""The figures of each class, with a word where they rest on little."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.results import ClassFigures

FEW_IMAGES = 30


def class_figures(
    names: Sequence[str],
    report: metrics.ReportEstimates | metrics.MultilabelEstimates,
    ranking: metrics.RankingEstimates,
    support: NDArray[np.int64] | Sequence[int],
    predicted: NDArray[np.int64] | Sequence[int],
) -> tuple[ClassFigures, ...]:
    columns = {
        "precision": report.precision,
        "recall": report.recall,
        "f1": report.f1,
        "ap": ranking.average_precision,
        "roc_auc": ranking.roc_auc,
    }
    found = []
    for at, name in enumerate(names):
        mine = {figure: column[at] for figure, column in columns.items()}
        found.append(
            ClassFigures(
                name=name,
                n=int(support[at]),
                n_predicted=int(predicted[at]),
                **{figure: estimate.value for figure, estimate in mine.items()},
                intervals={figure: estimate.interval for figure, estimate in mine.items() if estimate.interval},
                note=_few(int(support[at])),
            )
        )
    return tuple(found)


def _few(n: int) -> str | None:
    if n == 0:
        return "no image"
    return f"rests on fewer than {FEW_IMAGES} images" if n < FEW_IMAGES else None
