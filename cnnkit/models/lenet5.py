"""LeNet-5 (LeCun et al. 1998), with every map of the third layer joined to all of the second."""

from torch import Tensor, nn

from cnnkit.models._layers import after

__all__ = ["LeNet5"]


class LeNet5(nn.Module):
    """conv 6 5x5, average pool 2, conv 16 5x5, average pool 2, dense 120, 84, `classes`; tanh between."""

    def __init__(self, classes: int = 10, *, channels: int = 1, size: int = 32) -> None:
        super().__init__()
        side = size
        for _ in range(2):
            side = after(after(side, kernel=5), kernel=2, stride=2)
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, kernel_size=5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.Tanh(),
            nn.AvgPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * side * side, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x))
        return logits
