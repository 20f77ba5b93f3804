"""MobileNetV3-small (Howard et al. 2019, arXiv:1905.02244, table 2) with random weights."""

from torch import Tensor, nn

# kernel, expanded, out, squeeze-and-excite, hard swish, stride
BLOCKS = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)


def make() -> nn.Module:
    layers: list[nn.Module] = [_conv(3, 16, 3, stride=2, act=nn.Hardswish())]
    channels = 16
    for block in BLOCKS:
        layers.append(_Bottleneck(channels, *block))
        channels = block[2]
    layers += [_conv(channels, 576, 1, act=nn.Hardswish()), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(576, 1024), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(1024, 1000))


def _conv(
    inside: int, outside: int, kernel: int, *, stride: int = 1, groups: int = 1, act: nn.Module | None = None
) -> nn.Module:
    conv = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outside), act or nn.Identity())


class _SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(8, channels // 4 // 8 * 8)
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            nn.ReLU(),
            nn.Conv2d(squeezed, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weigh(x)


class _Bottleneck(nn.Module):
    def __init__(
        self, inside: int, kernel: int, wide: int, outside: int, excite: bool, hard: bool, stride: int
    ) -> None:
        super().__init__()
        act = nn.Hardswish() if hard else nn.ReLU()
        layers = [_conv(inside, wide, 1, act=act)] if wide != inside else []
        layers.append(_conv(wide, wide, kernel, stride=stride, groups=wide, act=act))
        layers += [_SqueezeExcite(wide)] if excite else []
        layers.append(_conv(wide, outside, 1))
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return x + out if self.shortcut else out
