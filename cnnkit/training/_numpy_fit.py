"""Training by the CNN written out in NumPy."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cnnkit import reference
from cnnkit.errors import UsageError
from cnnkit.spec import ModelSpec
from cnnkit.training._batches import batches_of
from cnnkit.training._fitted import Fitted
from cnnkit.training._pixels import Pictures
from cnnkit.training._prepare import Prepared
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import EpochRecord
from cnnkit.training._spec import network_arguments
from cnnkit.training._state import Keeper, identity_of
from cnnkit.training._values import Values
from cnnkit.training._watch import Watch
from cnnkit.training.numpy_engine import Measure, State, train_numpy

__all__ = ["NumpyFit"]

PASSED_ON = ("net", "optimizer", "epochs", "lr", "batch_size", "momentum", "l1", "l2", "seed")
OPTIMIZERS = ("adagrad", "sgd")
OF_THE_IMAGES = ("holdout", "imgsz", "channels", "preset", "resize", "interpolation", "mean", "std")


class NumpyFit:
    """Losses are those of all images with the weights as they stand after the epoch; epoch 0 is the start."""

    def __init__(self, recipe: Recipe, spec: ModelSpec, *, watch: Watch) -> None:
        _check(recipe)
        self._recipe, self._watch = recipe, watch
        self._arguments = network_arguments(recipe, spec)

    def fit(self, prepared: Prepared, output: Path) -> Fitted:
        """`output` is the checkpoint to be: the state of an unfinished run lies beside it."""
        recipe, values = self._recipe, Values(prepared.spec, torch.device("cpu"))
        keeper = Keeper(output, identity_of(recipe, prepared.record, device="cpu", threads=1))

        def tell(state: State) -> None:
            measure = state.curve[-1]
            self._watch.count(len(prepared.training) if measure.epoch else 0)
            self._watch.epoch(_record(measure, recipe), (recipe.epochs - measure.epoch) * measure.seconds)
            if measure.epoch:  # before the first there is nothing to go on from
                keeper.offer(lambda: _to_dict(state))

        weights, curve = train_numpy(
            *_arrays(prepared.training, values),
            classes=len(prepared.spec.names),
            val=_arrays(prepared.validation, values) if prepared.validation else None,
            start=self._start(keeper, len(prepared.training)),
            on_epoch=tell,
            **{name: getattr(recipe, name) for name in PASSED_ON},
        )
        return Fitted(
            weights={name: torch.from_numpy(value) for name, value in weights.items()},
            arguments=self._arguments,
            epochs=[_record(measure, recipe) for measure in curve],
            kept_epoch=recipe.epochs,
            device="cpu",
            threads=1,
            parameters=sum(value.size for value in weights.values()),
        )

    def _start(self, keeper: Keeper, n_images: int) -> State | None:
        facts = keeper.read()
        if facts is None:
            return None
        state = _from_dict(facts)
        done = state.curve[-1].epoch
        self._watch.count(done * n_images)
        self._watch.say(f"Going on after epoch {done} of {self._recipe.epochs}.")
        return state


def _to_dict(state: State) -> dict[str, Any]:
    """In types that are read without running code; the generator's integers are larger than a tensor's."""
    arrays = {"weights": state.weights, "memory": state.memory}
    tensors = {kind: {name: torch.from_numpy(value) for name, value in each.items()} for kind, each in arrays.items()}
    return {**tensors, "curve": [asdict(measure) for measure in state.curve], "random": json.dumps(state.random)}


def _from_dict(facts: dict[str, Any]) -> State:
    weights, memory = ({name: each.numpy() for name, each in facts[kind].items()} for kind in ("weights", "memory"))
    return State([Measure(**each) for each in facts["curve"]], weights, memory, json.loads(facts["random"]))


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
    """Refuse what the written-out CNN has not, before an image is read."""
    if recipe.net not in reference.NETWORKS:
        networks = ", ".join(reference.NETWORKS)
        raise UsageError(f"--engine numpy has no network {recipe.net}; it has {networks}. Leave out --engine numpy.")
    if recipe.optimizer not in OPTIMIZERS:
        raise UsageError(
            f"--engine numpy has no optimizer {recipe.optimizer}. Give --optimizer {' or '.join(OPTIMIZERS)}, or leave "
            "out --engine numpy."
        )
    fields = type(recipe).model_fields
    known = {*PASSED_ON, *OF_THE_IMAGES, "engine"}
    given = [name for name, field in fields.items() if name not in known and getattr(recipe, name) != field.default]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        raise UsageError(f"--engine numpy does not know {option}. Leave it out, or leave out --engine numpy.")
