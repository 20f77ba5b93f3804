"""One pass over a classifier's images: with the weights moving, or standing still."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnkit.training._augment import Augment
from cnnkit.training._batches import batches_of
from cnnkit.training._fit import class_weights, loss_of
from cnnkit.training._moving import Figures, Moving, Step
from cnnkit.training._prepare import Prepared
from cnnkit.training._recipe import Recipe
from cnnkit.training._values import Values

__all__ = ["ClassifierEngine"]

SCORE_BATCH = 64


class ClassifierEngine(Moving):
    """Learns by cross-entropy; figures are its mean and the accuracy."""

    def __init__(
        self, recipe: Recipe, prepared: Prepared, network: nn.Module, augment: Augment | None, device: torch.device
    ) -> None:
        super().__init__(recipe, network, device)
        self.n = len(prepared.training)
        self._training, self._validation = prepared.training, prepared.validation
        self._augment, self._values = augment, Values(prepared.spec, device)
        weight = class_weights(recipe, prepared.spec.names, prepared.training.labels)
        self._weight = None if weight is None else weight.to(device)

    def train(self, *, epoch: int, step: Step) -> Figures:
        random, pictures = self.begin_epoch(epoch), self._training
        order = batches_of(random.permutation(self.n), self.recipe.batch_size)
        total, right = 0.0, 0
        for at, pixels in enumerate(pictures.store.batches(order, (self.recipe.seed, epoch))):
            self.set_rate((epoch - 1) * len(order) + at, len(order))
            labels = torch.from_numpy(pictures.labels[order[at]]).to(self.device)
            loss, n_right = self._learn(pixels, labels)
            total += loss * len(labels)
            right += n_right
            step(len(labels))
        return Figures(total / self.n, accuracy=right / self.n)

    @torch.no_grad()
    def score(self) -> Figures | None:
        pictures = self._validation
        if pictures is None:
            return None
        order = batches_of(np.arange(len(pictures)), max(SCORE_BATCH, self.recipe.batch_size))
        self.network.eval()
        total, right = 0.0, 0
        for positions, pixels in zip(order, pictures.store.batches(order, ()), strict=True):
            labels = torch.from_numpy(pictures.labels[positions]).to(self.device)
            with self.arithmetic():
                logits = self.network(self._values(pixels.to(self.device))).float()
            total += float(F.cross_entropy(logits, labels, reduction="sum"))
            right += int((logits.argmax(1) == labels).sum())
        return Figures(total / len(pictures), accuracy=right / len(pictures))

    def _learn(self, pixels: Tensor, labels: Tensor) -> tuple[float, int]:
        pixels = pixels.to(self.device)
        outputs = self.run(self._values(self._augment(pixels) if self._augment else pixels))
        loss = loss_of(outputs, labels, weight=self._weight, smoothing=self.recipe.label_smoothing)
        self.step(loss)
        logits = outputs[0] if isinstance(outputs, tuple) else outputs
        return float(loss.detach()), int((logits.argmax(1) == labels).sum())
