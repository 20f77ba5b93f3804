"""Training by PyTorch: build the network, then epoch after epoch."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnkit import models
from cnnkit.errors import UsageError
from cnnkit.spec import ModelSpec
from cnnkit.training._augment import augmentation
from cnnkit.training._box_engine import DetectorEngine, PreparedBoxes
from cnnkit.training._device import on_threads, worth_threads
from cnnkit.training._engine import ClassifierEngine
from cnnkit.training._epochs import Run, run_epochs
from cnnkit.training._fitted import Fitted
from cnnkit.training._moving import Engine
from cnnkit.training._prepare import Prepared
from cnnkit.training._recipe import Recipe
from cnnkit.training._spec import network_arguments
from cnnkit.training._state import Keeper, identity_of
from cnnkit.training._watch import Watch
from cnnkit.training._weights import take_weights

__all__ = ["TorchFit"]


class TorchFit:
    """Builds the network before images are read, so that what does not go together is said at once."""

    def __init__(self, recipe: Recipe, spec: ModelSpec, device: torch.device, *, workers: int, watch: Watch) -> None:
        if recipe.precision == "fp16" and device.type != "cuda":
            raise UsageError("fp16 needs a CUDA device; on a CPU use --precision bf16, or leave it out.")
        self._recipe, self._device, self._watch = recipe, device, watch
        self._augment = augmentation(recipe, n_channels=spec.input.n_channels)
        self._arguments = network_arguments(recipe, spec)
        self._network = _network(recipe, spec.names, self._arguments, watch).to(device)
        image = (spec.input.n_channels, *spec.input.size)
        self._threads = worth_threads(self._network, image, batch_size=recipe.batch_size, available=workers)

    def fit(self, prepared: Prepared | PreparedBoxes, output: Path) -> Fitted:
        """`output` is the checkpoint to be: the state of an unfinished run lies beside it."""
        engine = self._engine(prepared)
        identity = identity_of(self._recipe, prepared.record, device=str(self._device), threads=self._threads)
        run = Run(self._recipe, engine, Keeper(output, identity))
        with on_threads(self._threads):
            done = run_epochs(run, self._watch)
        return Fitted(
            weights=done.best or engine.weights(),
            arguments=self._arguments,
            epochs=done.epochs,
            kept_epoch=done.kept_epoch,
            device=str(self._device),
            threads=self._threads,
            parameters=sum(parameter.numel() for parameter in self._network.parameters()),
        )

    def _engine(self, prepared: Prepared | PreparedBoxes) -> Engine:
        if isinstance(prepared, PreparedBoxes):
            return DetectorEngine(self._recipe, prepared, self._network, self._augment, self._device)
        return ClassifierEngine(self._recipe, prepared, self._network, self._augment, self._device)


def _network(recipe: Recipe, classes: list[str], arguments: dict[str, Any], watch: Watch) -> nn.Module:
    torch.manual_seed(recipe.seed)
    try:
        network = models.create(recipe.net, len(classes), **arguments)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{recipe.net} cannot be built so: {error}.") from error
    if recipe.weights is not None:
        watch.say(take_weights(network, recipe.weights, net=recipe.net, classes=classes, arguments=arguments))
    return network
