"""Every figure with its interval, the count it rests on, and a note where it says less than it seems to."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.evaluation._answers import Answers
from cnnkit.results import Confusion, Figure


def proportion(hits: int, n: int, *, note: str | None = None) -> Figure:
    low, high = metrics.wilson(hits, n)
    return Figure(value=hits / n, low=low, high=high, n=n, method="wilson", note=note)


def complement(figure: Figure) -> Figure:
    """The error that belongs to an accuracy."""
    turned = {"value": figure.value, "low": figure.high, "high": figure.low}
    return figure.model_copy(update={name: None if end is None else 1 - end for name, end in turned.items()})


def figure_from_estimate(estimate: metrics.Estimate, n: int, *, note: str | None = None) -> Figure:
    low, high = estimate.interval or (None, None)
    return Figure(value=estimate.value, low=low, high=high, n=n, method=estimate.method, note=note)


def accuracies(answers: Answers, *, n_bad: int, topk: Iterable[int] = ()) -> dict[str, Figure]:
    """Top-k accuracy and error for k = 1, 5 and `topk`; top-1 over all images too, where a bad file is a miss."""
    figures: dict[str, Figure] = {}
    for k in sorted({1, 5, *topk}):
        accuracy = _top_k(answers, k)
        figures |= {f"top{k}_accuracy": accuracy, f"top{k}_error": complement(accuracy), **_tied(answers, k)}
    hits = int((answers.rank == 1).sum())
    note = f"{n_bad} without an answer count as wrong" if n_bad else None
    figures["top1_accuracy_of_all"] = proportion(hits, len(answers.rank) + n_bad, note=note)
    return figures


def _top_k(answers: Answers, k: int) -> Figure:
    n = len(answers.rank)
    if k >= answers.n_classes:
        return Figure(value=1.0, n=n, note=f"{k} guesses among {answers.n_classes} classes are always right")
    n_tied = int(((answers.best <= k) != (answers.worst <= k)).sum())
    note = f"{n_tied} images hang on a tie: of equal scores the lowest index counts" if n_tied else None
    return proportion(int((answers.rank <= k).sum()), n, note=note)


def _tied(answers: Answers, k: int) -> dict[str, Figure]:
    """Where ties touch the figure: what it would be if all fell well, and if all fell badly."""
    n, hits = len(answers.rank), [int((each <= k).sum()) for each in (answers.best, answers.worst)]
    if hits[0] == hits[1] or k >= answers.n_classes:
        return {}
    return {
        f"top{k}_accuracy_ties_best": proportion(hits[0], n),
        f"top{k}_accuracy_ties_worst": proportion(hits[1], n),
    }


def averages(estimates: metrics.ReportEstimates, n: int) -> dict[str, Figure]:
    """Macro, micro and weighted precision, recall and F1."""
    same = "one label and one answer an image: the same as top1_accuracy"
    return {
        name: figure_from_estimate(estimate, n, note=same if name.startswith("micro") else None)
        for name, estimate in estimates.averages.items()
    }


def confusion_of(counts: NDArray[np.int64]) -> Confusion:
    filled = np.argwhere(counts)
    cells = tuple((int(label), int(answer), int(counts[label, answer])) for label, answer in filled)
    return Confusion(n_classes=len(counts), cells=cells)
