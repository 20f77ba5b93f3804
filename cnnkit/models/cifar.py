"""The plain CIFAR-10 network."""

from torch import Tensor, nn

from cnnkit.models._layers import strided_features

__all__ = ["Cifar"]


class Cifar(nn.Module):
    """Stride-2 convolutions 32, 64, 128 (3x3, ReLU), dropout 0.5, dense 1024 ReLU, dropout 0.2, dense `classes`.

    The course calls `F.dropout` without saying whether it trains, which leaves dropout on when the network is
    scored. A dropout layer follows `eval()`.
    """

    def __init__(self, classes: int = 10, *, channels: int = 3, size: int = 32) -> None:
        super().__init__()
        self.features, n_features = strided_features(channels, size)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(n_features, 1024),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(1024, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x))
        return logits
