"""The improved CIFAR-10 network: padded convolutions in pairs, batch norm, pools."""

from torch import Tensor, nn

from cnnkit.models._layers import after

__all__ = ["CifarImproved"]


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, kernel_size=3, padding=1), nn.ReLU(), nn.BatchNorm2d(outputs)]
    return [*layers, nn.MaxPool2d(2)]


class CifarImproved(nn.Module):
    """Three blocks of (3x3 convolution, ReLU, batch norm) twice and max-pool: 32, 64, 128; then dense 1024.

    Dropout 0.5 before the dense layer, 0.2 after it. In the course dropout stays on at evaluation and the test
    images are augmented too. Here both end with training: dropout is a layer, and only training augments.
    """

    def __init__(self, classes: int = 10, *, channels: int = 3, size: int = 32) -> None:
        super().__init__()
        side = size
        for _ in range(3):
            side = after(side, kernel=2, stride=2)
        self.features = nn.Sequential(*_block(channels, 32), *_block(32, 64), *_block(64, 128))
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(128 * side * side, 1024),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(1024, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x))
        return logits
