"""One pass over a detector's pictures: with the weights moving, or standing still."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnkit import models
from cnnkit.models.detector import Detector, answer_of
from cnnkit.records import Geometry
from cnnkit.spec import ModelSpec
from cnnkit.training._augment import Augment
from cnnkit.training._batches import batches_of
from cnnkit.training._box_loss import box_loss
from cnnkit.training._box_pictures import BoxBatch, BoxPictures
from cnnkit.training._box_score import ApScorer
from cnnkit.training._box_targets import Cells
from cnnkit.training._moving import Figures, Moving, Step
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import DataRecord
from cnnkit.training._values import Values

__all__ = ["DetectorEngine", "PreparedBoxes"]

SCORE_BATCH = 32


@dataclass(frozen=True)
class PreparedBoxes:
    spec: ModelSpec
    training: BoxPictures
    validation: BoxPictures | None
    record: DataRecord


class DetectorEngine(Moving):
    """Learns by `box_loss`; figures are its mean over the batches and, of what is held out, AP at an IoU of 0.5."""

    def __init__(
        self, recipe: Recipe, prepared: PreparedBoxes, network: nn.Module, augment: Augment | None, device: torch.device
    ) -> None:
        super().__init__(recipe, network, device)
        # pixel by pixel in memory: its small maps take two thirds of the time so
        self._detector = cast(Detector, cast(Any, network).to(memory_format=torch.channels_last))
        self.n = len(prepared.training)
        self._training, self._validation = prepared.training, prepared.validation
        self._augment, self._values = augment, Values(prepared.spec, device)
        self._cells = Cells.of(prepared.spec.input.size, models.network(recipe.net).strides, device)
        held_out = prepared.validation
        self._scorer = None if held_out is None else ApScorer(prepared.spec, held_out.part.truth)

    def train(self, *, epoch: int, step: Step) -> Figures:
        order = batches_of(self.begin_epoch(epoch).permutation(self.n), self.recipe.batch_size)
        total = 0.0
        for at, batch in enumerate(self._training.store.batches(order, (self.recipe.seed, epoch))):
            self.set_rate((epoch - 1) * len(order) + at, len(order))
            total += self._learn(batch) * len(batch.pixels)
            step(len(batch.pixels))
        return Figures(total / self.n)

    @torch.no_grad()
    def score(self) -> Figures | None:
        pictures = self._validation
        if pictures is None or self._scorer is None:
            return None
        self.network.eval()
        order = batches_of(np.arange(len(pictures)), SCORE_BATCH)
        total = 0.0
        answers: list[NDArray[np.float32]] = []
        geometries: list[Geometry] = []
        for batch in pictures.store.batches(order, ()):
            raw = self._raw(batch.pixels)
            total += float(box_loss(raw, batch.truth.to(self.device), self._cells)) * len(batch.pixels)
            answers.append(answer_of(raw).cpu().numpy())
            geometries += batch.geometries
        return Figures(total / len(pictures), ap50=self._scorer.ap50(answers, geometries))

    def _learn(self, batch: BoxBatch) -> float:
        pixels = batch.pixels.to(self.device)
        raw = self.run(self._images(self._augment(pixels) if self._augment else pixels))
        loss = box_loss(raw, batch.truth.to(self.device), self._cells)
        self.step(loss)
        return float(loss.detach())

    def _raw(self, pixels: Tensor) -> Tensor:
        with self.arithmetic():
            raw: Tensor = self._detector.raw(self._images(pixels.to(self.device)))
        return raw.float()

    def _images(self, pixels: Tensor) -> Tensor:
        return self._values(pixels).contiguous(memory_format=torch.channels_last)
