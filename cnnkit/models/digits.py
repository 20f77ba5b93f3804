"""The course's first network: scikit-learn's 8x8 digits by one convolution and two dense layers."""

from torch import Tensor, nn
from torch.nn import functional as F

from cnnkit.models._layers import after, initialise

__all__ = ["Digits"]


class Digits(nn.Module):
    """conv 10 3x3 pad 1, ReLU, max-pool 2, dense 100 ReLU, dense `classes`; weights and biases start as N(0, 0.1)."""

    def __init__(self, classes: int = 10, *, channels: int = 1, size: int = 8, initial: str | float = 0.1) -> None:
        super().__init__()
        side = after(size, kernel=2, stride=2)
        self.conv = nn.Conv2d(channels, 10, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.dense = nn.Linear(10 * side * side, 100)
        self.out = nn.Linear(100, classes)
        initialise(self, initial, bias=0.1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv(x)))
        x = F.relu(self.dense(x.flatten(1)))
        logits: Tensor = self.out(x)
        return logits
