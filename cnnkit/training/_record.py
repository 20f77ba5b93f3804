"""What a training run did, as JSON beside the checkpoint and inside it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from cnnkit import files
from cnnkit.training._recipe import Recipe

__all__ = ["EpochRecord", "TrainingRecord", "record_path"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EpochRecord(_Model):
    """One pass over the training images. Training figures are means over the batches as the weights moved."""

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None
    seconds: float


class DataRecord(_Model):
    """What was learned from. `bad` names each image that was left out, with the reason."""

    root: str
    n: int
    n_val: int
    per_class: dict[str, int]
    bad: dict[str, str] = {}


class TrainingRecord(_Model):
    recipe: Recipe
    data: DataRecord
    parameters: int
    device: str
    versions: dict[str, str]
    notes: list[str] = []
    epochs: list[EpochRecord] = []
    kept_epoch: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


def record_path(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".training.json")


def write_record(checkpoint: Path, record: TrainingRecord) -> None:
    files.write_text(record_path(checkpoint), record.model_dump_json(indent=2, exclude_none=True) + "\n")
