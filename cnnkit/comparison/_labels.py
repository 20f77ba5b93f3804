"""Models that give one class an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit import metrics
from cnnkit.comparison._classes import UNKNOWN, class_places
from cnnkit.comparison._contender import Contender
from cnnkit.comparison._images import SameImages, same_images
from cnnkit.comparison._rankings import rankings_of
from cnnkit.comparison._record import ClassChange, Flip, Pair
from cnnkit.comparison._resampled import Bools, Floats, Ints, Measured, calibration_error_of, macro_f1_of, mean_of
from cnnkit.errors import DataError
from cnnkit.results import Figure

TOP = 5


@dataclass(frozen=True)
class _Answers:
    """What one model said of the n images that all answered, in `rows`; `label` and `predicted` are its own indices."""

    rows: Ints
    label: Ints
    predicted: Ints
    shown: Ints  # predicted, among the first model's classes; -1 where that is not known
    rank: Ints
    p: Floats
    confidence: Floats


class Labels:
    """A `Kind`: accuracy by McNemar, the other figures resampled."""

    measure = "top1_accuracy"

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self.contenders = contenders
        images = same_images(contenders)
        places = [class_places(contenders[0], each) for each in contenders]
        labels = _same_labels(contenders, images, places)
        answered = _answered(contenders, images)
        self.keys = [key for key, ok in zip(images.keys, answered, strict=True) if ok]
        self.n, self.n_left_out = len(self.keys), int((~answered).sum())
        self.label = labels[answered]
        self.answers = [
            _answers(each, rows[answered], place)
            for each, rows, place in zip(contenders, images.rows, places, strict=True)
        ]
        self.notes = (*images.notes, *_unresolved(contenders, places), *_left_out(contenders, images, answered))

    def right(self, at: int) -> Bools:
        mine = self.answers[at]
        return np.asarray(mine.predicted == mine.label)

    def figures(self, at: int, *, resamples: int) -> list[Measured]:
        mine, results = self.answers[at], self.contenders[at].results
        figures = [macro_f1_of("macro_f1", mine.label, mine.predicted)]
        if len(results.classes) > TOP and _has(results.figures, "top5_error"):
            known = mine.rank != UNKNOWN  # a file of a few guesses knows no rank beyond them
            figures.append(mean_of("top5_error", ~(known & (mine.rank <= TOP))))
        if _has(results.figures, "cross_entropy"):
            figures.append(mean_of("cross_entropy", metrics.log_losses(mine.p)))
        if _has(results.figures, "ece"):
            figures.append(calibration_error_of("ece", mine.confidence, self.right(at)))
        return [*figures, *self._from_scores(at, resamples)]

    def _from_scores(self, at: int, resamples: int) -> list[Measured]:
        """What whole score vectors are needed for; nothing where they are gone."""
        read = self.contenders[at].scores
        if read is None:
            return []
        scores, label = read(self._own_keys(at)), self.answers[at].label
        positives = label[:, None] == np.arange(scores.shape[1])
        figures = rankings_of(scores, positives, resamples=resamples)
        if _has(self.contenders[at].results.figures, "brier"):
            figures.append(mean_of("brier", metrics.brier_scores(scores, label)))
        return figures

    def pair(self, first: int, second: int) -> Pair:
        right = self.right(first), self.right(second)
        shown = self.answers[first].shown, self.answers[second].shown
        return Pair(
            first=self.contenders[first].name,
            second=self.contenders[second].name,
            both_right=int((right[0] & right[1]).sum()),
            both_wrong=int((~right[0] & ~right[1]).sum()),
            only_first=int((right[0] & ~right[1]).sum()),
            only_second=int((~right[0] & right[1]).sum()),
            same_answer=int(((shown[0] == shown[1]) & (shown[0] != UNKNOWN)).sum()),
            flips=tuple(self._flip(at, first, second) for at in np.flatnonzero(right[0] != right[1]).tolist()),
            classes=self._changes(*right),
        )

    def _own_keys(self, at: int) -> list[str]:
        column = self.contenders[at].rows.column("key")
        keys: list[str] = column.take(self.answers[at].rows).to_pylist()
        return keys

    def _flip(self, at: int, first: int, second: int) -> Flip:
        both = [self.answers[each] for each in (first, second)]
        shown = [int(each.shown[at]) for each in both]
        digest: bytes | None = self.contenders[0].rows.column("digest")[self.answers[0].rows[at]].as_py()
        return Flip(
            key=self.keys[at],
            digest=digest.hex() if digest else None,
            label=int(self.label[at]),
            first=None if shown[0] == UNKNOWN else shown[0],
            second=None if shown[1] == UNKNOWN else shown[1],
            first_confidence=_known(both[0].confidence[at]),
            second_confidence=_known(both[1].confidence[at]),
        )

    def _changes(self, first: Bools, second: Bools) -> tuple[ClassChange, ...]:
        """Of the classes that have an image."""
        chosen = (self.label, self.label[first], self.label[second])
        counts = np.stack([np.bincount(each, minlength=self.label.max() + 1) for each in chosen])
        return tuple(
            ClassChange(label=at, n=n, first_right=one, second_right=other)
            for at, (n, one, other) in enumerate(counts.T.tolist())
            if n
        )


def _same_labels(contenders: Sequence[Contender], images: SameImages, places: Sequence[Ints]) -> Ints:
    """The label of each image among the first model's classes; refused where the truths differ."""
    first, *others = contenders
    labels = _ints(first, "label", images.rows[0])
    for other, rows, place in zip(others, images.rows[1:], places[1:], strict=True):
        theirs = place[_ints(other, "label", rows)]
        differ = np.flatnonzero(theirs != labels)
        if len(differ):
            raise DataError(_other_labels(first, other, images, labels, rows, differ, theirs))
    return labels


