"""A network whose weights move by a recipe, whatever it is that it learns."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from cnnkit.errors import UsageError
from cnnkit.training._fit import make_optimizer, penalised, rate_at
from cnnkit.training._recipe import Recipe

__all__ = ["Engine", "Figures", "Moving", "Step"]

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}

Step = Callable[[int], None]  # called with the number of images of a finished batch


class Figures(NamedTuple):
    """What a pass over images found; the loss is its mean over the images."""

    loss: float
    accuracy: float | None = None
    ap50: float | None = None


class Engine(Protocol):
    """A network with everything that feeds, moves and scores it; `n` images are learned from."""

    n: int

    def train(self, *, epoch: int, step: Step) -> Figures:
        """Move the weights once over all images; figures as they moved. Epochs count from 1."""
        ...

    def score(self) -> Figures | None:
        """Figures of the images that are held out, the network as it will be used; None where none are."""
        ...

    def weights(self) -> dict[str, Tensor]: ...
    def state(self) -> dict[str, Any]: ...
    def restore(self, state: dict[str, Any]) -> None: ...


class Moving:
    """A network, its optimizer and the arithmetic of its steps."""

    def __init__(self, recipe: Recipe, network: nn.Module, device: torch.device) -> None:
        self.recipe, self.network, self.device = recipe, network, device
        self._optimizer = make_optimizer(recipe, network)
        self._scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")

    def begin_epoch(self, epoch: int) -> np.random.Generator:
        """Training mode, and the draws of this epoch: orders from what is returned, the rest from torch's."""
        random = np.random.default_rng((self.recipe.seed, epoch))
        torch.manual_seed(int(random.integers(2**62)))  # of augmentation and dropout
        self.network.train()
        return random

    def run(self, images: Tensor) -> Any:
        try:
            with self.arithmetic():
                return self.network(images)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise UsageError(
                f"batch norm needs more than one image in a batch of {self.recipe.net}, got {len(images)}. "
                "Give a larger --batch-size, or more images."
            ) from error

    def step(self, loss: Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(penalised(loss, self.network, self.recipe.l1)).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self._optimizer)
        self._scaler.update()

    def set_rate(self, step: int, steps_per_epoch: int) -> None:
        rate = rate_at(self.recipe, step, steps_per_epoch)
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def arithmetic(self) -> AbstractContextManager[Any]:
        if self.recipe.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=HALF[self.recipe.precision])

    def weights(self) -> dict[str, Tensor]:
        """A copy of the state dict, on the CPU."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self.network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Everything an epoch leaves behind, in plain types, for `restore`."""
        return {
            "network": self.weights(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
