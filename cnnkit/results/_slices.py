"""Groups of images that share a property."""

from cnnkit.results._figures import Figure
from cnnkit.results._model import ResultsModel


class SlicedBy(ResultsModel):
    """A property that images were grouped by: where it comes from, how many images have it.

    `edges` cut its numbers, each into "below" and "from there on". `n_without` scored images have no value; they are in
    none of its slices and in no `rest`. `n_unknown` rows of the file are about images that are not scored.
    """

    by: str
    source: str
    unit: str | None = None
    edges: tuple[float, ...] = ()
    n: int
    n_without: int = 0
    n_unknown: int = 0
    note: str | None = None


class Slice(ResultsModel):
    """Images that share a property: `by` names it (brightness, folder), `value` says which (dark, north).

    `figure` is `measure` on them, `rest` on all other images that have the property, `difference` the one minus the
    other; `p_value` is for a difference between the two, corrected for the number of slices. None: not tested.

    Of a detector `figure` and `rest` rest on `n_positives` objects, `n_classes` classes have an object in the slice, and
    `difference` is what goes beyond `by_chance`: the mean difference of random slices of as many images, since average
    precision is higher on fewer.
    """

    by: str
    value: str
    measure: str = "top1_accuracy"
    figure: Figure
    rest: Figure | None = None
    difference: Figure | None = None
    by_chance: float | None = None
    n_classes: int | None = None
    p_value: float | None = None
