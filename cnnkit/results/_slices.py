"""Groups of images that share a property."""

from cnnkit.results._figures import Figure
from cnnkit.results._model import ResultsModel


class Slice(ResultsModel):
    """Images that share a property: `by` names it (brightness, folder), `value` says which (dark, north).

    `figure` is `measure` on them, `rest` on all other images; `p_value` is for a difference between the two, corrected
    for the number of slices.
    """

    by: str
    value: str
    measure: str = "top1_accuracy"
    figure: Figure
    rest: Figure | None = None
    p_value: float | None = None
