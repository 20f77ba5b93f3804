"""Which images are shown, in what groups, with what written under them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from cnnkit.drawing import Thumbnail
from cnnkit.report._outcomes import Outcomes
from cnnkit.report._overlay import overlay
from cnnkit.report._thumbnails import GALLERY_BYTES, Wanted, thumbnails
from cnnkit.report._words import NBSP, count, counted, listed, percent

if TYPE_CHECKING:
    import pyarrow as pa

WORST = 60
WORST_OF_A_CLASS = 2
WORST_AT_MOST = 240
LEAST_SURE = 40
NAMED = 4  # classes in a caption


@dataclass(frozen=True)
class Caption:
    """What stands under an image: lines of a word, a class and a share; `classes` are those that it is found by."""

    lines: tuple[tuple[str, str, str], ...]
    classes: tuple[int, ...]

    @property
    def text(self) -> str:
        return ", ".join(" ".join(part for part in line if part) for line in self.lines)


def classes_in_words(chosen: NDArray[np.int64], labels: Sequence[str]) -> str:
    """`person × 3 and dog`, the most frequent first; empty for none."""
    names, times = np.unique(chosen, return_counts=True)
    order = np.argsort(-times, kind="stable").tolist()
    told = [_repeated(labels[names[place]], int(times[place])) for place in order[:NAMED]]
    more = len(order) - NAMED
    told += [f"{more} more {'class' if more == 1 else 'classes'}"] if more > 0 else []
    return listed(told) if told else ""


def _repeated(name: str, n: int) -> str:
    return name if n == 1 else f"{name}{NBSP}×{NBSP}{n}"


@dataclass(frozen=True)
class Picture:
    key: str
    caption: Caption
    thumbnail: Thumbnail | None
    reason: str
    overlay: Markup | None = None


@dataclass(frozen=True)
class Group:
    id: str
    heading: str
    caption: str
    empty: str
    pictures: list[Picture]
    legend: Markup | None = None  # of what is drawn on the pictures
    large: bool = False


def pictures(
    wanted: Sequence[Wanted], captions: Sequence[Caption], root: Path | None, *, limit: int = GALLERY_BYTES
) -> list[Picture]:
    found = thumbnails(wanted, root, limit=limit)
    return [
        Picture(want.key, caption, image, reason, _marks(want, image))
        for want, caption, (image, reason) in zip(wanted, captions, found, strict=True)
    ]


def _marks(want: Wanted, image: Thumbnail | None) -> Markup | None:
    return overlay(want.marks, image, named=want.side is not None) if want.marks and image is not None else None


def groups_of_outcomes(outcomes: Outcomes, labels: Sequence[str], root: Path | None) -> list[Group]:
    """The worst mistakes and, where confidences are known, the least sure answers."""
    worst = worst_mistakes(outcomes)
    unsure = least_sure(outcomes, besides=worst) if outcomes.are_sure else []
    positions = [*worst, *unsure]
    wanted = [Wanted(outcomes.key(at), outcomes.digest(at)) for at in positions]
    shown = pictures(wanted, [_caption(outcomes, at, labels) for at in positions], root)
    wrong = int(outcomes.wrong.sum())
    which = f"{count(len(worst))} of {counted(wrong, 'mistake')}" if wrong > len(worst) else counted(wrong, "mistake")
    groups = [
        Group(
            "worst",
            "Worst mistakes" if outcomes.are_sure else "Mistakes",
            f"Wrong answers{', the surest first' if outcomes.are_sure else ''}: {which}. "
            f"Wrong labels show up here too.",
            "No wrong answer.",
            shown[: len(worst)],
        ),
        Group(
            "unsure",
            "Least sure",
            "The answers with the lowest confidence, right or wrong, besides those above.",
            "No other answer.",
            shown[len(worst) :],
        ),
    ]
    return groups if outcomes.are_sure else groups[:1]


def worst_mistakes(outcomes: Outcomes) -> list[int]:
    """Positions of wrong answers, surest first: the worst of all, then the worst of each class."""
    wrong = np.flatnonzero(outcomes.wrong)
    order = wrong[np.lexsort((wrong, np.nan_to_num(outcomes.p[wrong]), -np.nan_to_num(outcomes.confidence[wrong])))]
    taken: dict[int, int] = {}
    chosen = []
    for place, at in enumerate(order.tolist()):
        true = int(outcomes.label[at])
        if place < WORST or taken.get(true, 0) < WORST_OF_A_CLASS:
            taken[true] = taken.get(true, 0) + 1
            chosen.append(at)
    return chosen[:WORST_AT_MOST]


def least_sure(outcomes: Outcomes, *, besides: Iterable[int] = ()) -> list[int]:
    """Positions of the answers with the lowest confidence, right or wrong."""
    answered = np.flatnonzero(outcomes.answered)
    rest: NDArray[np.int64] = answered[~np.isin(answered, list(besides))]
    return [int(at) for at in rest[np.argsort(outcomes.confidence[rest], kind="stable")][:LEAST_SURE]]


def _caption(outcomes: Outcomes, at: int, labels: Sequence[str]) -> Caption:
    true, predicted = int(outcomes.label[at]), int(outcomes.predicted[at])
    confidence, p = (float(each[at]) for each in (outcomes.confidence, outcomes.p))
    if true == predicted:
        return Caption((("right:", labels[true], _share(confidence)),), (true,))
    lines = (("said", labels[predicted], _share(confidence)), ("labelled", labels[true], _share(p)))
    return Caption(lines, (true, predicted))


def _share(value: float) -> str:
    """Empty where it is not known, as of another tool's file that names classes alone."""
    return "" if np.isnan(value) else percent(value)


def groups_of_label_sets(rows: "pa.Table", labels: Sequence[str], root: Path | None) -> list[Group]:
    """Of images with several labels those where most labels are wrong."""
    sets = [rows.column(name).to_pylist() for name in ("labels", "predicted")]
    missed = [sorted(set(true or ()) - set(said or ())) for true, said in zip(*sets, strict=True)]
    added = [
        sorted(set(said or ()) - set(true or ())) if true is not None else [] for true, said in zip(*sets, strict=True)
    ]
    answered = [said is not None for said in sets[1]]
    mistakes = [(len(missed[at]) + len(added[at])) * answered[at] for at in range(len(answered))]
    order = sorted((at for at, number in enumerate(mistakes) if number), key=lambda at: (-mistakes[at], at))[:WORST]
    wanted = [Wanted(rows.column("key")[at].as_py(), rows.column("digest")[at].as_py()) for at in order]
    captions = [_caption_of_sets(missed[at], added[at], labels) for at in order]
    shown = pictures(wanted, captions, root)
    text = f"Images with the most wrong labels: {count(len(shown))} of {count(sum(map(bool, mistakes)))} with any."
    return [Group("worst", "Worst mistakes", text, "No wrong label.", shown)]


def _caption_of_sets(missed: Sequence[int], added: Sequence[int], labels: Sequence[str]) -> Caption:
    lines = [
        (word, ", ".join(labels[at] for at in places), "")
        for word, places in (("missed", missed), ("wrongly", added))
        if places
    ]
    return Caption(tuple(lines), (*missed, *added))
