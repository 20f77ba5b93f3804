"""The Fashion-MNIST network: strides in place of pools."""

from torch import Tensor, nn

from cnnkit.models._layers import strided_features

__all__ = ["Fashion"]


class Fashion(nn.Module):
    """Stride-2 convolutions 32, 64, 128 (3x3, ReLU), dropout 0.2, dense 512 ReLU, dropout 0.2, dense `classes`."""

    def __init__(self, classes: int = 10, *, channels: int = 1, size: int = 28) -> None:
        super().__init__()
        self.features, n_features = strided_features(channels, size)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(n_features, 512),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(512, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x))
        return logits
