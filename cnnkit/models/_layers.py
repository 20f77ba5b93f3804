"""What several networks share: initial weights, the size of a feature map, convolutions in place of pools."""

from itertools import pairwise

from torch import nn

__all__ = ["after", "initialise", "start_kaiming", "strided_features"]


def after(size: int, *, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Side of the feature map that a convolution or pool makes of one of side `size`.

    >>> after(224, kernel=11, stride=4, padding=2)
    55
    """
    side = (size - kernel + 2 * padding) // stride + 1
    if side < 1:
        raise ValueError(f"a kernel of {kernel} does not fit a feature map of {size}x{size}: use larger images")
    return side


def strided_features(channels: int, size: int) -> tuple[nn.Sequential, int]:
    """Stride-2 convolutions 32, 64, 128 (3x3, ReLU) on images of side `size`; and how many features they give."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((channels, 32, 64, 128)):
        layers += [nn.Conv2d(inputs, outputs, kernel_size=3, stride=2), nn.ReLU()]
        size = after(size, kernel=3, stride=2)
    return nn.Sequential(*layers), 128 * size * size


def initialise(network: nn.Module, scheme: str | float, *, bias: float = 0.0) -> None:
    """Draw the weights of every convolution and dense layer; biases N(0, bias).

    `scheme`: `he` N(0, sqrt(2 / fan in)), `xavier` N(0, sqrt(2 / (fan in + fan out))), or a standard deviation.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            _draw(layer, scheme)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=bias) if bias else nn.init.zeros_(layer.bias)


def _draw(layer: nn.Conv2d | nn.Linear, scheme: str | float) -> None:
    if scheme == "he":
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    elif scheme == "xavier":
        nn.init.xavier_normal_(layer.weight)
    elif isinstance(scheme, str):
        raise ValueError(f"initial weights {scheme!r} are unknown: use he, xavier or a standard deviation such as 0.01")
    else:
        nn.init.normal_(layer.weight, std=scheme)


def start_kaiming(network: nn.Module) -> None:
    """Convolutions by He's rule over their outputs, batch norms at 1 and 0, as torchvision starts VGG and ResNet."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)
