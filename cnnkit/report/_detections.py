"""Images that a detector got wrong, with truth and detections drawn on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit.report._gallery import Caption, Group, classes_in_words, pictures
from cnnkit.report._outcomes import Boxes, boxes_from_rows, sizes
from cnnkit.report._overlay import LEGEND, Mark, legend
from cnnkit.report._thumbnails import Wanted
from cnnkit.report._words import count, counted, percent
from cnnkit.report.drawn import KINDS, OBJECTS, DrawnBoxes

if TYPE_CHECKING:
    import pyarrow as pa

WORST, LARGE = 24, 420
SHOWN = 60
OF_AN_IMAGE = 2

Places = NDArray[np.int64]
Bools = NDArray[np.bool_]


def groups_of_detections(
    rows: "pa.Table", labels: Sequence[str], root: Path | None, drawn: DrawnBoxes | None
) -> list[Group]:
    """The images with the most mistakes, the surest false detections, and the images where most is never found.

    Without the boxes the pictures are bare, and which images are worst is not known.
    """
    drawer = _Drawer(rows, labels, drawn)
    worst = [] if drawn is None else [_worst(drawer, drawn, root)]
    return [*worst, _false_alarms(drawer, root), _never_found(drawer, root)]


@dataclass(frozen=True)
class _Drawer:
    """Pictures of the rows with some of their boxes."""

    rows: "pa.Table"
    labels: Sequence[str]
    drawn: DrawnBoxes | None

    def wanted(self, at: int, chosen: Bools | None, *, side: int | None = None) -> Wanted:
        """The image of a row, with those of its boxes that are `chosen`; a large one has words on it."""
        key, digest = (self.rows.column(name)[at].as_py() for name in ("key", "digest"))
        mine = None if chosen is None or self.drawn is None else chosen & (self.drawn.image == at)
        places: list[int] = [] if mine is None else np.flatnonzero(mine).tolist()
        return Wanted(key, digest, tuple(map(self._mark, places)), side=side)

    def classes(self, at: int, chosen: Bools) -> str:
        """`person × 3 and dog`: the classes of the chosen boxes of an image."""
        assert self.drawn is not None
        return classes_in_words(self.drawn.label[chosen & (self.drawn.image == at)], self.labels)

    def _mark(self, at: int) -> Mark:
        assert self.drawn is not None
        kind, label = KINDS[self.drawn.kind[at]], self.labels[self.drawn.label[at]]
        text = label if kind in OBJECTS else f"{label} {self.drawn.score[at]:.2f}"
        return Mark(kind, tuple(self.drawn.box[at].tolist()), text)


def _worst(drawer: _Drawer, drawn: DrawnBoxes, root: Path | None) -> Group:
    wrong = {"missed": drawn.are("missed"), "wrongly": drawn.are("false") & drawn.shown}
    n = {word: np.bincount(drawn.image[each], minlength=len(drawer.rows)) for word, each in wrong.items()}
    mistakes = n["missed"] + n["wrongly"]
    chosen = [int(at) for at in np.argsort(-mistakes, kind="stable")[:WORST] if mistakes[at]]
    captions = [
        Caption(
            tuple((word, drawer.classes(at, each), "") for word, each in wrong.items() if n[word][at]),
            tuple(np.unique(drawn.label[drawn.shown & (drawn.image == at)]).tolist()),
        )
        for at in chosen
    ]
    which = f"{count(len(chosen))} of {count(int((mistakes > 0).sum()))} with any"
    return Group(
        "worst",
        "Most mistakes",
        f"Images with the most objects missed and false detections, detections from confidence "
        f"{drawn.confidence:.4g} on: {which}.",
        "No mistake.",
        pictures([drawer.wanted(at, drawn.shown, side=LARGE) for at in chosen], captions, root),
        legend(LEGEND),
        large=True,
    )


def _false_alarms(drawer: _Drawer, root: Path | None) -> Group:
    boxes = boxes_from_rows(drawer.rows)
    false = np.flatnonzero(~boxes.matched & ~boxes.ignored)
    chosen = _surest(boxes, false)
    captions = [
        Caption((("said", drawer.labels[boxes.label[at]], percent(float(boxes.score[at]))),), (int(boxes.label[at]),))
        for at in chosen
    ]
    wanted = [drawer.wanted(int(boxes.image[at]), _same(drawer.drawn, boxes, at)) for at in chosen]
    return Group(
        "false",
        "Surest false detections",
        f"Boxes on no such object, the surest first: {count(len(chosen))} of {count(len(false))}. "
        "Objects that the truth leaves out show up here too.",
        "No false detection.",
        pictures(wanted, captions, root),
    )


def _surest(boxes: Boxes, candidates: Places) -> list[int]:
    taken: dict[int, int] = {}
    chosen = []
    for at in candidates[np.argsort(-boxes.score[candidates], kind="stable")].tolist():
        image = int(boxes.image[at])
        if taken.get(image, 0) < OF_AN_IMAGE:
            taken[image] = taken.get(image, 0) + 1
            chosen.append(at)
        if len(chosen) == SHOWN:
            break
    return chosen


def _same(drawn: DrawnBoxes | None, boxes: Boxes, at: int) -> Bools | None:
    """Which of the drawn boxes is a detection of the rows, known by image, class and confidence."""
    if drawn is None:
        return None
    score = np.float32(boxes.score[at])
    found = ~drawn.are(*OBJECTS) & (drawn.label == boxes.label[at])
    return np.asarray(found & (drawn.score.astype(np.float32) == score))


def _never_found(drawer: _Drawer, root: Path | None) -> Group:
    objects = sizes(drawer.rows.column("truth_class"))
    boxes, drawn = boxes_from_rows(drawer.rows), drawer.drawn
    missed = np.maximum(objects - np.bincount(boxes.image[boxes.matched], minlength=len(objects)), 0)
    answered = drawer.rows.column("det_class").is_valid().to_numpy()
    missed = np.where(answered, missed, 0)
    chosen = [int(at) for at in np.argsort(-missed, kind="stable")[:SHOWN] if missed[at]]
    captions = []
    for at in chosen:
        classes = sorted(set(drawer.rows.column("truth_class")[at].as_py()))
        line = ("missed", f"{count(int(missed[at]))} of {counted(int(objects[at]), 'object')}", "")
        there = ("there:", ", ".join(drawer.labels[each] for each in classes), "")
        captions.append(Caption((line, there), tuple(classes)))
    alone = None if drawn is None else drawn.are("missed") & np.isnan(drawn.score)
    return Group(
        "missed",
        "Most missed",
        f"Images with the most objects that no detection found, however unsure: {count(len(chosen))} of "
        f"{count(int((missed > 0).sum()))}.",
        "No object was missed.",
        pictures([drawer.wanted(at, alone) for at in chosen], captions, root),
    )
