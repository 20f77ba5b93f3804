"""Class identity is the name: which class of the model answers to a folder's or an annotation's name."""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from cnnkit.errors import DataError
from cnnkit.spec import ClassName

N_NAMED = 5


class ClassIndex:
    """The classes of a model by name, by alias, and by the names that a class map gives them."""

    def __init__(self, classes: Sequence[ClassName], class_map: Mapping[str, str] | None = None) -> None:
        self.classes = tuple(classes)
        self._map = {_normal(folder): name for folder, name in (class_map or {}).items()}
        self._answers: dict[str, list[int]] = {}
        for at, entry in enumerate(self.classes):
            for name in {_normal(name) for name in (entry.name, *entry.aliases)}:
                self._answers.setdefault(name, []).append(at)

    def answers(self, name: str) -> bool:
        """Say whether one class or more answers to a name."""
        return bool(self._candidates(name))

    def find(self, name: str) -> int:
        """The position of the class that answers to `name`. DataError when none does, or several."""
        return self.find_all([name])[name]

    def find_all(self, names: Iterable[str], *, where: str = "") -> dict[str, int]:
        """The position of each name's class; one DataError tells of all that no class, or several, answer to.

        `where` begins the sentence: what the names are and where they stand.
        """
        found = {name: self._candidates(name) for name in names}
        shared = [name for name, at in found.items() if len(at) > 1]
        if shared:
            raise DataError(_lead(where) + self._shared(shared[0], found[shared[0]]))
        unknown = [name for name, at in found.items() if not at]
        if unknown:
            raise DataError(_lead(where) + self._unknown(unknown))
        return {name: at[0] for name, at in found.items()}

    def _candidates(self, name: str) -> list[int]:
        normal = _normal(name)
        if normal not in self._map:
            return self._answers.get(normal, [])
        mapped = _normal(self._map[normal])
        # a synset file gives all words of a class, a model often the first alone
        return self._answers.get(mapped) or self._answers.get(mapped.partition(",")[0].strip(), [])

    def _shared(self, name: str, at: list[int]) -> str:
        who = " and ".join(f"{position} ({self.classes[position].name!r})" for position in at)
        return (
            f"{len(at)} classes of the model answer to {name!r}: {who}. Give them aliases, or map it: --class-map FILE."
        )

    def _unknown(self, names: list[str]) -> str:
        shown = ", ".join(repr(name) for name in names[:N_NAMED]) + (", ..." if len(names) > N_NAMED else "")
        have = ", ".join(shown_name(entry.name) for entry in self.classes[:N_NAMED])
        more = ", ..." if len(self.classes) > N_NAMED else ""
        near = difflib.get_close_matches(names[0], list(self._answers), n=1, cutoff=0.75)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return (
            f"no class of the model answers to {shown}; its {len(self.classes)} classes are {have}{more}.{hint} "
            f"--class-map FILE gives other names."
        )


def shown_name(name: str) -> str:
    """A class name in a list of names: in quotes when it has a comma of its own."""
    return repr(name) if "," in name else name


def _normal(name: str) -> str:
    """One spelling of the same letters: file systems differ in how they write an accent."""
    return unicodedata.normalize("NFC", name)


def _lead(where: str) -> str:
    return f"{where}: " if where else ""
