"""What only a detector has."""

from typing import Literal

from cnnkit.results._figures import BestF1
from cnnkit.results._model import ResultsModel


class BoxTable(ResultsModel):
    """A class's detections at IoU 0.5 by falling confidence, and the AP of this table, exact where it is short."""

    name: str
    n_objects: int
    confidence: tuple[float, ...]
    verdict: tuple[Literal["TP", "FP", "left out"], ...]
    ap: dict[str, float] = {}
    fractions: dict[str, str] = {}


class DetectionFacts(ResultsModel):
    """What only a detector has.

    `n_objects` are to be found, `n_ignored` (crowds, difficult ones) neither right nor wrong; `n_detections` were
    scored. `best_f1` is of all classes in one ranking. `errors` counts TIDE's kinds of error over all detections,
    `errors_at_best_f1` from its confidence on. `truth` counts what was odd about the labels.
    """

    n_objects: int
    n_ignored: int = 0
    n_detections: int
    best_f1: BestF1 | None = None
    errors: dict[str, int] = {}
    errors_at_best_f1: dict[str, int] = {}
    tables: tuple[BoxTable, ...] = ()
    truth: dict[str, int] = {}
