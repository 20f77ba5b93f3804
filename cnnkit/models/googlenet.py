"""GoogLeNet (Szegedy et al. 2014, arXiv:1409.4842) with torchvision's names and shapes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["GoogLeNet"]


class BasicConv2d(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """1x1, 3x3, a second 3x3 (5x5 in the paper; torchvision's weights are 3x3) and a pool, side by side."""

    def __init__(self, inputs: int, one: int, three_in: int, three: int, five_in: int, five: int, pooled: int) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(inputs, one, kernel=1)
        self.branch2 = nn.Sequential(
            BasicConv2d(inputs, three_in, kernel=1), BasicConv2d(three_in, three, kernel=3, padding=1)
        )
        self.branch3 = nn.Sequential(
            BasicConv2d(inputs, five_in, kernel=1), BasicConv2d(five_in, five, kernel=3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1), BasicConv2d(inputs, pooled, kernel=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class Auxiliary(nn.Module):
    """A head halfway up, whose loss is added with a weight of 0.3 while training."""

    def __init__(self, inputs: int, classes: int, *, dropout: float = 0.7) -> None:
        super().__init__()
        self.conv = BasicConv2d(inputs, 128, kernel=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4)))
        x = self.dropout(F.relu(self.fc1(torch.flatten(x, 1))))
        logits: Tensor = self.fc2(x)
        return logits


class GoogLeNet(nn.Module):
    """Nine inception blocks. Training returns (logits, upper head, lower head), otherwise the logits alone.

    The auxiliary heads are part of the state dict, as in torchvision's file, and of no graph made in `eval()`.
    """

    def __init__(self, classes: int = 1000, *, dropout: float = 0.2, dropout_aux: float = 0.7) -> None:
        super().__init__()
        self.conv1 = BasicConv2d(3, 64, kernel=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, kernel=1)
        self.conv3 = BasicConv2d(64, 192, kernel=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = Auxiliary(512, classes, dropout=dropout_aux)
        self.aux2 = Auxiliary(528, classes, dropout=dropout_aux)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, classes)
        self._initialise()

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        lower = self.inception4a(x)
        upper = self.inception4d(self.inception4c(self.inception4b(lower)))
        x = self.maxpool4(self.inception4e(upper))
        x = self.inception5b(self.inception5a(x))
        logits: Tensor = self.fc(self.dropout(torch.flatten(self.avgpool(x), 1)))
        return (logits, self.aux2(upper), self.aux1(lower)) if self.training else logits

    def _initialise(self) -> None:
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.01)
