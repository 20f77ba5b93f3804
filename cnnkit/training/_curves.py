"""The picture of a run: loss and accuracy, epoch by epoch, as one SVG that needs no page around it."""

import math
from collections.abc import Sequence
from pathlib import Path

from cnnkit import drawing, files
from cnnkit.training._record import EpochRecord, TrainingRecord

__all__ = ["curves", "curves_path", "write_curves"]

MANY_EPOCHS = 30  # no dots on the lines of more


def curves_path(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".training.svg")


def write_curves(checkpoint: Path, record: TrainingRecord) -> None:
    files.write_text(curves_path(checkpoint), curves(record))


def curves(record: TrainingRecord) -> str:
    """Loss on the left, accuracy on the right; each for the training images and, when there are any, those held out."""
    epochs = record.epochs
    highest = max(value for epoch in epochs for value in (epoch.train_loss, epoch.val_loss or 0.0))
    loss = _chart(epochs, "loss", drawing.Axis("cross-entropy", 0.0, highest or 1.0))
    accuracy = _chart(epochs, "accuracy", drawing.Axis("accuracy", 0.0, 1.0))
    return drawing.stand_alone([loss, accuracy])


def _chart(epochs: Sequence[EpochRecord], what: str, y: drawing.Axis) -> str:
    x = [epoch.epoch for epoch in epochs]
    curves = {
        label: [_number(getattr(epoch, f"{part}_{what}")) for epoch in epochs]
        for part, label in (("train", "training"), ("val", "held out"))
        if getattr(epochs[-1], f"{part}_{what}") is not None
    }
    last = ", ".join(f"{label} {values[-1]:.4f}" for label, values in curves.items())
    chart = drawing.line_chart(
        [drawing.Line(label, x, values, dots=len(x) <= MANY_EPOCHS) for label, values in curves.items()],
        name=f"training-{what}",
        title=f"{what.capitalize()} by epoch",
        description=f"After {max(x)} epochs: {last}.",
        x=drawing.Axis("epoch", 0.0, float(max(x))),
        y=y,
    )
    return str(chart)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
