"""What a training run did, as JSON beside the checkpoint and inside it."""

import platform
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from cnnkit import __version__, files
from cnnkit.training._recipe import Recipe

__all__ = ["DataRecord", "EpochRecord", "TrainingRecord", "record_path", "versions", "write_record"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EpochRecord(_Model):
    """One pass over the training images. Training figures are means over the batches as the weights moved.

    The NumPy engine measures them after the pass instead, and once before the first as epoch 0. A detector has no
    accuracy, but AP at an IoU of 0.5 on what is held out.
    """

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    val_ap50: float | None = None
    seconds: float


class DataRecord(_Model):
    """What was learned from. `per_class` counts images, a detector's objects; `bad` says why images were left out."""

    root: str
    fingerprint: str
    n: int
    n_val: int
    per_class: dict[str, int]
    bad: dict[str, str] = {}


class TrainingRecord(_Model):
    """`kept_epoch` is the epoch whose weights the checkpoint holds."""

    recipe: Recipe
    data: DataRecord
    parameters: int
    device: str
    threads: int
    versions: dict[str, str]
    notes: list[str]
    epochs: list[EpochRecord]
    kept_epoch: int

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def kept(self) -> EpochRecord:
        return next(epoch for epoch in self.epochs if epoch.epoch == self.kept_epoch)


def versions() -> dict[str, str]:
    import torch

    return {"cnnkit": __version__, "torch": str(torch.__version__), "python": platform.python_version()}


def record_path(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".training.json")


def write_record(checkpoint: Path, record: TrainingRecord) -> None:
    files.write_text(record_path(checkpoint), record.model_dump_json(indent=2, exclude_none=True) + "\n")
