"""What speaks against the labels, rather than against the model."""

from typing import Literal

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


class Duplicates(ResultsModel):
    """Images that are the same: file for file, pixel for pixel, or nearly.

    `keys` are scored images, `labels` theirs. `seen` are images of the folder that the model was trained on, their
    classes by name in `seen_labels`. `difference` is how far near ones lie apart, as a share of their contrast.
    """

    kind: Literal["bytes", "pixels", "near"]
    keys: tuple[str, ...]
    labels: tuple[int, ...]
    seen: tuple[str, ...] = ()
    seen_labels: tuple[str, ...] = ()
    difference: float | None = None
    conflict: bool = False


class MutualConfusion(ResultsModel):
    """Two classes taken for each other: `n_first` images of the first for the second, `n_second` the other way."""

    first: int
    second: int
    n_first: int
    n_second: int


class LabelHealth(ResultsModel):
    """Likely mistakes in the data. The lists are cut, worst first; the counts are not.

    `n_extra` images could be left out so that each picture is scored once; `n_seen` scored images are also among
    those that the model was trained on; `n_conflicts` groups of the same picture carry different labels. `n_near`
    pairs are nearly the same. Pixels are compared only when asked for: then `n_compared` and `n_seen_compared` say how
    many pictures were read, `n_unread` how many could not be.
    """

    n_suspects: int | None = None
    suspects: tuple[SuspectLabel, ...] = ()
    n_extra: int = 0
    n_conflicts: int = 0
    n_near: int | None = None
    n_seen: int | None = None
    duplicates: tuple[Duplicates, ...] = ()
    mutual: tuple[MutualConfusion, ...] = ()
    compared: Literal["files", "pixels"] | None = None
    n_compared: int = 0
    n_seen_compared: int = 0
    n_unread: int = 0
    seen_folder: str | None = None
