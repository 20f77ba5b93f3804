"""AlexNet as the paper prints it (Krizhevsky et al. 2012): 96 first filters, two columns, response normalisation."""

import torch
from torch import Tensor, nn

__all__ = ["AlexNetPaper"]


def _normalise() -> nn.Module:
    # the paper's alpha of 1e-4 stands before the plain sum of 5 squares; torch divides the sum by 5 first
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


class AlexNetPaper(nn.Module):
    """The first convolution makes 55x55x96 of 224x224x3. `groups=2` are the paper's two columns."""

    def __init__(self, classes: int = 1000, *, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, kernel_size=11, stride=4, padding=2),
            nn.ReLU(),
            _normalise(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(96, 256, kernel_size=5, padding=2, groups=2),
            nn.ReLU(),
            _normalise(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(256, 384, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 384, kernel_size=3, padding=1, groups=2),
            nn.ReLU(),
            nn.Conv2d(384, 256, kernel_size=3, padding=1, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, classes),
        )
        self._initialise()

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        logits: Tensor = self.classifier(torch.flatten(x, 1))
        return logits

    def _initialise(self) -> None:
        """Weights N(0, 0.01); biases 1 in convolutions 2, 4, 5 and the hidden dense layers, else 0 (section 5)."""
        layers = [layer for layer in self.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        for at, layer in enumerate(layers):
            nn.init.normal_(layer.weight, std=0.01)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 1.0 if at in (1, 3, 4, 5, 6) else 0.0)
