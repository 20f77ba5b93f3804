"""Epoch after epoch: score, remember the best, save the state, stop in time."""

import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from cnnkit.errors import CheckFailed
from cnnkit.training._batches import batches_of
from cnnkit.training._fit import rate_at
from cnnkit.training._moving import Engine, Figures
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import EpochRecord
from cnnkit.training._state import Keeper
from cnnkit.training._watch import Watch

__all__ = ["Progress", "Run", "run_epochs"]


@dataclass
class Progress:
    """How far a run is; plain types only, as it is saved. `best` holds the weights of `kept_epoch`."""

    epochs: list[EpochRecord] = field(default_factory=list)
    kept_epoch: int = 0
    best: dict[str, Tensor] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "epochs": [epoch.model_dump() for epoch in self.epochs],
            "kept_epoch": self.kept_epoch,
            "best": self.best,
        }

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Progress":
        epochs = [EpochRecord.model_validate(epoch) for epoch in facts["epochs"]]
        return cls(epochs, facts["kept_epoch"], facts["best"])


@dataclass(frozen=True)
class Run:
    """What is learned by what recipe, and where its state is kept."""

    recipe: Recipe
    engine: Engine
    keeper: Keeper


def run_epochs(run: Run, watch: Watch) -> Progress:
    """Train to the end, from where an earlier call was broken off."""
    progress = _resumed(run, watch)
    while len(progress.epochs) < run.recipe.epochs and not _out_of_patience(run.recipe, progress):
        record = _one_epoch(run, len(progress.epochs) + 1, watch)
        _remember(run, progress, record)
        watch.epoch(record, _seconds_left(run.recipe, progress))
        run.keeper.offer(lambda: {"engine": run.engine.state(), "progress": progress.to_dict()})
    if len(progress.epochs) < run.recipe.epochs:
        last, best = len(progress.epochs), progress.kept_epoch
        watch.say(f"Stopped after epoch {last}: no lower validation loss since epoch {best}, which is kept.")
    return progress


def _resumed(run: Run, watch: Watch) -> Progress:
    state = run.keeper.read()
    if state is None:
        return Progress()
    run.engine.restore(state["engine"])
    progress = Progress.from_dict(state["progress"])
    watch.count(len(progress.epochs) * run.engine.n)
    watch.say(f"Going on after epoch {len(progress.epochs)} of {run.recipe.epochs}.")
    return progress


def _one_epoch(run: Run, epoch: int, watch: Watch) -> EpochRecord:
    began = time.monotonic()
    learned = run.engine.train(epoch=epoch, step=watch.count)
    if not math.isfinite(learned.loss):
        raise CheckFailed(
            f"the loss is {learned.loss} in epoch {epoch}: the steps are too large. Give a lower --lr, or --warmup 1."
        )
    held_out: Figures | None = run.engine.score()
    return EpochRecord(
        epoch=epoch,
        lr=_rate_at_end(run, epoch),
        train_loss=learned.loss,
        train_accuracy=learned.accuracy,
        val_loss=held_out.loss if held_out else None,
        val_accuracy=held_out.accuracy if held_out else None,
        val_ap50=held_out.ap50 if held_out else None,
        seconds=time.monotonic() - began,
    )


def _rate_at_end(run: Run, epoch: int) -> float:
    steps = len(batches_of(np.arange(run.engine.n), run.recipe.batch_size))
    return rate_at(run.recipe, epoch * steps - 1, steps)


def _remember(run: Run, progress: Progress, record: EpochRecord) -> None:
    """Without early stopping the last epoch is kept, with it the one of the lowest validation loss."""
    progress.epochs.append(record)
    if run.recipe.early_stop is None:
        progress.kept_epoch = record.epoch
        return
    best = progress.epochs[progress.kept_epoch - 1].val_loss if progress.kept_epoch else None
    if best is None or (record.val_loss is not None and record.val_loss < best):
        progress.kept_epoch, progress.best = record.epoch, run.engine.weights()


def _out_of_patience(recipe: Recipe, progress: Progress) -> bool:
    return recipe.early_stop is not None and len(progress.epochs) - progress.kept_epoch >= recipe.early_stop


def _seconds_left(recipe: Recipe, progress: Progress) -> float:
    recent = progress.epochs[-5:]
    return (recipe.epochs - len(progress.epochs)) * sum(epoch.seconds for epoch in recent) / len(recent)
