"""Which columns of another tool's table are its answers: never the labels that stand beside them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import DataError
from cnnkit.evaluation._foreign_tables import EXPECTED, Columns

ANSWERS = ("predicted", "prediction", "top1", "label", "label_0")
INDICES = ("index", "index_0")
PROBABILITIES = ("p", "p1", "prob", "prob_0", "confidence", "logit", "logit_0")
VECTORS = ("prob", "logit")
# what timm and cnnkit write beside the best answer
OF_ANSWERS = re.compile(r"(top|p|label|index|prob|logit)_?\d*|predict(ed|ion)|confidence|status|error")
# what people keep beside scores, and what is no score: the truth, and the order of rows
NO_SCORES = re.compile(
    r"(label|target|true|truth|ground_?truth|gt|actual|expected|class|category)s?(_(id|idx|index|name|label|class))?"
    r"|y|y_true|y_pred|y_hat|true_.*|.*_true|pred(icted)?(_.*)?"
    r"|(row|image|sample|unnamed: ?\d*|__index_level_\d+__)?_?(id|idx|index|no|number)?|n|fold|split|part",
    re.IGNORECASE,
)
TRUTHLIKE = ("label",)  # an answer to timm, the truth to most others
NAMED = 5
SUM_WITHIN = 0.01
PROBED = 1000  # rows, up to twice as many

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Chosen:
    """`scores`: columns of a class each; else the best class by name in `answer` or by position in `index`.

    `p` is the column of its probability. `unread` are columns that say something else.
    """

    scores: tuple[str, ...] = ()
    answer: str | None = None
    index: str | None = None
    p: str | None = None
    unread: tuple[str, ...] = ()


def choose_columns(path: Path, columns: Columns, known: Sequence[Collection[str]], *, complete: bool) -> Chosen:
    """Scores where two columns or more are classes of the truth; else the column of the best class.

    Args:
        path: named in errors.
        columns: all but the key.
        known: what classes may be called, the first of several lists that a column is in.
        complete: these are all classes there are: no other column is one.

    Raises:
        DataError: nothing says what the images show, or the labels could be meant for it; a column of numbers that is
            no class of the truth and unlike the scores.
    """
    names = next((each for each in known if any(name in each for name in columns)), ())
    numeric = [name for name in columns if name not in names and _is_numeric(columns[name])]
    maybe = [name for name in numeric if not OF_ANSWERS.fullmatch(name) and not NO_SCORES.fullmatch(name)]
    classes = [name for name in columns if name in names]
    best = _best(columns)
    if classes and len(classes) + len(maybe) > 1:
        if not complete and maybe and _others_are_classes(path, columns, classes, maybe):
            classes = [name for name in columns if name in names or name in maybe]
        return Chosen(tuple(classes), unread=_unread(columns, classes))
    if best.answer in TRUTHLIKE and len(maybe) > 1:
        raise DataError(
            f"{path}: the column {best.answer!r} may be the truth or the answer, and none of the columns of numbers "
            f"({_shown(maybe)}) is called like a class of the truth. Call the answer `predicted`, or the columns of "
            f"scores as the classes."
        )
    if best.answer or best.index or best.p in VECTORS:
        return best
    if len(maybe) < 2:
        raise DataError(f"{path}: nothing in it says what each image shows; expected {EXPECTED}.")
    return Chosen(tuple(maybe), unread=_unread(columns, maybe))


def _best(columns: Columns) -> Chosen:
    answer, index, p = (
        next((name for name in names if name in columns), None) for names in (ANSWERS, INDICES, PROBABILITIES)
    )
    read = {answer, index, p}
    unread = tuple(name for name in columns if name not in read and not OF_ANSWERS.fullmatch(name))
    beside = ("label",) if answer != "label" and "label" in columns else ()
    return Chosen(answer=answer, index=index, p=p, unread=beside + unread)


def _others_are_classes(path: Path, columns: Columns, classes: Sequence[str], others: Sequence[str]) -> bool:
    """Whether columns of numbers that are no class of the truth are classes of the model nonetheless.

    They are when the scores sum up to 1 with them, and are not when they do without. Where neither is so, all are, and
    one whose numbers are of another kind is refused.
    """
    both = np.array([[_number(cell) for cell in _probed(columns[name])] for name in (*classes, *others)]).T
    both = both[np.isfinite(both).all(axis=1)]
    if not len(both):
        return True
    mine, theirs = both[:, : len(classes)], both[:, len(classes) :]
    with_others, without = (bool((np.abs(each.sum(axis=1) - 1) <= SUM_WITHIN).all()) for each in (both, mine))
    if with_others or without:
        return with_others
    odd = next((at for at in range(len(others)) if _unlike(mine, theirs[:, at])), None)
    if odd is not None:
        raise DataError(
            f"{path}: the column {others[odd]!r} is no class of the truth, and its numbers (such as "
            f"{theirs[0, odd]:g}) are unlike the scores. Leave it out, or name all classes with --labels FILE."
        )
    return True


def _unlike(scores: Matrix, column: Matrix) -> bool:
    """Outside 0 to 1 beside probabilities, or whole numbers beside scores that are none."""
    if scores.min() >= 0 and scores.max() <= 1:
        return bool(column.min() < 0 or column.max() > 1)
    return bool((column == np.rint(column)).all() and not (scores == np.rint(scores)).all())


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return np.nan


def is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _probed(column: Sequence[Any]) -> Sequence[Any]:
    """Some of the rows, from all over the file: enough to tell what a column is."""
    return column[:: max(len(column) // PROBED, 1)]


def _is_numeric(column: Sequence[Any]) -> bool:
    filled = [cell for cell in _probed(column) if not is_blank(cell)]
    return bool(filled) and all(is_number(cell) for cell in filled)


def is_number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


def _unread(columns: Columns, scores: Collection[str]) -> tuple[str, ...]:
    chosen = set(scores)
    return tuple(name for name in columns if name not in chosen and name not in ("status", "error"))


def _shown(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:NAMED])) + (", ..." if len(names) > NAMED else "")
