"""The classes that another tool's answers are among, and where each column and name stands in them."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import ClassIndex, read_labels, read_truth_names
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation._foreign_files import ForeignAnswers
from cnnkit.evaluation._scored import Asked
from cnnkit.spec import ClassName

NAMED = 5


@dataclass(frozen=True)
class KnownClasses:
    """What is known of the classes before the file is read: a list of `given` ones, else the truth's `names`.

    A name of the truth is what the class map makes of it, then its first word group, which models often have alone.
    """

    given: tuple[ClassName, ...] | None
    names: tuple[tuple[str, ...], ...]

    @property
    def spellings(self) -> list[Collection[str]]:
        """What columns may be called: names; of given classes the positions, too."""
        if self.given is None:
            return [_all_forms(name for names in self.names for name in names)]
        named = _all_forms(name for entry in self.given for name in (entry.name, *entry.aliases))
        return [named, {str(at) for at in range(len(self.given))}]


def known_classes(asked: Asked, images: Sequence[str], labels: Path | None) -> KnownClasses:
    """Of a label file and the truth; labels that are positions name nothing."""
    if labels is not None:
        return KnownClasses(read_labels(labels).classes, ())
    if asked.truth_index:
        return KnownClasses(None, ())
    written = read_truth_names(
        asked.data, keys=images, truth=asked.truth, multilabel=asked.multilabel, split=asked.split
    )
    mapped = (_spellings(name, asked.class_map or {}) for name in written)
    return KnownClasses(None, tuple(mapped))


def classes_of(path: Path, found: ForeignAnswers, known: KnownClasses) -> tuple[ClassName, ...]:
    """The list given; else the columns, or the names that answers and truth have between them."""
    if known.given is not None:
        return known.given
    if found.classes:
        return tuple(ClassName(name=name) for name in found.classes)
    if found.places or found.scores is not None:
        raise DataError(f"{path}: holds positions in a class list and not the list. Give it with --labels FILE.")
    if not known.names:
        raise UsageError(
            f"{path}: --truth-index means positions in a class list, and the file has none: --labels FILE."
        )
    answered = {_normal(name) for name in _answered_names(found)}
    truth = {next((each for each in names if each in answered), names[0]) for names in known.names}
    if not answered & truth:
        raise DataError(
            f"{path}: none of the classes that it names ({_shown(answered)}) is a class of the truth "
            f"({_shown(truth)}). --class-map FILE has lines of the truth's name, then the file's; if these are "
            f"positions in a class list, give it with --labels FILE."
        )
    return tuple(ClassName(name=name) for name in sorted(answered | truth))


def notes_on(path: Path, found: ForeignAnswers, known: KnownClasses) -> tuple[str, ...]:
    """What the file says that is not believed or not known."""
    notes = []
    if found.unread:
        notes.append(f"Columns of {path.name} that are not read as answers: {_shown(found.unread, ordered=True)}.")
    if found.assumed is not None:
        notes.append(f"The column {found.assumed!r} of {path.name} is read as the answer, as timm calls it.")
    if known.given is None and found.names:
        strange = {_normal(name) for name in _answered_names(found)} - {name for names in known.names for name in names}
        if strange:
            notes.append(
                f"{len(strange)} of the classes that {path.name} names are none of the truth ({_shown(strange)}): such "
                f"answers are wrong. --class-map FILE gives other names."
            )
    return tuple(notes)


def arranged(path: Path, found: ForeignAnswers, classes: Sequence[ClassName]) -> NDArray[np.float32]:
    """The scores (n, classes) in the order of the classes: by the columns' names, else by their positions.

    Raises:
        DataError: a class without a column, or with two; another number of scores than of classes.
    """
    assert found.scores is not None
    if not found.classes:
        if found.scores.shape[1] != len(classes):
            raise DataError(f"{path}: {found.scores.shape[1]} scores an image for {len(classes)} classes.")
        return found.scores
    index = ClassIndex(classes)
    if not any(index.answers(name) for name in found.classes) and all(name.isdecimal() for name in found.classes):
        columns = {int(name): at for at, name in enumerate(found.classes)}
    else:
        places = index.find_all(found.classes, where=f"{path}, its columns")
        columns = {places[name]: at for at, name in enumerate(found.classes)}
    lacking = [classes[at].name for at in range(len(classes)) if at not in columns]
    if lacking:
        raise DataError(f"{path}: has no column of scores for {_shown(lacking)} of the {len(classes)} classes.")
    if len(found.classes) != len(classes):
        raise DataError(f"{path}: {len(found.classes)} columns of scores for {len(classes)} classes.")
    return np.ascontiguousarray(found.scores[:, [columns[at] for at in range(len(classes))]])


def predicted_classes(
    path: Path, found: ForeignAnswers, names: Sequence[str], classes: Sequence[ClassName]
) -> NDArray[np.int64]:
    """The position of each row's class among `classes`, 0 where the row is no answer; `names` are one guess a row."""
    if not names:
        wrong = next(
            (at for at, ok in zip(found.places, found.ok, strict=True) if ok and not 0 <= at < len(classes)), None
        )
        if wrong is not None:
            raise DataError(f"{path}: {wrong} is no position among {len(classes)} classes.")
        return np.array(found.places, dtype=np.int64)
    index, wanted = ClassIndex(classes), {name for name, ok in zip(names, found.ok, strict=True) if ok}
    if not any(map(index.answers, wanted)) and all(name.isdecimal() and int(name) < len(classes) for name in wanted):
        return np.array([int(name) if ok else 0 for name, ok in zip(names, found.ok, strict=True)], dtype=np.int64)
    places = index.find_all(sorted(wanted), where=str(path))
    return np.array([places[name] if ok else 0 for name, ok in zip(names, found.ok, strict=True)], dtype=np.int64)


def _answered_names(found: ForeignAnswers) -> set[str]:
    rows = (found.names, *found.guesses)
    return {name for names in rows for name, ok in zip(names, found.ok, strict=True) if ok}


def _spellings(name: str, class_map: Mapping[str, str]) -> tuple[str, ...]:
    mapped = _normal(class_map.get(name, name))
    return (mapped, mapped.partition(",")[0].strip()) if name in class_map else (mapped,)


def _all_forms(names: Iterable[str]) -> set[str]:
    return {unicodedata.normalize(form, name) for name in names for form in ("NFC", "NFD")}


def _normal(name: str) -> str:
    """One spelling of the same letters, as `ClassIndex` compares them."""
    return unicodedata.normalize("NFC", name)


def _shown(names: Collection[str], *, ordered: bool = False) -> str:
    listed = list(names) if ordered else sorted(names)
    return ", ".join(map(repr, listed[:NAMED])) + (", ..." if len(listed) > NAMED else "")
