"""What a page that compares models is made of: plain facts, worked out elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnkit.comparison import ObjectPair, PairedBoxes
from cnnkit.results import Results

__all__ = ["ClassChange", "ComparedModel", "Comparison", "DetectorPairing", "Difference", "Flip", "Pairing"]


@dataclass(frozen=True)
class ComparedModel:
    """One model: its results, and the name it goes by on the page, which no other has. `notes` stand beside it."""

    name: str
    results: Results
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """`second` minus `first` in `measure` (a figure's name), on the same `n` images; both are names of models.

    `low` and `high` bound the 95 % interval, `p` is the test's after correction for the number of pairs, `sentence`
    says what follows.
    """

    first: str
    second: str
    measure: str
    value: float
    low: float | None
    high: float | None
    p: float | None
    n: int
    method: str
    sentence: str


@dataclass(frozen=True)
class Flip:
    """An image that one of two models gets right and the other wrong; classes as indices into the first's classes."""

    key: str
    digest: bytes | None
    label: int
    first: int
    second: int
    first_confidence: float | None
    second_confidence: float | None


@dataclass(frozen=True)
class ClassChange:
    """A class of `n` images, and how many of them each model gets right."""

    label: int
    n: int
    first_right: int
    second_right: int


@dataclass(frozen=True)
class Pairing:
    """Two models on the same images: counts, the images that flip in any order, the classes."""

    first: str
    second: str
    both_right: int
    both_wrong: int
    only_first: int
    only_second: int
    same_answer: int
    flips: Sequence[Flip] = ()
    classes: Sequence[ClassChange] = ()

    @property
    def n(self) -> int:
        return self.both_right + self.both_wrong + self.only_first + self.only_second


@dataclass(frozen=True)
class DetectorPairing:
    """Two detectors on the same images, object by object, and the boxes that are drawn on the pictures."""

    objects: ObjectPair
    boxes: PairedBoxes


@dataclass(frozen=True)
class Comparison:
    """Models on the same images. `sentences` answer which is better; `notes` say what could not be compared."""

    models: tuple[ComparedModel, ...]
    sentences: tuple[str, ...]
    differences: tuple[Difference, ...] = ()
    pairings: tuple[Pairing, ...] = ()
    detectors: tuple[DetectorPairing, ...] = ()
    notes: tuple[str, ...] = ()
