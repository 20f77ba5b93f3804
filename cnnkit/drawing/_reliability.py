"""How often the model is right when it says how sure it is."""

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from cnnkit.drawing._frame import Axis, Frame, path, render


def reliability_diagram(
    confidence: ArrayLike,
    accuracy: ArrayLike,
    counts: ArrayLike,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    name: str,
    title: str,
    description: str,
) -> Markup:
    """Draw accuracy (bins,) against mean confidence (bins,), intervals as whiskers, the counts as bars at the foot.

    A perfectly calibrated model lies on the dashed diagonal. Bins without images are left out.
    """
    confidence, accuracy, counts = (np.asarray(each, dtype=np.float64) for each in (confidence, accuracy, counts))
    if not confidence.shape == accuracy.shape == counts.shape or confidence.ndim != 1:
        shapes = confidence.shape, accuracy.shape, counts.shape
        raise ValueError(f"confidence, accuracy and counts must be (bins,) each, got {shapes}")
    frame = Frame(Axis("Confidence", percent=True), Axis("Share that is right", percent=True))
    full = np.flatnonzero(counts > 0)
    across, down = frame.across(confidence), frame.down(accuracy)
    tallest = max(float(counts.max(initial=0)), 1.0)
    lows, highs = (np.full(len(counts), np.nan) if each is None else frame.down(each) for each in (low, high))
    points = [
        {
            "x": frame.left + across[at],
            "y": frame.top + down[at],
            "low": frame.top + lows[at],
            "high": frame.top + highs[at],
            "interval": bool(np.isfinite(lows[at] + highs[at])),
            "weight": counts[at] / tallest * 36,
            "text": f"{frame.x.text(round(float(confidence[at]), 4))} sure, "
            f"{frame.y.text(round(float(accuracy[at]), 4))} right, {counts[at]:g} images",
        }
        for at in full
    ]
    return render(
        "reliability.svg",
        name=name,
        title=title,
        description=description,
        frame=frame,
        points=points,
        line=path(frame.left + across[full], frame.top + down[full]),
    )
