"""Precision and recall row by row, for those who want to follow how an average precision comes about."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.evaluation._detection_details import IOU, Details
from cnnkit.results import BoxTable

EXACT_UP_TO = 100  # rows: the fractions of longer tables have denominators that nobody reads
POINTS: dict[str, int | None] = {"11 recalls": 11, "all points": None, "101 recalls": 101}

Bools = NDArray[np.bool_]


def tables_of(details: Details) -> tuple[BoxTable, ...]:
    """A table for each class with objects or detections, by the protocol's own matching."""
    truth, found = details.pair
    rankings = details.rankings
    if details.by_voc:
        rankings = metrics.voc_rankings(metrics.voc_scores(truth, found), truth, found)
    at = 0 if details.by_voc else details.matches.threshold(IOU)
    return tuple(
        _table(name, found.scores[one.order], one.hit[:, at], one.counts[:, at], int(one.objects.sum()))
        for name, one in zip(details.boxes.truth.classes, rankings, strict=True)
        if len(one.order) or one.objects.any()
    )


def _table(name: str, scores: NDArray[np.float64], hit: Bools, counts: Bools, n_objects: int) -> BoxTable:
    verdicts = np.where(hit, "TP", np.where(counts, "FP", "left out")).tolist()
    right, answers = np.cumsum(hit)[hit], np.cumsum(counts)[hit]
    ap = {}
    if n_objects:
        precision, recall = right / answers, right / n_objects
        ap = {label: metrics.interpolated_ap(precision, recall, points=points) for label, points in POINTS.items()}
    exact = n_objects > 0 and len(scores) <= EXACT_UP_TO
    return BoxTable(
        name=name,
        n_objects=n_objects,
        confidence=tuple(scores.tolist()),
        verdict=verdicts,
        ap=ap,
        fractions=_fractions(right.tolist(), answers.tolist(), n_objects) if exact else {},
    )


def _fractions(right: Sequence[int], answers: Sequence[int], n_objects: int) -> dict[str, str]:
    precision = [Fraction(hits, of) for hits, of in zip(right, answers, strict=True)]
    beyond = [max(precision[at:]) for at in range(len(precision))]
    reached = np.array([hits / n_objects for hits in right])
    found = {}
    for label, points in POINTS.items():
        if points is None:
            exact = sum((value / n_objects for value in beyond), Fraction())
        else:
            places = np.searchsorted(reached, np.linspace(0, 1, points))
            exact = sum((beyond[at] for at in places.tolist() if at < len(beyond)), Fraction()) / points
        found[label] = str(exact)
    return found
