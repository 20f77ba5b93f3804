"""The figures of each protocol, with intervals, and in words what each of them does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit import metrics
from cnnkit.errors import UsageError
from cnnkit.evaluation._detection_boxes import Boxes
from cnnkit.evaluation._figures import figure_from_estimate
from cnnkit.results import Figure

AREAS = {"s": (0.0, 32.0**2), "m": (32.0**2, 96.0**2), "l": (96.0**2, 1e10)}  # COCO's size classes, both ends inside
MANY = 100_000  # detections from which on the lesser figures go without an interval
TOO_MANY = f"none: over {MANY:,} detections"
NOTHING_VARIES, ONE_IMAGE = "none: nothing varies", "none: a single image"
ULTRALYTICS_LIMIT = 300


@dataclass(frozen=True)
class Protocol:
    """One way to score boxes: `rule` says it in a sentence, `measure` gives its figures by name.

    `{limit}` in a rule stands for the detections of an image and class that are scored.
    """

    title: str
    rule: str
    measure: Callable[[Boxes], dict[str, Figure]]


def coco_figures(boxes: Boxes) -> dict[str, Figure]:
    """The twelve numbers; `coco_AR100` bears the limit in its name."""
    truth, _ = boxes.coco
    values, estimates = boxes.coco_scores.figures(), _coco_estimates(boxes)
    return {
        f"coco_{name}": _figure(value, estimates.get(name), boxes.n_images, _n_objects(truth, name[-1]))
        for name, value in values.items()
    }


def voc_figures(boxes: Boxes, *, year: str, points: int | None) -> dict[str, Figure]:
    """AP by the development kit's rule, and with the same corners taken as continuous."""
    truth, found = boxes.voc
    figures = {}
    for name, plus_one in ((f"voc{year}_AP", True), (f"voc{year}_AP_no_plus_one", False)):
        scores = metrics.voc_scores(truth, found, plus_one=plus_one)
        estimate = metrics.box_estimates(metrics.voc_rankings(scores, truth, found), points=points)[0].mean
        n_objects = int(np.count_nonzero(~truth.crowd))
        figures[name] = _figure(scores.mean_ap(points), estimate, boxes.n_images, n_objects)
    return figures


def ultralytics_figures(boxes: Boxes) -> dict[str, Figure]:
    truth, found = boxes.coco
    rankings = metrics.ultralytics_rankings(truth, found, max_detections=ULTRALYTICS_LIMIT)
    estimates = metrics.ultralytics_estimates(rankings)
    n_objects = int(np.count_nonzero(~truth.crowd))
    return {
        name: _figure(estimate.value, estimate, boxes.n_images, n_objects)
        for name, estimate in (("ultralytics_AP", estimates.mean), ("ultralytics_AP50", estimates.at[0]))
    }


def _voc07_figures(boxes: Boxes) -> dict[str, Figure]:
    return voc_figures(boxes, year="07", points=11)


def _voc12_figures(boxes: Boxes) -> dict[str, Figure]:
    return voc_figures(boxes, year="12", points=None)


PROTOCOLS: Mapping[str, Protocol] = {
    "coco": Protocol(
        "COCO",
        "mean over ten IoU thresholds, 0.50 to 0.95, of precision at 101 recalls; at most {limit} detections an image "
        "and class; a detection takes the best object that is still free; crowd regions are left out; sides are right "
        "- left.",
        coco_figures,
    ),
    "voc07": Protocol(
        "Pascal VOC 2007",
        "IoU 0.5 alone, precision at 11 recalls; every detection counts; one looks only at the object that it overlaps "
        "most, so that a second choice is wrong; difficult objects are left out; sides are right - left + 1.",
        _voc07_figures,
    ),
    "voc12": Protocol(
        "Pascal VOC 2010 to 2012",
        "as 2007, with the whole area under precision over recall in place of 11 points.",
        _voc12_figures,
    ),
    "ultralytics": Protocol(
        "Ultralytics",
        "COCO's thresholds, but crowd regions are no regions, so that what is found there is wrong; at most 300 "
        "detections an image; the area under straight lines between the points, from precision 1 at recall 0, stands "
        "for the mean at 101 recalls.",
        ultralytics_figures,
    ),
}
CHOICES = ("coco", "voc07", "voc12", "all")


def chosen_protocols(asked: str | None, *, default: str) -> tuple[str, ...]:
    """The protocols to score by. UsageError for a name that is none."""
    name = asked or default
    if name not in CHOICES:
        raise UsageError(f"protocol {name!r} is not one of {', '.join(CHOICES)}.")
    return tuple(PROTOCOLS) if name == "all" else (name,)


def rule_of(name: str, boxes: Boxes) -> str:
    """What a protocol does, as these boxes are scored by it."""
    protocol = PROTOCOLS[name]
    return f"{protocol.title}: {protocol.rule.format(limit=boxes.limits[-1])}"


def protocol_figures(boxes: Boxes, names: Sequence[str]) -> dict[str, Figure]:
    return {name: figure for each in names for name, figure in PROTOCOLS[each].measure(boxes).items()}


def _coco_estimates(boxes: Boxes) -> dict[str, metrics.Estimate]:
    """Intervals by figure; those by size and of the lower limits only where that takes no time."""
    truth, found = boxes.coco
    last, (ap, recall) = boxes.limits[-1], boxes.estimates
    known = {"AP": ap.mean, "AP50": ap.at[0], "AP75": ap.at[5], f"AR{last}": recall.mean}
    if len(found) > MANY:
        return known
    for limit in boxes.limits[:-1]:
        rankings = metrics.coco_rankings(boxes.matches, truth, found, limit=limit)
        known[f"AR{limit}"] = metrics.box_estimates(rankings)[1].mean
    for size, areas in AREAS.items():
        of_size = metrics.match_detections(truth, found, max_detections=last, areas=areas)
        pair = metrics.box_estimates(metrics.coco_rankings(of_size, truth, found))
        known |= {f"AP{size}": pair[0].mean, f"AR{size}": pair[1].mean}
    return known


def _n_objects(truth: metrics.TrueBoxes, size: str) -> int:
    low, high = AREAS.get(size, (0.0, np.inf))
    return int(np.count_nonzero(~truth.crowd & (truth.area >= low) & (truth.area <= high)))


def _figure(value: float | None, estimate: metrics.Estimate | None, n: int, n_objects: int) -> Figure:
    if value is None:
        return Figure(value=None, n=n, n_positives=n_objects, note="no object to find")
    if estimate is None:
        return Figure(value=value, n=n, n_positives=n_objects, note=TOO_MANY)
    note = None if estimate.interval else NOTHING_VARIES if n > 1 else ONE_IMAGE
    found = figure_from_estimate(estimate, n, note=note)
    return found.model_copy(update={"value": value, "n_positives": n_objects})
