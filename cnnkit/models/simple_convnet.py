"""SimpleConvNet: MNIST by one convolution, one pool and two dense layers."""

from torch import Tensor, nn
from torch.nn import functional as F

from cnnkit.models._layers import after, initialise

__all__ = ["SimpleConvNet"]


class SimpleConvNet(nn.Module):
    """conv 30 5x5, ReLU, max-pool 2, affine 100, ReLU, affine `classes`; `initial` is 0.01, `he` or `xavier`."""

    def __init__(self, classes: int = 10, *, channels: int = 1, size: int = 28, initial: str | float = 0.01) -> None:
        super().__init__()
        side = after(after(size, kernel=5), kernel=2, stride=2)
        self.conv1 = nn.Conv2d(channels, 30, kernel_size=5)
        self.pool = nn.MaxPool2d(2)
        self.affine1 = nn.Linear(30 * side * side, 100)
        self.affine2 = nn.Linear(100, classes)
        initialise(self, initial)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = F.relu(self.affine1(x.flatten(1)))
        logits: Tensor = self.affine2(x)
        return logits
