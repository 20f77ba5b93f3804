"""Training a network that is written out."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cnnkit.reference._loss import l1, l2, softmax_cross_entropy, softmax_cross_entropy_backward
from cnnkit.reference._network import Sequential
from cnnkit.reference._optimizers import Optimizer
from cnnkit.reference._windows import Array

__all__ = ["fit", "train_step"]


def fit(
    network: Sequential,
    images: Array,
    labels: NDArray[np.integer],
    *,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    random: np.random.Generator,
    l1_strength: float = 0.0,
    l2_strength: float = 0.0,
    done: int = 0,
    on_epoch: Callable[[int], None] | None = None,
) -> None:
    """Go through the images `epochs` times, in another order each time, and change the network in place.

    Args:
        network: what is trained.
        images: (n, c, h, w).
        labels: (n,) class indices.
        optimizer: takes a step after each batch.
        epochs: how many times every image is seen.
        batch_size: images in a step; the last step of an epoch takes what is left.
        random: draws the orders.
        l1_strength: L1 penalty on weights; biases go free.
        l2_strength: L2 penalty on weights.
        done: epochs of these that the network, the optimizer and the draws have behind them.
        on_epoch: called with 0 before the first epoch and with k after the k-th.
    """
    if on_epoch is not None and not done:
        on_epoch(0)
    for epoch in range(done + 1, epochs + 1):
        order = random.permutation(len(images))
        for at in range(0, len(order), batch_size):
            batch = order[at : at + batch_size]
            train_step(
                network, images[batch], labels[batch], optimizer, l1_strength=l1_strength, l2_strength=l2_strength
            )
        if on_epoch is not None:
            on_epoch(epoch)


def train_step(
    network: Sequential,
    images: Array,
    labels: NDArray[np.integer],
    optimizer: Optimizer,
    *,
    l1_strength: float = 0.0,
    l2_strength: float = 0.0,
) -> float:
    """One step on one batch; returns the cross-entropy before it, without the penalties."""
    logits = network.forward(images, training=True)
    network.backward(softmax_cross_entropy_backward(logits, labels))
    parameters, gradients = network.parameters, network.gradients
    for name, weight in parameters.items():
        if weight.ndim > 1:
            gradients[name] = gradients[name] + l1(weight, l1_strength)[1] + l2(weight, l2_strength)[1]
    optimizer.step(parameters, gradients)
    return softmax_cross_entropy(logits, labels)
