"""What the best class of each image can tell, without scores of the others."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.evaluation._classes import class_figures
from cnnkit.evaluation._figures import averages, complement, confusion_of, proportion
from cnnkit.evaluation._foreign_classes import predicted_classes
from cnnkit.evaluation._foreign_files import ForeignAnswers
from cnnkit.evaluation._foreign_keys import Matched
from cnnkit.evaluation._scored import Asked
from cnnkit.results import Figure, rows_schema
from cnnkit.spec import ClassName

if TYPE_CHECKING:
    import pyarrow as pa

Ints = NDArray[np.int64]

TOP = 5


def measure_best(
    path: Path,
    found: ForeignAnswers,
    classes: Sequence[ClassName],
    labels: Ints,
    matched: Matched,
    asked: Asked,
) -> tuple[dict[str, Any], "pa.Table"]:
    """Fields of Results by name, and the rows: no curve, and top 5 only of a file with as many guesses.

    `labels` (n,) are those of all matched images.
    """
    guesses = _guesses(path, found, classes)[:, np.maximum(matched.rows, 0)]
    ok = matched.ok
    answered, true = guesses[0, ok], labels[ok]
    counts = metrics.confusion_matrix(answered, true, n_classes=len(classes))
    report = metrics.report_estimates(counts, resamples=asked.resamples, seed=asked.seed)
    n_bad = sum(matched.bad.values())
    none = (metrics.Estimate(None),) * len(classes)
    ranking = metrics.RankingEstimates(none, none, none[0], none[0])
    names = [entry.name for entry in classes]
    rank = _ranks(guesses, labels)
    measured = {
        "figures": {
            **_accuracies(rank[ok], n_bad=n_bad, n_guesses=len(guesses), n_classes=len(classes)),
            **averages(report, len(true)),
        },
        "per_class": class_figures(names, report, ranking, counts.sum(axis=1), counts.sum(axis=0)),
        "confusion": confusion_of(counts),
    }
    return measured, _rows(guesses[0], rank, labels, found.p, matched)


def _guesses(path: Path, found: ForeignAnswers, classes: Sequence[ClassName]) -> Ints:
    """(guesses, rows of the file): the best class first."""
    return np.stack([predicted_classes(path, found, names, classes) for names in (found.names, *found.guesses)])


def _ranks(guesses: Ints, labels: Ints) -> Ints:
    """The place of the label among the guesses from 1 on, 0 where it is none of them."""
    right = guesses == labels
    return np.where(right.any(axis=0), right.argmax(axis=0) + 1, 0)


def _accuracies(rank: Ints, *, n_bad: int, n_guesses: int, n_classes: int) -> dict[str, Figure]:
    n, hits = len(rank), int((rank == 1).sum())
    accuracy = proportion(hits, n)
    note = f"{n_bad} without an answer count as wrong" if n_bad else None
    figures = {"top1_accuracy": accuracy, "top1_error": complement(accuracy)}
    if n_guesses >= TOP < n_classes:
        top = proportion(int(((rank > 0) & (rank <= TOP)).sum()), n)
        figures |= {f"top{TOP}_accuracy": top, f"top{TOP}_error": complement(top)}
    return figures | {"top1_accuracy_of_all": proportion(hits, n + n_bad, note=note)}


def _rows(predicted: Ints, rank: Ints, labels: Ints, p: NDArray[np.float32] | None, matched: Matched) -> "pa.Table":
    import pyarrow as pa

    ok = matched.ok
    found, best = ok & (rank > 0), ok & (rank == 1)
    schema = rows_schema("classification")
    n = len(ok)
    sure = np.zeros(n, np.float32) if p is None else p[np.maximum(matched.rows, 0)]
    columns = {
        "key": pa.array(matched.keys, pa.string()),
        "digest": pa.nulls(n, pa.binary(32)),
        "label": pa.array(labels, pa.int32()),
        "predicted": pa.array(predicted, pa.int32(), mask=~ok),
        "rank": pa.array(rank, pa.int32(), mask=~found),
        "p": pa.array(sure, pa.float32(), mask=~best | (p is None)),
        "confidence": pa.array(sure, pa.float32(), mask=~ok | (p is None)),
    }
    return pa.table(columns, schema=schema)
