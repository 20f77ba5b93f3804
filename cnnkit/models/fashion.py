"""The Fashion-MNIST network: strides in place of pools."""

from itertools import pairwise

from torch import Tensor, nn

from cnnkit.models._layers import after

__all__ = ["Fashion"]


class Fashion(nn.Module):
    """Stride-2 convolutions 32, 64, 128 (3x3, ReLU), dropout 0.2, dense 512 ReLU, dropout 0.2, dense `classes`."""

    def __init__(self, classes: int = 10, *, channels: int = 1, size: int = 28) -> None:
        super().__init__()
        widths = (channels, 32, 64, 128)
        layers: list[nn.Module] = []
        side = size
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, kernel_size=3, stride=2), nn.ReLU()]
            side = after(side, kernel=3, stride=2)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(128 * side * side, 512),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(512, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x))
        return logits
