"""Every figure with its interval, the count it rests on, and a note where it says less than it seems to."""

from collections.abc import Iterable

import numpy as np

from cnnkit import metrics
from cnnkit.evaluation._answers import Answers
from cnnkit.results import Figure

WILSON = "wilson"
ALWAYS_IN = "{k} guesses among {n} classes are always right"


def proportion(hits: int, n: int, *, note: str | None = None) -> Figure:
    low, high = metrics.wilson(hits, n)
    return Figure(value=hits / n, low=low, high=high, n=n, method=WILSON, note=note)


def complement(figure: Figure) -> Figure:
    """The error that belongs to an accuracy."""
    changed = {"value": figure.value, "low": figure.high, "high": figure.low}
    return figure.model_copy(update={name: None if end is None else 1 - end for name, end in changed.items()})


def accuracies(answers: Answers, *, n_bad: int, topk: Iterable[int] = ()) -> dict[str, Figure]:
    """Top-k accuracy and error for k = 1, 5 and `topk`; top-1 over all images too, where a bad file is a miss."""
    figures: dict[str, Figure] = {}
    for k in sorted({1, 5, *topk}):
        accuracy = _top_k(answers, k)
        figures |= {f"top{k}_accuracy": accuracy, f"top{k}_error": complement(accuracy)}
    hits = int((answers.rank == 1).sum())
    note = f"{n_bad} without an answer count as wrong" if n_bad else None
    figures["top1_accuracy_of_all"] = proportion(hits, len(answers.rank) + n_bad, note=note)
    return figures


def _top_k(answers: Answers, k: int) -> Figure:
    n = len(answers.rank)
    if k >= answers.n_classes > 1:
        return Figure(value=1.0, n=n, note=ALWAYS_IN.format(k=k, n=answers.n_classes))
    return proportion(int((answers.rank <= k).sum()), n)


def averages(report: metrics.ClassReport, answers: Answers) -> dict[str, Figure]:
    """Macro, micro and weighted precision, recall and F1."""
    n = len(answers.rank)
    figures = {}
    for kind in ("macro", "micro", "weighted"):
        average = getattr(report, kind)
        for name, value in zip(("precision", "recall", "f1"), average, strict=True):
            figures[f"{kind}_{name}"] = Figure(value=value, n=n)
    hits = int((answers.rank == 1).sum())
    same = "one label and one answer an image: the same as top1_accuracy"
    figures |= {f"micro_{name}": proportion(hits, n, note=same) for name in ("precision", "recall", "f1")}
    return figures


def cross_entropy(answers: Answers) -> Figure:
    n = len(answers.rank)
    if not answers.are_probabilities:
        return Figure(value=None, n=n, note="the scores are no probabilities")
    value, n_clipped = metrics.cross_entropy(answers.p[:, None], np.zeros(n, dtype=np.int64))
    return Figure(value=value, n=n, note=f"{n_clipped} probabilities raised to 2^-126" if n_clipped else None)
