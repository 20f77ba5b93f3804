"""Are these the same classes? By name or alias, never by position; refused with counts and an example."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnnkit.comparison._contender import Contender
from cnnkit.errors import DataError
from cnnkit.spec import ClassName

UNKNOWN = -1


def class_places(first: Contender, other: Contender) -> NDArray[np.int64]:
    """For each class of `other` its place among the classes of `first`; -1 where several could be meant."""
    ours, theirs = first.results.classes, other.results.classes
    if [entry.name for entry in ours] == [entry.name for entry in theirs]:
        return np.arange(len(ours))
    found = [_candidates(entry, _by_name(ours)) for entry in theirs]
    back = [_candidates(entry, _by_name(theirs)) for entry in ours]
    _refuse(first, other, found, back)
    places = [next(iter(each)) if len(each) == 1 else UNKNOWN for each in found]
    times = Counter(places)
    return np.array([UNKNOWN if times[at] > 1 else at for at in places], dtype=np.int64)


def _by_name(classes: Sequence[ClassName]) -> dict[str, set[int]]:
    places: dict[str, set[int]] = {}
    for at, entry in enumerate(classes):
        for name in (entry.name, *entry.aliases):
            places.setdefault(name, set()).add(at)
    return places


def _candidates(entry: ClassName, places: dict[str, set[int]]) -> set[int]:
    """The classes that all names of an entry point to, as far as a name points anywhere."""
    pointed = [places[name] for name in (entry.name, *entry.aliases) if name in places]
    return set.intersection(*pointed) or set.union(*pointed) if pointed else set()


def _refuse(first: Contender, other: Contender, found: Sequence[set[int]], back: Sequence[set[int]]) -> None:
    told = [
        f"{sum(not each for each in places):,} of {len(places):,} classes are in {who.source} alone "
        f"(such as {next(entry.name for entry, each in zip(classes, places, strict=True) if not each)!r})"
        for who, classes, places in ((first, first.results.classes, back), (other, other.results.classes, found))
        if not all(places)
    ]
    if told:
        raise DataError(
            f"{other.source} cannot be compared with {first.source}: {'; '.join(told)}. Classes are matched by name "
            f"and alias: give the models the same names, with `eval --labels FILE`, or compare models of one task."
        )
