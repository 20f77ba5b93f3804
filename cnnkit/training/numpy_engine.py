"""Training by the written-out NumPy layers: no torch in the loop."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import reference
from cnnkit.errors import UsageError

__all__ = ["Measure", "State", "train_numpy"]

Images = NDArray[np.floating]
Labelled = tuple[Images, NDArray[np.integer]]


@dataclass(frozen=True, slots=True)
class Measure:
    """Cross-entropy and accuracy over all images with the weights as they stand; epoch 0 is before training."""

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float  # spent on the epoch's steps


@dataclass(frozen=True, slots=True)
class State:
    """All that the epochs after the last of `curve` depend on. The arrays are those that training moves."""

    curve: list[Measure]
    weights: dict[str, NDArray[np.floating]]
    memory: dict[str, NDArray[np.floating]]  # of the optimizer
    random: Mapping[str, Any]  # of NumPy's bit generator


def train_numpy(
    images: Images,
    labels: NDArray[np.integer],
    *,
    net: str = "digits",
    classes: int = 10,
    val: Labelled | None = None,
    optimizer: str = "adagrad",
    epochs: int = 50,
    lr: float = 0.01,
    batch_size: int = 8,
    momentum: float = 0.9,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int = 0,
    start: State | None = None,
    on_epoch: Callable[[State], None] | None = None,
) -> tuple[dict[str, NDArray[np.floating]], list[Measure]]:
    """Train a network on arrays; the defaults are the course's settings for the digits.

    Args:
        images: (n, c, h, w) float32, standardised already; h = w.
        labels: (n,) ints in [0, classes).
        net: a name of `reference.NETWORKS`.
        classes: how many outputs the network has.
        val: images and labels that are only measured.
        optimizer: `adagrad` or `sgd`.
        epochs: how often every image is seen.
        lr: learning rate.
        batch_size: images in a step.
        momentum: of `sgd`.
        l1: strength of the L1 penalty on weights.
        l2: strength of the L2 penalty on weights.
        seed: draws the weights and the orders; the same seed gives the same weights.
        start: where an earlier call with the same arguments was; the result is that of a call that went through.
        on_epoch: told the state after each epoch; the last of its curve is the new one.

    Returns:
        The weights under the names of the torch network of the same name, and epochs + 1 measures, the first before
        training.

    Raises:
        UsageError: a network or an optimizer that is not there.
    """
    random = np.random.default_rng(seed)
    network, steps = _network(net, images, classes, random), _optimizer(optimizer, lr, momentum)
    curve: list[Measure] = []
    if start is not None:
        _go_on_from(start, network, steps, random)
        curve += start.curve
    began = time.perf_counter()

    def measure(epoch: int) -> None:
        nonlocal began
        curve.append(_measured(network, epoch, (images, labels), val, time.perf_counter() - began))
        if on_epoch is not None:
            on_epoch(State(list(curve), network.parameters, steps.memory, random.bit_generator.state))
        began = time.perf_counter()

    reference.fit(
        network,
        images,
        labels,
        optimizer=steps,
        epochs=epochs,
        batch_size=batch_size,
        random=random,
        l1_strength=l1,
        l2_strength=l2,
        done=curve[-1].epoch if curve else 0,
        on_epoch=measure,
    )
    return network.parameters, curve


def _go_on_from(
    start: State, network: reference.Sequential, optimizer: reference.Optimizer, random: np.random.Generator
) -> None:
    for name, value in network.parameters.items():
        value[...] = start.weights[name]
    optimizer.memory.update({name: value.copy() for name, value in start.memory.items()})
    random.bit_generator.state = start.random


def _network(net: str, images: Images, classes: int, random: np.random.Generator) -> reference.Sequential:
    if net not in reference.NETWORKS:
        known = ", ".join(reference.NETWORKS)
        raise UsageError(f"the NumPy engine has no network {net!r}; it has {known}. The others train with torch.")
    channels, size = images.shape[1], images.shape[2]
    return reference.NETWORKS[net](random, classes=classes, channels=channels, size=size)


def _optimizer(name: str, lr: float, momentum: float) -> reference.Optimizer:
    match name:
        case "adagrad":
            return reference.AdaGrad(lr)
        case "sgd":
            return reference.SGD(lr, momentum=momentum)
    raise UsageError(f"the NumPy engine has no optimizer {name!r}; it has adagrad and sgd. The others need torch.")


def _measured(
    network: reference.Sequential, epoch: int, train: Labelled, val: Labelled | None, seconds: float
) -> Measure:
    train_loss, train_accuracy = _score(network, train)
    val_loss, val_accuracy = (None, None) if val is None else _score(network, val)
    return Measure(epoch, train_loss, train_accuracy, val_loss, val_accuracy, seconds)


def _score(network: reference.Sequential, data: Labelled) -> tuple[float, float]:
    images, labels = data
    logits = network.logits(images)
    return reference.softmax_cross_entropy(logits, labels), float((logits.argmax(axis=1) == labels).mean())
