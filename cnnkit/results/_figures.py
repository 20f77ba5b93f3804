"""One number, a class's numbers, confusions and curves."""

import numpy as np
from numpy.typing import NDArray

from cnnkit.results._model import ResultsModel


class Figure(ResultsModel):
    """One number with its 95 % interval, the count `n` it rests on, and how the interval was made.

    `value` is None where the number is undefined; `low` and `high` are None where there is no interval, and `note`
    says why.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    method: str | None = None
    n_positives: int | None = None
    note: str | None = None


class BestF1(ResultsModel):
    """The highest F1 of a detector at IoU 0.5, and the confidence from which detections are kept to have it."""

    confidence: float
    f1: float
    precision: float
    recall: float


class ClassFigures(ResultsModel):
    """A class: `n` images carry its label, `n_predicted` got it as the answer. `intervals` is by name of the figure.

    Of a detector's class `n` are the objects to find and `n_predicted` the detections.
    """

    name: str
    n: int
    n_predicted: int | None = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    ap: float | None = None
    ap50: float | None = None
    roc_auc: float | None = None
    best_f1: BestF1 | None = None
    intervals: dict[str, tuple[float, float]] = {}
    note: str | None = None


class Confusion(ResultsModel):
    """The cells that are not 0, as (label, predicted, count), indices into the classes, in that order.

    A detector has one class more at the end, the background: predicted, an object that nothing found; as a label,
    nothing that was taken for an object.
    """

    n_classes: int
    cells: tuple[tuple[int, int, int], ...]

    def matrix(self) -> NDArray[np.int64]:
        """All of it: (classes, classes), a row for each label, a column for each answer."""
        whole = np.zeros((self.n_classes, self.n_classes), dtype=np.int64)
        if self.cells:
            labels, predicted, counts = np.array(self.cells, dtype=np.int64).T
            whole[labels, predicted] = counts
        return whole


class Curve(ResultsModel):
    """Points of a curve in the order of falling threshold; `index` is the class, None for a curve of all.

    `iou` is the overlap at which a detection counted as right.
    """

    index: int | None = None
    iou: float | None = None
    x: tuple[float, ...]
    y: tuple[float, ...]
    threshold: tuple[float, ...] = ()


class Curves(ResultsModel):
    """For drawing; long curves are thinned.

    `pr` is recall and precision, `roc` false and true positive rate, `risk_coverage` the share of images that are
    answered and the accuracy on them, with thresholds on the confidence; `f1` threshold and F1 (multi-label: macro).
    """

    pr: tuple[Curve, ...] = ()
    roc: tuple[Curve, ...] = ()
    risk_coverage: Curve | None = None
    f1: Curve | None = None
