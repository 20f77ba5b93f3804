"""A value and its interval in the height of a line of text."""

import numpy as np
from markupsafe import Markup

from cnnkit.drawing._frame import render

WIDTH = 120.0


def interval_mark(value: float | None, low: float | None, high: float | None) -> Markup:
    """Draw a share in [0, 1] as a dot on a line, its interval as a thick stretch. The text beside it says the same."""
    if value is None or not 0 <= value <= 1:
        return Markup("")
    places = [None if each is None else 4 + float(np.clip(each, 0, 1)) * (WIDTH - 8) for each in (value, low, high)]
    return render("interval.svg", at=places[0], low=places[1], high=places[2], width=WIDTH)
