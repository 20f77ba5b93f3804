"""How the weights move: the optimizer, the learning rate of each step, the loss."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from cnnkit.errors import UsageError
from cnnkit.training._recipe import Recipe

__all__ = ["class_weights", "loss_of", "make_optimizer", "penalised", "rate_at"]

AUXILIARY_WEIGHT = 0.3  # of GoogLeNet's heads, section 5 of its paper


def make_optimizer(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """Weights decay by `l2`; biases and batch norms, which have one axis, do not."""
    groups: list[dict[str, Any]] = [{"params": list(network.parameters()), "weight_decay": 0.0}]
    if recipe.l2:
        decaying = [parameter for parameter in network.parameters() if parameter.ndim > 1]
        free = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
        groups = [{"params": decaying, "weight_decay": recipe.l2}, {"params": free, "weight_decay": 0.0}]
    match recipe.optimizer:
        case "adam":
            return torch.optim.Adam(groups, lr=recipe.lr)
        case "adamw":
            return torch.optim.AdamW(groups, lr=recipe.lr)
        case "sgd":
            return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
        case "adagrad":  # from a sum of 1e-8 rather than divided by sqrt + eps, as the course and `reference` have it
            return torch.optim.Adagrad(groups, lr=recipe.lr, initial_accumulator_value=1e-8, eps=0.0)


def rate_at(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The learning rate of a step, counted from 0 over the whole run.

    It climbs linearly to `lr` over the `warmup` epochs. After them `cosine` lowers it to 0 at the end of the run along
    half a wave; `step` multiplies it by `step_factor` after every `step_epochs` epochs of the run.
    """
    warm = round(recipe.warmup * steps_per_epoch)
    if step < warm:
        return recipe.lr * (step + 1) / (warm + 1)
    if recipe.schedule == "cosine":
        total = recipe.epochs * steps_per_epoch
        return recipe.lr * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm))) / 2
    if recipe.schedule == "step":
        return recipe.lr * recipe.step_factor ** (step // (recipe.step_epochs * steps_per_epoch))
    return recipe.lr


def class_weights(recipe: Recipe, classes: Sequence[str], labels: NDArray[np.int64]) -> Tensor | None:
    """(C,) float32: what a mistake on each class costs; None when all cost the same."""
    if recipe.class_weights is None:
        return None
    counts = np.bincount(labels, minlength=len(classes))
    if recipe.class_weights == "balanced":
        return torch.tensor(len(labels) / (len(classes) * np.maximum(counts, 1)), dtype=torch.float32)
    unknown = sorted(set(recipe.class_weights) - set(classes))
    if unknown:
        raise UsageError(
            f"class weights name {unknown[0]!r}, which is none of the classes {', '.join(classes[:5])} ..."
        )
    return torch.tensor([recipe.class_weights.get(name, 1.0) for name in classes], dtype=torch.float32)


def loss_of(outputs: Tensor | tuple[Tensor, ...], labels: Tensor, *, weight: Tensor | None, smoothing: float) -> Tensor:
    """Mean cross-entropy of the logits, with 0.3 times that of each auxiliary head."""
    heads = outputs if isinstance(outputs, tuple) else (outputs,)
    losses = [F.cross_entropy(head.float(), labels, weight=weight, label_smoothing=smoothing) for head in heads]
    return losses[0] if len(losses) == 1 else losses[0] + AUXILIARY_WEIGHT * torch.stack(losses[1:]).sum()


def penalised(loss: Tensor, network: nn.Module, l1: float) -> Tensor:
    if not l1:
        return loss
    return loss + l1 * sum(parameter.abs().sum() for parameter in network.parameters() if parameter.ndim > 1)
