"""The small detector: no anchors, two grids, its own branch for classes and for boxes, YOLOX's output."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Detector", "answer_of"]

WIDTH = 64  # channels of both grids' features
BRANCH = 48  # and of the branches
RARE = -4.6  # log-odds that a cell starts with: one in a hundred holds an object


def _unit(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def answer_of(raw: Tensor) -> Tensor:
    """(N, cells, 5 + classes): log-odds become probabilities, boxes stay."""
    return torch.cat([raw[..., :4], raw[..., 4:].sigmoid()], dim=2)


class Detector(nn.Module):
    """Finds objects on grids of strides 8 and 16; every cell says what is there, how surely, and where.

    A backbone of padded 3x3 convolutions with batch norm and ReLU halves the picture (N, channels, size, size) four
    times. The coarse features, enlarged to the fine grid, are added to those there. Both grids go through the same
    branches: two convolutions for classes, two for boxes and objectness.

    `raw` gives (N, cells, 5 + classes) float32, cells row by row, the fine grid first. With the cell (column, row)
    of a grid of stride s the five are x, y, w, h and the log-odds of an object; the centre of the box is
    ((x + column) s, (y + row) s), its size (s e^w, s e^h), in input pixels. Then the log-odds of each class, given an
    object. `forward` is `raw` while training; otherwise log-odds have become probabilities, which is what the
    decoder `yolox` reads.

    References: Ge et al. 2021, arXiv:2107.08430 (YOLOX: branches and output); Tian et al. 2019, arXiv:1904.01355
    (FCOS: cells instead of anchors); Lin et al. 2017, arXiv:1612.03144 (features from coarse to fine).
    """

    strides = (8, 16)

    def __init__(self, classes: int = 10, *, channels: int = 3, size: int = 128) -> None:
        super().__init__()
        if size % self.strides[-1]:
            raise ValueError(f"its input is a multiple of {self.strides[-1]} pixels, got {size}")
        self.stem = nn.Sequential(_unit(channels, 16, stride=2), _unit(16, 32, stride=2), _unit(32, 32))
        self.fine = nn.Sequential(_unit(32, WIDTH, stride=2), _unit(WIDTH, WIDTH))
        self.coarse = _unit(WIDTH, WIDTH, stride=2)
        self.class_branch = nn.Sequential(_unit(WIDTH, BRANCH), _unit(BRANCH, BRANCH))
        self.box_branch = nn.Sequential(_unit(WIDTH, BRANCH), _unit(BRANCH, BRANCH))
        self.boxes = nn.Conv2d(BRANCH, 4, kernel_size=1)
        self.objects = nn.Conv2d(BRANCH, 1, kernel_size=1)
        self.classes = nn.Conv2d(BRANCH, classes, kernel_size=1)
        self._start()

    def forward(self, x: Tensor) -> Tensor:
        raw = self.raw(x)
        return raw if self.training else answer_of(raw)

    def raw(self, x: Tensor) -> Tensor:
        fine = self.fine(self.stem(x))
        coarse = self.coarse(fine)
        fine = fine + F.interpolate(coarse, scale_factor=2.0, mode="nearest")
        return torch.cat([self._cells(fine), self._cells(coarse)], dim=1)

    def _cells(self, features: Tensor) -> Tensor:
        """(N, WIDTH, h, w) to (N, h * w, 5 + classes)."""
        boxes = self.box_branch(features)
        maps = [self.boxes(boxes), self.objects(boxes), self.classes(self.class_branch(features))]
        return torch.cat(maps, dim=1).flatten(2).transpose(1, 2)

    def _start(self) -> None:
        """He's rule; boxes of two cells around the middle of each, objects rare, classes equally likely."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        for last in (self.boxes, self.objects, self.classes):
            nn.init.normal_(last.weight, std=0.01)
        self.boxes.bias = nn.Parameter(torch.tensor([0.5, 0.5, 0.7, 0.7]))
        self.objects.bias = nn.Parameter(torch.tensor([RARE]))
        others = self.classes.out_channels - 1
        self.classes.bias = nn.Parameter(torch.full((others + 1,), -math.log(max(others, 1))))
