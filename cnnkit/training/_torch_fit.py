"""Training by PyTorch: build the network, then epoch after epoch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnkit import models
from cnnkit.errors import UsageError
from cnnkit.files import sha256_of
from cnnkit.training._device import on_threads, worth_threads
from cnnkit.training._engine import Engine
from cnnkit.training._epochs import Run, run_epochs
from cnnkit.training._fitted import Fitted
from cnnkit.training._prepare import Count, Prepared
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import EpochRecord, versions
from cnnkit.training._spec import network_arguments
from cnnkit.training._weights import take_weights

__all__ = ["fit_by_torch"]


def fit_by_torch(
    recipe: Recipe,
    prepared: Prepared,
    output: Path,
    *,
    device: torch.device,
    workers: int,
    count: Count,
    on_epoch: Callable[[EpochRecord, float], None],
    say: Callable[[str], None],
) -> Fitted:
    """`output` is the checkpoint to be: the state of an unfinished run lies beside it."""
    torch.manual_seed(recipe.seed)
    arguments = network_arguments(recipe, prepared.spec)
    network, notes = _network(recipe, prepared, arguments)
    for note in notes:
        say(note)
    network.to(device)
    shape = (recipe.batch_size, prepared.spec.input.n_channels, *prepared.spec.input.size)
    threads = worth_threads(network, shape, available=workers)
    engine = Engine(recipe, prepared.spec, network, device, prepared.training)
    identity = _identity(recipe, prepared) | {"device": str(device), "threads": str(threads)}
    run = Run(recipe, engine, prepared.training, prepared.validation, output, identity)
    with on_threads(threads):
        done = run_epochs(run, step=count, on_epoch=on_epoch, say=say)
    weights = done.best or engine.weights()
    return Fitted(weights, arguments, done.epochs, done.kept_epoch, str(device), threads, notes)


def _network(recipe: Recipe, prepared: Prepared, arguments: dict[str, Any]) -> tuple[nn.Module, list[str]]:
    classes = prepared.spec.names
    try:
        network = models.create(recipe.net, len(classes), **arguments)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{recipe.net} cannot be built so: {error}.") from error
    if recipe.weights is None:
        return network, []
    return network, [take_weights(network, recipe.weights, net=recipe.net, classes=classes, arguments=arguments)]


def _identity(recipe: Recipe, prepared: Prepared) -> dict[str, str]:
    """What decides the weights: a run goes on only where all of it is as it was."""
    facts = {name: str(value) for name, value in recipe if value is not None}
    if recipe.weights is not None:
        facts["weights"] = sha256_of(recipe.weights)
    return facts | {"images": prepared.record.fingerprint} | versions()
