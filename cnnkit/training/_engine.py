"""One pass over images: with the weights moving, or standing still."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnkit.errors import UsageError
from cnnkit.training._augment import Augment
from cnnkit.training._batches import batches_of
from cnnkit.training._fit import class_weights, loss_of, make_optimizer, penalised, rate_at
from cnnkit.training._pixels import Pictures
from cnnkit.training._prepare import Prepared
from cnnkit.training._recipe import Recipe
from cnnkit.training._values import Values

__all__ = ["Engine", "Step"]

SCORE_BATCH = 64
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}

Step = Callable[[int], None]  # called with the number of images of a finished batch


class Engine:
    """A network with everything that feeds and moves it."""

    def __init__(
        self, recipe: Recipe, prepared: Prepared, network: nn.Module, augment: Augment | None, device: torch.device
    ) -> None:
        self._recipe, self._network, self._augment, self._device = recipe, network, augment, device
        self._values = Values(prepared.spec, device)
        self._optimizer = make_optimizer(recipe, network)
        weight = class_weights(recipe, prepared.spec.names, prepared.training.labels)
        self._weight = None if weight is None else weight.to(device)
        self._scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")

    def train(self, pictures: Pictures, *, epoch: int, step: Step) -> tuple[float, float]:
        """Move the weights once over all images; mean loss and accuracy as they moved. Epochs count from 1."""
        random = np.random.default_rng((self._recipe.seed, epoch))
        torch.manual_seed(int(random.integers(2**62)))  # of augmentation and dropout
        order = batches_of(random.permutation(len(pictures)), self._recipe.batch_size)
        self._network.train()
        total, right = 0.0, 0
        for at, pixels in enumerate(pictures.store.batches(order, (self._recipe.seed, epoch))):
            self._set_rate((epoch - 1) * len(order) + at, len(order))
            labels = torch.from_numpy(pictures.labels[order[at]]).to(self._device)
            loss, n_right = self._step(pixels, labels)
            total += loss * len(labels)
            right += n_right
            step(len(labels))
        return total / len(pictures), right / len(pictures)

    @torch.no_grad()
    def score(self, pictures: Pictures) -> tuple[float, float]:
        """Mean cross-entropy and accuracy, the network as it will be used."""
        order = batches_of(np.arange(len(pictures)), max(SCORE_BATCH, self._recipe.batch_size))
        self._network.eval()
        total, right = 0.0, 0
        for positions, pixels in zip(order, pictures.store.batches(order, ()), strict=True):
            labels = torch.from_numpy(pictures.labels[positions]).to(self._device)
            with self._arithmetic():
                logits = self._network(self._values(pixels.to(self._device))).float()
            total += float(F.cross_entropy(logits, labels, reduction="sum"))
            right += int((logits.argmax(1) == labels).sum())
        return total / len(pictures), right / len(pictures)

    def weights(self) -> dict[str, Tensor]:
        """A copy of the state dict, on the CPU."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self._network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Everything an epoch leaves behind, in plain types, for `restore`."""
        return {
            "network": self.weights(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])

    def _step(self, pixels: Tensor, labels: Tensor) -> tuple[float, int]:
        pixels = pixels.to(self._device)
        images = self._values(self._augment(pixels) if self._augment else pixels)
        outputs = self._forward(images)
        smoothing = self._recipe.label_smoothing
        loss = loss_of(outputs, labels, weight=self._weight, smoothing=smoothing)
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(penalised(loss, self._network, self._recipe.l1)).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self._optimizer)
        self._scaler.update()
        logits = outputs[0] if isinstance(outputs, tuple) else outputs
        return float(loss.detach()), int((logits.argmax(1) == labels).sum())

    def _forward(self, images: Tensor) -> Any:
        try:
            with self._arithmetic():
                return self._network(images)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise UsageError(
                f"batch norm needs more than one image in a batch of {self._recipe.net}, got {len(images)}. "
                "Give a larger --batch-size, or more images."
            ) from error

    def _set_rate(self, step: int, steps_per_epoch: int) -> None:
        rate = rate_at(self._recipe, step, steps_per_epoch)
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def _arithmetic(self) -> AbstractContextManager[Any]:
        if self._recipe.precision == "fp32":
            return nullcontext()
        return torch.autocast(self._device.type, dtype=HALF[self._recipe.precision])
