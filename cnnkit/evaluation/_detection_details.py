"""What stands beside the figures of a detector: classes, curves, the best threshold, confusions, kinds of error."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.evaluation._curves import POINTS, POINTS_AT_LEAST, POINTS_IN_ALL, thinned
from cnnkit.evaluation._detection_boxes import Boxes
from cnnkit.evaluation._figures import confusion_of
from cnnkit.results import BestF1, ClassFigures, Confusion, Curve, Curves, DetectionFacts

IOU = 0.5  # where a detection counts as right, in everything that takes one threshold
CURVES_AT = (0.5, 0.75)
LOOKING = 0.25  # the confidence of the confusions where no F1 tells a better one
FEW_OBJECTS = 30


@dataclass(frozen=True)
class Details:
    """`protocol` is the one that decides what is left out of the count, and what AP a class has."""

    boxes: Boxes
    protocol: str

    @property
    def by_voc(self) -> bool:
        return self.protocol.startswith("voc")

    @cached_property
    def pair(self) -> tuple[metrics.TrueBoxes, metrics.FoundBoxes]:
        return self.boxes.voc if self.by_voc else self.boxes.coco

    @cached_property
    def matches(self) -> metrics.Matches:
        if self.by_voc:
            return metrics.match_detections(*self.pair, max_detections=self.boxes.limits[-1])
        return self.boxes.matches

    @cached_property
    def rankings(self) -> list[metrics.BoxRanking]:
        """The detections of each class by COCO's matching."""
        return metrics.coco_rankings(self.matches, *self.pair) if self.by_voc else self.boxes.rankings

    @cached_property
    def pooled(self) -> metrics.DetectionCurve:
        """All classes in one ranking, at IoU 0.5."""
        return metrics.detection_curve(self.matches, self.pair[1], iou=IOU)

    @cached_property
    def best_f1(self) -> BestF1 | None:
        return _best_f1(self.pooled)

    @property
    def confidence(self) -> float:
        """From which the confusions and the second count of errors take detections."""
        return self.best_f1.confidence if self.best_f1 else LOOKING

    def facts(self, *, errors: bool) -> DetectionFacts:
        truth, found = self.pair
        counts: dict[str, Any] = {}
        if errors:
            counts["errors"] = metrics.error_kinds(truth, found, iou=IOU).counts
            counts["errors_at_best_f1"] = metrics.error_kinds(truth, surer(found, self.confidence), iou=IOU).counts
        return DetectionFacts(
            n_objects=int(self.matches.n_objects.sum()),
            n_ignored=int(np.count_nonzero(truth.crowd)),
            n_detections=len(found),
            best_f1=self.best_f1,
            truth=dict(self.boxes.truth.counts),
            **counts,
        )

    def classes(self) -> tuple[ClassFigures, ...]:
        """AP of each class with its interval, by the protocol; AP50 beside COCO's."""
        ap = self._class_estimates()
        n_predicted = np.bincount(self.pair[1].category, minlength=len(ap["ap"])).tolist()
        found = []
        for at, name in enumerate(self.boxes.truth.classes):
            mine = {figure: estimates[at] for figure, estimates in ap.items()}
            n = int(self.matches.n_objects[at])
            found.append(
                ClassFigures(
                    name=name,
                    n=n,
                    n_predicted=n_predicted[at],
                    **{figure: each.value for figure, each in mine.items()},
                    intervals={figure: each.interval for figure, each in mine.items() if each.interval},
                    best_f1=_best_f1(self.curve(at, IOU)),
                    note=_few(n),
                )
            )
        return tuple(found)

    def curves(self) -> Curves:
        """Of each class at two thresholds, and by COCO's rule the mean over the classes at each of ten."""
        present = np.flatnonzero(self.matches.n_objects).tolist()
        n = max(min(POINTS, POINTS_IN_ALL // max(len(present), 1)), POINTS_AT_LEAST)
        pr = (*self._mean_curves(), *(curve for at in present for curve in self._class_curves(at, n)))
        return Curves(pr=pr, f1=self._f1_curve())

    def confusion(self) -> Confusion:
        return confusion_of(metrics.detection_confusion(*self.pair, iou=IOU, confidence=self.confidence))

    def curve(self, category: int, iou: float) -> metrics.DetectionCurve:
        """Of one class, by COCO's matching."""
        one, at = self.rankings[category], self.matches.threshold(iou)
        order = one.order[one.counts[:, at]]
        hits = one.hit[one.counts[:, at], at]
        return metrics.DetectionCurve(self.pair[1].scores[order], hits, int(self.matches.n_objects[category]))

    def _class_estimates(self) -> dict[str, tuple[metrics.Estimate, ...]]:
        if self.by_voc:
            truth, found = self.pair
            rankings = metrics.voc_rankings(metrics.voc_scores(truth, found), truth, found)
            return {"ap": metrics.box_estimates(rankings, points=11 if self.protocol == "voc07" else None)[0].classes}
        ap, _ = self.boxes.estimates
        return {"ap": ap.classes, "ap50": ap.first}

    def _class_curves(self, at: int, n: int) -> Iterator[Curve]:
        for iou in CURVES_AT:
            curve = self.curve(at, iou)
            if len(curve.scores):
                drawn = thinned(at, curve.recall, curve.precision, curve.scores, n)
                yield drawn.model_copy(update={"iou": iou})

    def _f1_curve(self) -> Curve | None:
        """F1 of all classes in one ranking against the confidence."""
        curve = self.pooled
        if not len(curve.scores):
            return None
        return thinned(None, curve.scores, curve.f1, curve.scores, POINTS).model_copy(update={"iou": IOU})

    def _mean_curves(self) -> Iterator[Curve]:
        if self.by_voc:
            return
        scores = self.boxes.coco_scores
        present = scores.recall[0, :, 0, -1] > -1
        for iou, precision in zip(scores.iou_thresholds.tolist(), scores.precision[:, :, present, 0, -1], strict=True):
            if precision.size:
                mean = precision.mean(axis=1)
                levels = tuple(round(level, 2) for level in scores.recall_levels.tolist())
                yield Curve(iou=round(iou, 2), x=levels, y=tuple(float(f"{value:.6g}") for value in mean))


def _best_f1(curve: metrics.DetectionCurve) -> BestF1 | None:
    best = curve.best_f1()
    return None if best is None else BestF1(**{name: getattr(best, name) for name in BestF1.model_fields})


def surer(found: metrics.FoundBoxes, confidence: float) -> metrics.FoundBoxes:
    """The detections from a score on."""
    kept: NDArray[np.bool_] = found.scores >= confidence
    columns = {name: getattr(found, name)[kept] for name in ("image", "category", "boxes", "scores")}
    return metrics.FoundBoxes(**columns, form=found.form)


def _few(n: int) -> str | None:
    if n == 0:
        return "no object"
    return f"rests on fewer than {FEW_OBJECTS} objects" if n < FEW_OBJECTS else None
