"""Two detectors object by object: which objects each finds, and where each raises false alarms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit import metrics
from cnnkit.comparison._box_rows import DetectedRows, TrueRows
from cnnkit.comparison._record import ObjectChange, ObjectImage, ObjectPair
from cnnkit.comparison._resampled import Bools, Floats, Ints, Measured, ratio_of
from cnnkit.comparison._words import objects_sentence

IOU = 0.5  # the first of the rows' thresholds
LOOKING = 0.25  # the confidence where no F1 tells a better one
SAME_PLACE = 1.0  # pixels between two tools' boxes of one object


@dataclass(frozen=True)
class Objects:
    """(m,) each: the objects of the images, in an order that no file decides. `place` is theirs in the rows."""

    image: Ints
    label: Ints
    box: Floats
    place: Ints

    def are(self, other: "Objects") -> bool:
        """Whether these are the same objects, to a pixel."""
        same = (self.image == other.image) & (self.label == other.label)
        return bool(same.all()) and bool((np.abs(self.box - other.box) <= SAME_PLACE).all())


@dataclass(frozen=True)
class Found:
    """What a detector makes of the objects with its detections from `confidence` on.

    `found` (m,) bools are in the order of `Objects`; of the detections, (k,) each, `right` take an object, `label` is
    -1 for a class that could be several of the first model's. What takes a crowd is not among them.
    """

    confidence: float
    found: Bools
    image: Ints
    label: Ints
    score: Floats
    right: Bools
    box: Floats


def objects_of(true: TrueRows, place: Ints) -> Objects:
    """The objects with the classes that `place` gives them."""
    label = place[true.label]
    order = np.lexsort((*true.box.T[::-1], label, true.image))
    return Objects(true.image[order], label[order], true.box[order], order)


def found_of(rows: DetectedRows, objects: Objects, place: Ints, *, n_images: int) -> Found:
    """From the confidence with the highest F1 on, all classes in one ranking: where a report draws the line too."""
    counts = ~rows.ignored[:, 0]
    best = metrics.curve_from_hits(rows.hit[counts, 0], len(objects.image), scores=rows.score[counts]).best_f1()
    confidence = best.confidence if best else LOOKING
    shown = counts & (rows.score >= np.float32(confidence))
    first_of_image = np.searchsorted(objects.image, np.arange(n_images))
    hits = np.flatnonzero(shown & rows.hit[:, 0])
    in_rows = np.zeros(len(objects.image), dtype=np.bool_)
    in_rows[first_of_image[rows.image[hits]] + rows.taken[hits]] = True
    return Found(
        confidence=confidence,
        found=in_rows[objects.place],
        image=rows.image[shown],
        label=place[rows.label[shown]],
        score=rows.score[shown].astype(np.float64),
        right=rows.hit[shown, 0],
        box=rows.box[shown],
    )


def shares_of(objects: Objects, found: Found, n_images: int) -> list[Measured]:
    """The share of the objects that is found, and of the detections that is right, images being drawn anew."""
    there = _per_image(objects.image, n_images)
    right = _per_image(found.image[found.right], n_images)
    shares = (
        ratio_of("recall_at_best_f1", _per_image(objects.image[found.found], n_images), there),
        ratio_of("precision_at_best_f1", right, _per_image(found.image, n_images)),
    )
    return [share for share in shares if share]


def object_pair(
    names: tuple[str, str],
    objects: Objects,
    both: tuple[Found, Found],
    keys: Sequence[str],
    digests: Sequence[bytes | None],
) -> ObjectPair:
    """Counts of all, of each class that has any, and of each image on which the two differ."""
    first, second = both
    only = (first.found & ~second.found, second.found & ~first.found)
    pair = ObjectPair(
        first=names[0],
        second=names[1],
        iou=IOU,
        first_confidence=first.confidence,
        second_confidence=second.confidence,
        n=len(objects.image),
        both=int((first.found & second.found).sum()),
        only_first=int(only[0].sum()),
        only_second=int(only[1].sum()),
        neither=int((~first.found & ~second.found).sum()),
        first_false=int((~first.right).sum()),
        second_false=int((~second.right).sum()),
        images=tuple(_images(objects, both, only, keys, digests)),
        classes=tuple(_classes(objects, both, only)),
    )
    return pair.model_copy(update={"sentence": objects_sentence(pair)})


def _images(
    objects: Objects,
    both: tuple[Found, Found],
    only: tuple[Bools, Bools],
    keys: Sequence[str],
    digests: Sequence[bytes | None],
) -> list[ObjectImage]:
    """Those with the most objects that one of the two finds alone first, then by the difference in false alarms."""
    n = len(keys)
    counts = {
        "n": _per_image(objects.image, n),
        "first_found": _per_image(objects.image[both[0].found], n),
        "second_found": _per_image(objects.image[both[1].found], n),
        "only_first": _per_image(objects.image[only[0]], n),
        "only_second": _per_image(objects.image[only[1]], n),
        "first_false": _per_image(both[0].image[~both[0].right], n),
        "second_false": _per_image(both[1].image[~both[1].right], n),
    }
    apart = counts["only_first"] + counts["only_second"]
    false = np.abs(counts["first_false"] - counts["second_false"])
    order = [int(at) for at in np.lexsort((np.arange(n), -false, -apart)) if apart[at] or false[at]]
    return [
        ObjectImage(
            key=keys[at],
            digest=digest.hex() if (digest := digests[at]) else None,
            **{name: int(values[at]) for name, values in counts.items()},
        )
        for at in order
    ]


def _classes(objects: Objects, both: tuple[Found, Found], only: tuple[Bools, Bools]) -> list[ObjectChange]:
    false = [each.label[~each.right & (each.label >= 0)] for each in both]
    chosen = {
        "n": objects.label,
        "first_found": objects.label[both[0].found],
        "second_found": objects.label[both[1].found],
        "only_first": objects.label[only[0]],
        "only_second": objects.label[only[1]],
        "first_false": false[0],
        "second_false": false[1],
    }
    n_classes = 1 + max((int(labels.max()) for labels in chosen.values() if len(labels)), default=-1)
    counts = {name: np.bincount(labels, minlength=n_classes) for name, labels in chosen.items()}
    present = np.flatnonzero(counts["n"] + counts["first_false"] + counts["second_false"]).tolist()
    return [ObjectChange(label=at, **{name: int(values[at]) for name, values in counts.items()}) for at in present]


def _per_image(images: Ints, n: int) -> Ints:
    return np.bincount(images, minlength=n)
