"""VGG (Simonyan and Zisserman 2014, arXiv:1409.1556) with and without batch norm; torchvision's names and shapes."""

import torch
from torch import Tensor, nn

from cnnkit.models._layers import start_kaiming

__all__ = ["VGG", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"]

WIDTHS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # of each block


class VGG(nn.Module):
    """Five blocks of 3x3 convolutions, each ended by a pool, then three dense layers; `depth` counts the layers."""

    def __init__(self, depth: int, classes: int = 1000, *, batch_norm: bool = False, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = _features(depth, batch_norm=batch_norm)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, classes),
        )
        start_kaiming(self)
        for layer in self.classifier:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        logits: Tensor = self.classifier(torch.flatten(x, 1))
        return logits


def _features(depth: int, *, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = 3
    for width, count in zip(WIDTHS, CONVOLUTIONS[depth], strict=True):
        for _ in range(count):
            layers.append(nn.Conv2d(inputs, width, kernel_size=3, padding=1))
            layers += [nn.BatchNorm2d(width), nn.ReLU()] if batch_norm else [nn.ReLU()]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def vgg11(classes: int = 1000, *, dropout: float = 0.5) -> VGG:
    return VGG(11, classes, dropout=dropout)


def vgg11_bn(classes: int = 1000, *, dropout: float = 0.5) -> VGG:
    return VGG(11, classes, batch_norm=True, dropout=dropout)


def vgg13(classes: int = 1000, *, dropout: float = 0.5) -> VGG:
    return VGG(13, classes, dropout=dropout)


def vgg13_bn(classes: int = 1000, *, dropout: float = 0.5) -> VGG:
    return VGG(13, classes, batch_norm=True, dropout=dropout)


def vgg16(classes: int = 1000, *, dropout: float = 0.5) -> VGG:
    return VGG(16, classes, dropout=dropout)


def vgg16_bn(classes: int = 1000, *, dropout: float = 0.5) -> VGG:
    return VGG(16, classes, batch_norm=True, dropout=dropout)


def vgg19(classes: int = 1000, *, dropout: float = 0.5) -> VGG:
    return VGG(19, classes, dropout=dropout)


def vgg19_bn(classes: int = 1000, *, dropout: float = 0.5) -> VGG:
    return VGG(19, classes, batch_norm=True, dropout=dropout)