def _other_labels(
    first: Contender,
    other: Contender,
    images: SameImages,
    labels: Ints,
    rows: Ints,
    differ: Ints,
    theirs: Ints,
) -> str:
    at = int(differ[0])
    ours = first.results.names[labels[at]]
    named = other.results.names[_ints(other, "label", rows[at : at + 1])[0]]
    lead = f"{other.source} cannot be compared with {first.source}: "
    if theirs[at] == UNKNOWN:
        return (
            f"{lead}{len(differ):,} images are labelled {named!r} or so, which several of the classes answer to. "
            f"Give the classes aliases of their own, with `eval --labels FILE`."
        )
    return (
        f"{lead}{len(differ):,} of {len(labels):,} images have another label (such as {images.keys[at]!r}: "
        f"{ours!r} and {named!r}). Score both models with the same truth."
    )


def _answered(contenders: Sequence[Contender], images: SameImages) -> Bools:
    """The images that every model answered."""
    answered = np.ones(len(images.keys), dtype=np.bool_)
    for each, rows in zip(contenders, images.rows, strict=True):
        answered &= _ints(each, "predicted", rows) != UNKNOWN
    if not answered.any():
        raise DataError(
            f"no image has an answer from all of {', '.join(each.source for each in contenders)}: nothing to compare."
        )
    return answered


def _answers(contender: Contender, rows: Ints, place: Ints) -> _Answers:
    predicted = _ints(contender, "predicted", rows)
    return _Answers(
        rows=rows,
        label=_ints(contender, "label", rows),
        predicted=predicted,
        shown=place[predicted],
        rank=_ints(contender, "rank", rows),
        p=_floats(contender, "p", rows),
        confidence=_floats(contender, "confidence", rows),
    )


def _left_out(contenders: Sequence[Contender], images: SameImages, answered: Bools) -> list[str]:
    if answered.all():
        return []
    missing = [
        f"{int((_ints(each, 'predicted', rows) == UNKNOWN).sum()):,} from {each.name}"
        for each, rows in zip(contenders, images.rows, strict=True)
    ]
    return [
        f"{int((~answered).sum()):,} of {len(answered):,} images lack an answer ({', '.join(missing)}) and are left "
        f"out of every difference"
    ]


def _unresolved(contenders: Sequence[Contender], places: Sequence[Ints]) -> list[str]:
    notes = []
    for each, place in zip(contenders, places, strict=True):
        unclear = [each.results.names[at] for at in np.flatnonzero(place == UNKNOWN)]
        if unclear:
            notes.append(
                f"{len(unclear)} classes of {each.name} (such as {unclear[0]!r}) could be several of "
                f"{contenders[0].name}; no image is labelled so"
            )
    return notes


def _has(figures: dict[str, Figure], name: str) -> bool:
    figure = figures.get(name)
    return figure is not None and figure.value is not None


def _ints(contender: Contender, name: str, rows: Ints) -> Ints:
    """A column of the rows, -1 where there is none."""
    return np.asarray(contender.rows.column(name).take(rows).fill_null(UNKNOWN).to_numpy(), dtype=np.int64)


def _floats(contender: Contender, name: str, rows: Ints) -> Floats:
    return np.asarray(contender.rows.column(name).take(rows).fill_null(np.nan).to_numpy(), dtype=np.float64)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
