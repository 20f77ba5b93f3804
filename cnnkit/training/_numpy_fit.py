"""Training by the CNN written out in NumPy."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from cnnkit.errors import UsageError
from cnnkit.training._batches import batches_of
from cnnkit.training._fitted import Fitted
from cnnkit.training._pixels import Pictures
from cnnkit.training._prepare import Count, Prepared
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import EpochRecord
from cnnkit.training._spec import network_arguments
from cnnkit.training._values import Values
from cnnkit.training.numpy_engine import Measure, train_numpy

__all__ = ["fit_by_numpy"]

TAKES = {"net", "engine", "epochs", "batch_size", "seed", "holdout", "imgsz", "channels", "preset", "resize"}
TAKES |= {"interpolation", "mean", "std", "optimizer", "lr", "momentum", "l1", "l2"}


def fit_by_numpy(
    recipe: Recipe, prepared: Prepared, *, count: Count, on_epoch: Callable[[EpochRecord, float], None]
) -> Fitted:
    """The losses are those of all images with the weights as they stand after the epoch; epoch 0 is the start."""
    _check(recipe)
    arguments = network_arguments(recipe, prepared.spec)
    values = Values(prepared.spec, torch.device("cpu"))
    records: list[EpochRecord] = []

    def measured(measure: Measure) -> None:
        records.append(_record(measure, recipe))
        count(len(prepared.training) if measure.epoch else 0)
        on_epoch(records[-1], (recipe.epochs - measure.epoch) * measure.seconds)

    weights, _ = train_numpy(
        *_arrays(prepared.training, values),
        net=recipe.net,
        classes=len(prepared.spec.names),
        val=_arrays(prepared.validation, values) if prepared.validation else None,
        optimizer=recipe.optimizer,
        epochs=recipe.epochs,
        lr=recipe.lr,
        batch_size=recipe.batch_size,
        momentum=recipe.momentum,
        l1=recipe.l1,
        l2=recipe.l2,
        seed=recipe.seed,
        on_epoch=measured,
    )
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    return Fitted(tensors, arguments, records, recipe.epochs, "cpu", 1, [])


def _arrays(pictures: Pictures, values: Values) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    order = batches_of(np.arange(len(pictures)), 256)
    return np.concatenate([values(pixels).numpy() for pixels in pictures.store.batches(order, ())]), pictures.labels


def _record(measure: Measure, recipe: Recipe) -> EpochRecord:
    return EpochRecord(
        epoch=measure.epoch,
        lr=recipe.lr,
        train_loss=measure.train_loss,
        train_accuracy=measure.train_accuracy,
        val_loss=measure.val_loss,
        val_accuracy=measure.val_accuracy,
        seconds=measure.seconds,
    )


def _check(recipe: Recipe) -> None:
    fields = type(recipe).model_fields
    given = [name for name, field in fields.items() if name not in TAKES and getattr(recipe, name) != field.default]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        raise UsageError(f"--engine numpy does not know {option}. Leave it out, or leave out --engine numpy.")
