"""Two detectors object by object: counts, the images and classes on which they differ, pictures with all boxes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.comparison import BOX_KINDS, BoxKind, ObjectChange, ObjectImage, ObjectPair
from cnnkit.report._gallery import Caption, Group, classes_in_words, pictures
from cnnkit.report._markdown import bullets, escape, table
from cnnkit.report._overlay import Mark, legend
from cnnkit.report._thumbnails import Wanted
from cnnkit.report._words import count, counted, percent
from cnnkit.report.compared import DetectorPairing

SHOWN, LARGE = 12, 420
PICTURE_BYTES = 6_000_000  # of all groups of all pairs
GROUPS = 3
LISTED, LISTED_IN_MARKDOWN = 200, 20
OBJECTS: tuple[BoxKind, ...] = ("both", "only_first", "only_second", "neither")

Row = dict[str, Any]


def detector_section(pairing: DetectorPairing, at: int, labels: Sequence[str], root: Path | None, n_pairs: int) -> Row:
    """What the page says of a pair; without any picture that can be shown, its images are told by name alone."""
    pair = pairing.objects
    groups = [_group(each, pairing, at, labels, root, n_pairs) for each in _choices(pair)]
    shown = [picture for group in groups for picture in group.pictures]
    bare = bool(shown) and all(picture.thumbnail is None for picture in shown)
    return {
        "heading": f"{pair.first} and {pair.second}",
        "first": pair.first,
        "second": pair.second,
        "how": how(pair),
        "counts": _counts(pair),
        "legend": legend(_legend(pair)) if shown and not bare else "",
        "groups": [] if bare else groups,
        "without": f"No pictures: {shown[0].reason}. The table names the images." if bare else "",
        "images": [_image_row(each) for each in pair.images[:LISTED]],
        "images_in_words": _images_in_words(pair, LISTED),
        "classes": [_class_row(each, labels) for each in _changed(pair)[:LISTED]],
    }


def how(pair: ObjectPair) -> str:
    """By which rule objects are found."""
    return (
        f"An object is found when a detection of its class takes it at IoU {pair.iou:g} or more by COCO's rule: the "
        f"surest detection chooses first and takes the free object that it overlaps most; crowd regions are left out. "
        f"Each model is taken from the confidence on at which its F1 on these images, all classes in one ranking, is "
        f"highest: {pair.first} from {pair.first_confidence:.4g}, {pair.second} from {pair.second_confidence:.4g}. A "
        f"false alarm is a detection from there on that takes no object. Objects of one image are not independent, so "
        f"these are counts; the intervals of the differences draw whole images."
    )


def _counts(pair: ObjectPair) -> list[tuple[str, str]]:
    of = [
        ("Both find", pair.both),
        (f"{pair.first} alone finds", pair.only_first),
        (f"{pair.second} alone finds", pair.only_second),
        ("Neither finds", pair.neither),
    ]
    return [
        *(
            (label, f"{count(n)} of {count(pair.n)} objects ({percent(n / pair.n if pair.n else None)})")
            for label, n in of
        ),
        (f"False alarms of {pair.first}", count(pair.first_false)),
        (f"False alarms of {pair.second}", count(pair.second_false)),
    ]


def _legend(pair: ObjectPair) -> dict[BoxKind, str]:
    return {
        "both": "object that both find",
        "only_first": f"object that {pair.first} alone finds",
        "only_second": f"object that {pair.second} alone finds",
        "neither": "object that neither finds",
        "first_right": f"{pair.first}: found, and right",
        "second_right": f"{pair.second}: found, and right",
        "first_false": f"{pair.first}: false alarm",
        "second_false": f"{pair.second}: false alarm",
    }


Choice = tuple[str, str, str, list[ObjectImage]]


def _choices(pair: ObjectPair) -> list[Choice]:
    """Of each group the name, the heading, what its images have, and these, the largest difference first."""
    false = f"{pair.first} and {pair.second} differ most in the number of false alarms"
    return [
        (
            "first",
            f"{pair.first} finds, {pair.second} misses",
            "those with the most such objects first",
            _largest(pair.images, lambda each: each.only_first, lambda each: each.only_second),
        ),
        (
            "second",
            f"{pair.second} finds, {pair.first} misses",
            "those with the most such objects first",
            _largest(pair.images, lambda each: each.only_second, lambda each: each.only_first),
        ),
        (
            "false",
            "Most false alarms of one alone",
            f"those in which {false} first",
            _largest(pair.images, lambda each: abs(each.first_false - each.second_false), lambda _: 0),
        ),
    ]


def _largest(
    images: Sequence[ObjectImage], size: Callable[[ObjectImage], int], less: Callable[[ObjectImage], int]
) -> list[ObjectImage]:
    return sorted((each for each in images if size(each)), key=lambda each: (-size(each), less(each), each.key))


def _group(
    choice: Choice, pairing: DetectorPairing, at: int, labels: Sequence[str], root: Path | None, n_pairs: int
) -> Group:
    name, heading, order, images = choice
    chosen = images[:SHOWN]
    drawer = _Drawer(pairing, labels)
    which = (
        counted(len(chosen), "image")
        if len(chosen) == len(images)
        else f"{count(len(chosen))} of {count(len(images))} images"
    )
    return Group(
        f"objects-{at}-{name}",
        heading,
        f"{which}, {order}.",
        "No such image.",
        pictures(
            [drawer.wanted(each) for each in chosen],
            [drawer.caption(each) for each in chosen],
            root,
            limit=PICTURE_BYTES // (GROUPS * n_pairs),
        ),
        large=True,
    )


class _Drawer:
    """Pictures of a pair's images, with objects and both detectors' boxes."""

    def __init__(self, pairing: DetectorPairing, labels: Sequence[str]) -> None:
        self.pair, self.boxes, self.labels = pairing.objects, pairing.boxes, labels

    def wanted(self, image: ObjectImage) -> Wanted:
        marks = tuple(self._mark(at) for at in np.flatnonzero(self.boxes.key == image.key).tolist())
        return Wanted(image.key, bytes.fromhex(image.digest) if image.digest else None, marks, side=LARGE)

    def caption(self, image: ObjectImage) -> Caption:
        mine = self.boxes.key == image.key
        pair = self.pair
        lines = (
            (f"{pair.first}:", *_found_of(image.first_found, image.n, image.first_false)),
            (f"{pair.second}:", *_found_of(image.second_found, image.n, image.second_false)),
            (f"{pair.first} alone:", self._classes(mine, "only_first"), ""),
            (f"{pair.second} alone:", self._classes(mine, "only_second"), ""),
        )
        classes = np.unique(self.boxes.label[mine & (self.boxes.label >= 0)]).tolist()
        return Caption(tuple(line for line in lines if line[1]), tuple(classes))

    def _classes(self, chosen: NDArray[np.bool_], kind: BoxKind) -> str:
        """Of the chosen boxes of a kind."""
        return classes_in_words(self.boxes.label[chosen & (self.boxes.kind == BOX_KINDS.index(kind))], self.labels)

    def _mark(self, at: int) -> Mark:
        kind, label = BOX_KINDS[self.boxes.kind[at]], int(self.boxes.label[at])
        text = self.labels[label] if label >= 0 else "another class"
        text = text if kind in OBJECTS else f"{text} {self.boxes.score[at]:.2f}"
        return Mark(kind, tuple(self.boxes.box[at].tolist()), text)


def _found_of(found: int, n: int, false: int) -> tuple[str, str]:
    return f"{count(found)} of {counted(n, 'object')}", f"and {counted(false, 'false alarm')}"


def _image_row(each: ObjectImage) -> Row:
    return {"label": each.key, "cells": [count(n) for n in _numbers(each)]}


def _class_row(each: ObjectChange, labels: Sequence[str]) -> Row:
    return {
        "label": labels[each.label],
        "cells": [count(n) for n in _numbers(each)],
        "change": f"{each.second_found - each.first_found:+,}".replace("-", "−"),
        "sort": f"{each.second_found - each.first_found}",
    }


def _numbers(each: ObjectImage | ObjectChange) -> list[int]:
    found = [each.n, each.first_found, each.second_found, each.only_first, each.only_second]
    return [*found, each.first_false, each.second_false]


def headings(pair: ObjectPair) -> list[str]:
    """Of the numbers of a row."""
    both = (pair.first, pair.second)
    return [
        "Objects",
        *(f"{name} finds" for name in both),
        *(f"{name} alone" for name in both),
        *(f"{name}: false alarms" for name in both),
    ]


def _changed(pair: ObjectPair) -> list[ObjectChange]:
    """Classes in which anything differs; those that lost most from the first to the second come first."""
    moved = [
        each for each in pair.classes if each.only_first or each.only_second or each.first_false != each.second_false
    ]
    return sorted(moved, key=lambda each: (each.second_found - each.first_found, -each.n, each.label))


def _images_in_words(pair: ObjectPair, most: int) -> str:
    n = len(pair.images)
    if not n:
        return "Both find the same objects in every image, with as many false alarms."
    which = counted(n, "image") if n <= most else f"{count(most)} of {count(n)} images"
    return f"{which} on which the two differ, those with the most objects that one alone finds first."


def detectors_in_markdown(pairings: Sequence[DetectorPairing], labels: Sequence[str]) -> list[str]:
    parts = []
    for pairing in pairings:
        pair, most = pairing.objects, LISTED_IN_MARKDOWN
        classes, images = _changed(pair)[:most], pair.images[:most]
        parts += [
            f"## Objects: {escape(pair.first)} and {escape(pair.second)}",
            escape(how(pair)),
            bullets([f"{label}: {value}" for label, value in _counts(pair)]),
            escape(_images_in_words(pair, most)),
            _markdown_table("Image", pair, [(each.key, each) for each in images]),
            _markdown_table("Class", pair, [(labels[each.label], each) for each in classes]),
        ]
    return [part for part in parts if part]


def _markdown_table(
    what: str, pair: ObjectPair, rows: Sequence[tuple[str, ObjectImage] | tuple[str, ObjectChange]]
) -> str:
    cells = [[name, *(count(n) for n in _numbers(each))] for name, each in rows]
    return table([what, *headings(pair)], cells) if cells else ""
