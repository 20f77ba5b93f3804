"""What a detector's page says beside the figures: the best threshold, kinds of error, how the labels were taken."""

from collections.abc import Iterator
from typing import Any

from cnnkit.data import COUNTED
from cnnkit.report._words import count, counted, percent
from cnnkit.results import DetectionFacts, Results

KINDS_OF_ERROR = {
    "missed": "an object that nothing was found for",
    "background": "found where there is no object",
    "classification": "in the right place, of the wrong class",
    "localisation": "of the right class, in the wrong place",
    "both": "of the wrong class and in the wrong place",
    "duplicate": "an object found once more",
}
COUNTED_ELSEWHERE = ("n_unlabelled",)  # stands among the facts of the images


def detection_sentences(results: Results) -> Iterator[str]:
    facts = results.detection
    yield from _by_size(results)
    if facts is None or facts.best_f1 is None:
        return
    best = facts.best_f1
    yield (
        f"Detections from confidence {best.confidence:.4g} on are the best choice by F1 ({best.f1:.3f}): "
        f"{percent(best.precision)} of them are right, and {percent(best.recall)} of the objects are found (IoU 0.5)."
    )
    worst = max(facts.errors_at_best_f1.items(), key=lambda each: each[1], default=None)
    if worst is not None and worst[1]:
        of = sum(facts.errors_at_best_f1.values())
        kind, n = worst
        yield f"Most frequent kind of error from there on: {kind} ({KINDS_OF_ERROR[kind]}), {count(n)} of {count(of)}."


def _by_size(results: Results) -> Iterator[str]:
    """That objects of one size are found better than those of another, where their intervals lie apart."""
    sizes = []
    for size in ("small", "medium", "large"):
        figure = results.figures.get(f"coco_AP{size[0]}")
        if figure is not None and figure.value is not None and figure.low is not None and figure.high is not None:
            sizes.append((figure.value, figure.low, figure.high, size))
    if not sizes:
        return
    (worst, _, at_most, small), (best, at_least, _, large) = min(sizes), max(sizes)
    if at_most < at_least:
        yield f"{small.capitalize()} objects are found worst: AP {worst:.3f}, {large} ones {best:.3f}."


def error_rows(results: Results) -> list[dict[str, Any]]:
    """A row a kind of error, the most frequent first; empty where they were not counted."""
    facts = results.detection
    if facts is None or not facts.errors:
        return []
    counts = {kind: (facts.errors_at_best_f1.get(kind, 0), facts.errors.get(kind, 0)) for kind in KINDS_OF_ERROR}
    return [
        {"kind": kind, "text": KINDS_OF_ERROR[kind], "best": count(best), "all": count(every)}
        for kind, (best, every) in sorted(counts.items(), key=lambda each: each[1], reverse=True)
    ]


def errors_from(results: Results) -> str:
    """The confidence from which the first count of errors takes detections."""
    confidence = results.protocol.get("confidence_of_confusions")
    return f"{confidence:.4g}" if isinstance(confidence, int | float) else ""


def detection_data_rows(facts: DetectionFacts) -> list[tuple[str, str]]:
    """Objects and detections, and each thing that was odd about the labels with what was done about it."""
    rows = [
        ("Objects to find", count(facts.n_objects)),
        ("Objects left out of the count (crowds, difficult ones)", count(facts.n_ignored)),
        ("Detections", count(facts.n_detections)),
    ]
    odd = [(name, n) for name, n in facts.truth.items() if n and name not in COUNTED_ELSEWHERE]
    return [*rows, *((f"{COUNTED[name][:1].upper()}{COUNTED[name][1:]}", count(n)) for name, n in odd)]


def objects_or_images(results: Results, n: int) -> str:
    return counted(n, "object" if results.task == "detection" else "image")
