"""One pass over images: with the weights moving, or standing still."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from cnnkit.training._pixels import Pictures
from cnnkit.training._values import Values

__all__ = ["Fit", "score", "train_epoch"]

AUXILIARY_WEIGHT = 0.3  # GoogLeNet's paper, section 5


@dataclass(frozen=True)
class Fit:
    """What an epoch needs: the network and everything that moves or feeds it."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    values: Values
    device: torch.device
    batch_size: int


Step = Callable[[int], None]  # called with the number of images of a finished batch


def train_epoch(fit: Fit, pictures: Pictures, *, seed: int, epoch: int, step: Step) -> tuple[float, float]:
    """Move the weights once over all images in an order of (seed, epoch); mean loss and accuracy as they moved."""
    torch.manual_seed(int(_generator(seed, epoch, 1).integers(2**62)))
    order = list(_in_batches(_generator(seed, epoch, 0).permutation(len(pictures)), fit.batch_size))
    fit.network.train()
    total, right = 0.0, 0
    for positions, pixels in zip(order, pictures.batches(order), strict=True):
        labels = torch.from_numpy(pictures.labels[positions]).to(fit.device)
        loss, logits = _forward(fit, pixels, labels)
        fit.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        fit.optimizer.step()
        total += float(loss.detach()) * len(positions)
        right += int((logits.argmax(1) == labels).sum())
        step(len(positions))
    return total / len(pictures), right / len(pictures)


@torch.no_grad()
def score(fit: Fit, pictures: Pictures) -> tuple[float, float]:
    """Mean cross-entropy and accuracy of the network as it will be used."""
    order = list(_in_batches(np.arange(len(pictures)), max(fit.batch_size, 64)))
    fit.network.eval()
    total, right = 0.0, 0
    for positions, pixels in zip(order, pictures.batches(order), strict=True):
        labels = torch.from_numpy(pictures.labels[positions]).to(fit.device)
        logits = fit.network(fit.values(torch.from_numpy(pixels).to(fit.device)))
        total += float(F.cross_entropy(logits, labels, reduction="sum"))
        right += int((logits.argmax(1) == labels).sum())
    return total / len(pictures), right / len(pictures)


def _forward(fit: Fit, pixels: NDArray[np.uint8], labels: Tensor) -> tuple[Tensor, Tensor]:
    outputs = fit.network(fit.values(torch.from_numpy(pixels).to(fit.device)))
    logits, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = F.cross_entropy(logits, labels)
    for head in auxiliary:
        loss = loss + AUXILIARY_WEIGHT * F.cross_entropy(head, labels)
    return loss, logits


def _in_batches(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Cut into batches; a last one of a single image joins the one before, since batch norm needs two."""
    last = len(order) - 1 if size > 1 and len(order) > size and len(order) % size == 1 else len(order)
    for start in range(0, last, size):
        end = start + size
        yield order[start : len(order) if end >= last else end]


def _generator(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
