"""What a comparison asks of a kind of results: one class a kind, all alike to the one that compares."""

from collections.abc import Sequence
from typing import Protocol

from cnnkit.comparison._record import ObjectPair, Pair
from cnnkit.comparison._resampled import Bools, Measured


class Kind(Protocol):
    """Models of one kind on the same `n` images; `at` is a contender's place.

    `measure` is the figure that decides which is better; a proportion, when `right` says of which images.
    """

    @property
    def measure(self) -> str: ...

    @property
    def n(self) -> int: ...

    @property
    def n_left_out(self) -> int: ...

    @property
    def notes(self) -> Sequence[str]: ...

    def right(self, at: int) -> Bools | None:
        """(n,): which images count for `measure`; None where it is no proportion."""

    def figures(self, at: int, *, resamples: int) -> list[Measured]:
        """Every figure that can be resampled, `measure` among them unless it is a proportion."""

    def pair(self, first: int, second: int) -> Pair | ObjectPair | None:
        """Both models image by image, or object by object; None where that cannot be had, which a note says."""
