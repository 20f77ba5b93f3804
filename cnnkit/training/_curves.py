"""The picture of a run: loss and accuracy (or AP), epoch by epoch, as one SVG that needs no page around it."""

import math
from collections.abc import Sequence
from pathlib import Path

from cnnkit import drawing, files
from cnnkit.training._record import EpochRecord, TrainingRecord

__all__ = ["curves", "curves_path", "write_curves"]

TITLES = {"loss": "Loss", "accuracy": "Accuracy", "ap50": "AP50"}
PARTS = {"training": "train", "held out": "val"}
MANY_EPOCHS = 30  # no dots on the lines of more


def curves_path(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".training.svg")


def write_curves(checkpoint: Path, record: TrainingRecord) -> None:
    files.write_text(curves_path(checkpoint), curves(record))


def curves(record: TrainingRecord) -> str:
    """Loss on the left, accuracy on the right; each for the training images and, when there are any, those held out.

    A detector has AP at an IoU of 0.5 in place of accuracy, of what is held out alone.
    """
    epochs = record.epochs
    highest = max(value for epoch in epochs for value in (epoch.train_loss, epoch.val_loss or 0.0))
    detects = record.recipe.task == "detection"
    charts = [_chart(epochs, "loss", drawing.Axis("loss" if detects else "cross-entropy", 0.0, highest or 1.0))]
    if not detects:
        charts.append(_chart(epochs, "accuracy", drawing.Axis("accuracy", 0.0, 1.0)))
    elif epochs[-1].val_ap50 is not None:
        charts.append(_chart(epochs, "ap50", drawing.Axis("AP at IoU 0.5", 0.0, 1.0)))
    return drawing.stand_alone(charts)


def _chart(epochs: Sequence[EpochRecord], what: str, y: drawing.Axis) -> str:
    x = [epoch.epoch for epoch in epochs]
    curves = {
        label: [_number(getattr(epoch, f"{part}_{what}", None)) for epoch in epochs]
        for label, part in PARTS.items()
        if getattr(epochs[-1], f"{part}_{what}", None) is not None
    }
    last = ", ".join(f"{label} {values[-1]:.4f}" for label, values in curves.items())
    colours = {label: place for place, label in enumerate(PARTS, 1)}  # one part has one colour in every chart
    chart = drawing.line_chart(
        [
            drawing.Line(label, x, values, dots=len(x) <= MANY_EPOCHS, series=colours[label])
            for label, values in curves.items()
        ],
        name=f"training-{what}",
        title=f"{TITLES[what]} by epoch",
        description=f"After {max(x)} epochs: {last}.",
        x=drawing.Axis("epoch", 0.0, float(max(x))),
        y=y,
        legend=True,
    )
    return str(chart)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
