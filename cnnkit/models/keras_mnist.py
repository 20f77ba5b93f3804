"""The Keras-style network for 28x28 pictures, 'same' padding throughout."""

from torch import Tensor, nn

from cnnkit.models._layers import after

__all__ = ["KerasMnist"]


def _conv(inputs: int, outputs: int, kernel: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU()


class KerasMnist(nn.Module):
    """64 7x7, pool, 128 3x3 twice, pool, 256 3x3 twice, pool, dense 128, dropout 0.5, dense `classes`."""

    def __init__(self, classes: int = 10, *, channels: int = 1, size: int = 28) -> None:
        super().__init__()
        side = size
        for _ in range(3):
            side = after(side, kernel=2, stride=2)
        self.features = nn.Sequential(
            *_conv(channels, 64, 7),
            nn.MaxPool2d(2),
            *_conv(64, 128, 3),
            *_conv(128, 128, 3),
            nn.MaxPool2d(2),
            *_conv(128, 256, 3),
            *_conv(256, 256, 3),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(256 * side * side, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x))
        return logits
