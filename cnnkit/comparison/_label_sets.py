"""Models that give an image any number of classes."""

from collections.abc import Sequence

import numpy as np

from cnnkit.comparison._classes import UNKNOWN, class_places
from cnnkit.comparison._contender import Contender
from cnnkit.comparison._images import SameImages, same_images
from cnnkit.comparison._rankings import rankings_of
from cnnkit.comparison._record import Pair
from cnnkit.comparison._resampled import Bools, Ints, Measured, mean_of, ratio_of
from cnnkit.errors import DataError


class LabelSets:
    """A `Kind`: the share of exactly right sets by McNemar, the other figures resampled."""

    measure = "exact_match_accuracy"

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self.contenders = contenders
        images = same_images(contenders)
        places = [class_places(contenders[0], each) for each in contenders]
        given = [_lists(each, "predicted", rows) for each, rows in zip(contenders, images.rows, strict=True)]
        answered = np.array([None not in answers for answers in zip(*given, strict=True)])
        if not answered.any():
            raise DataError(
                f"no image has an answer from all of {', '.join(each.source for each in contenders)}: nothing to "
                f"compare."
            )
        self.rows = [rows[answered] for rows in images.rows]
        self.n, self.n_left_out = int(answered.sum()), int((~answered).sum())
        self.true = [self._matrix(at, "labels") for at in range(len(contenders))]
        self.given = [self._matrix(at, "predicted") for at in range(len(contenders))]
        _refuse_other_labels(contenders, images, answered, self.true, places)
        left_out = f"{self.n_left_out:,} images lack an answer and are left out of every difference"
        self.notes = (*images.notes, *([left_out] if self.n_left_out else []))

    def right(self, at: int) -> Bools:
        return np.asarray((self.true[at] == self.given[at]).all(axis=1))

    def figures(self, at: int, *, resamples: int) -> list[Measured]:
        true, given = self.true[at], self.given[at]
        figures = [mean_of("hamming_error", (true != given).mean(axis=1)), *_pooled_f1(true, given)]
        read = self.contenders[at].scores
        if read is not None:
            keys: list[str] = self.contenders[at].rows.column("key").take(self.rows[at]).to_pylist()
            figures += rankings_of(read(keys), true, resamples=resamples)
        return figures

    def pair(self, first: int, second: int) -> Pair:
        right = self.right(first), self.right(second)
        return Pair(
            first=self.contenders[first].name,
            second=self.contenders[second].name,
            both_right=int((right[0] & right[1]).sum()),
            both_wrong=int((~right[0] & ~right[1]).sum()),
            only_first=int((right[0] & ~right[1]).sum()),
            only_second=int((~right[0] & right[1]).sum()),
            same_answer=self._same_answers(first, second),
        )

    def _same_answers(self, first: int, second: int) -> int:
        place = class_places(self.contenders[first], self.contenders[second])
        known = place != UNKNOWN
        theirs = np.zeros_like(self.given[first])
        theirs[:, place[known]] = self.given[second][:, known]
        return int((theirs == self.given[first]).all(axis=1).sum())

    def _matrix(self, at: int, name: str) -> Bools:
        lists = _lists(self.contenders[at], name, self.rows[at])
        matrix = np.zeros((len(lists), len(self.contenders[at].results.classes)), dtype=np.bool_)
        for row, chosen in enumerate(lists):
            matrix[row, list(chosen or ())] = True
        return matrix


def _lists(contender: Contender, name: str, rows: Ints) -> list[list[int] | None]:
    lists: list[list[int] | None] = contender.rows.column(name).take(rows).to_pylist()
    return lists


def _refuse_other_labels(
    contenders: Sequence[Contender],
    images: SameImages,
    answered: Bools,
    true: Sequence[Bools],
    places: Sequence[Ints],
) -> None:
    first, *others = contenders
    keys = [key for key, ok in zip(images.keys, answered, strict=True) if ok]
    for other, found, place in zip(others, true[1:], places[1:], strict=True):
        known = place != UNKNOWN
        theirs = np.zeros_like(true[0])
        theirs[:, place[known]] = found[:, known]
        differ = np.flatnonzero((theirs != true[0]).any(axis=1) | found[:, ~known].any(axis=1))
        if len(differ):
            raise DataError(
                f"{other.source} cannot be compared with {first.source}: {len(differ):,} of {len(keys):,} images have "
                f"other labels (such as {keys[int(differ[0])]!r}). Score both models with the same truth."
            )


def _pooled_f1(true: Bools, given: Bools) -> list[Measured]:
    """F1 over all answers together; none where there is neither a label nor an answer."""
    f1 = ratio_of("micro_f1", 2 * (true & given).sum(axis=1), true.sum(axis=1) + given.sum(axis=1))
    return [f1] if f1 else []
