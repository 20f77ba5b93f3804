"""What speaks against the labels, rather than against the model."""

from typing import ClassVar, Literal

from cnnkit.results._model import ResultsModel


class SuspectLabel(ResultsModel):
    """An image whose label the model doubts: `p` of the label, `p_suggested` of the class that it suggests instead.

    `threshold` is the mean probability of the suggested class on the images that carry its label.
    """

    key: str
    label: int
    suggested: int
    p: float
    p_suggested: float
    threshold: float


class SamePicture(ResultsModel):
    """A scored image, or one of those that the model was `trained_on`, and its class by name."""

    key: str
    label: str
    trained_on: bool = False


class Duplicates(ResultsModel):
    """Images that are the same: file for file, pixel for pixel, or nearly. The first of `n` of them are named.

    `conflict`: they do not carry the same label. `distance` is how far near ones lie apart, as a share of their
    contrast.
    """

    kind: Literal["files", "pixels", "near"]
    n: int
    images: tuple[SamePicture, ...]
    conflict: bool = False
    distance: float | None = None


class MutualConfusion(ResultsModel):
    """Two classes taken for each other: `n_first` images of the first for the second, `n_second` the other way."""

    first: int
    second: int
    n_first: int
    n_second: int


class LabelHealth(ResultsModel):
    """Likely mistakes in the data. The lists are cut, worst first; the counts are not.

    `n_suspects` labels are doubted; None where there are no probabilities, or no class of five images and more.
    `n_extra` scored images are the same as an earlier one, `n_conflicts` groups of the same picture carry different
    labels, `n_trained_on` scored images are also among those that the model was trained on (None: that was not looked
    at). `n_near` pairs are nearly the same. `compared` says how: by the files' hashes, or by the pixels; then `n_read`
    scored images and `n_trained_on_read` others were read, `n_unread` could not be.
    """

    NOT_DOUBTED: ClassVar[str] = (
        "Labels were not doubted: that takes probabilities, and a class of five images and more."
    )

    n_suspects: int | None = None
    suspects: tuple[SuspectLabel, ...] = ()
    compared: Literal["files", "pixels"] | None = None
    n_extra: int | None = None
    n_conflicts: int | None = None
    n_near: int | None = None
    n_trained_on: int | None = None
    duplicates: tuple[Duplicates, ...] = ()
    mutual: tuple[MutualConfusion, ...] = ()
    n_read: int = 0
    n_trained_on_read: int = 0
    n_unread: int = 0
    trained_on: str | None = None
