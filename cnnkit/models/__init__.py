"""PyTorch networks by name: those of the course, the published ones as torchvision has them, and a small detector."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cnnkit.errors import MachineError, UsageError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NETWORKS", "NaturalInput", "Network", "create", "names", "network"]


@dataclass(frozen=True, slots=True)
class NaturalInput:
    """The images that a network was drawn for. `size` is height and width in pixels.

    `values` says what becomes of a pixel: `unit` x / 255; `standard` that, less one mean and over one standard
    deviation of the training part; `imagenet` and `tf` as the presets of these names.
    """

    channels: Literal["RGB", "GRAY"]
    size: int
    values: Literal["unit", "standard", "imagenet", "tf"] = "unit"


@dataclass(frozen=True, slots=True)
class Network:
    """Where a network is built, and how it was meant to be fed and trained.

    `fixed`: it fits one image shape, so the builder takes `channels` and `size`. `initial`: it takes that, how its
    weights are drawn. `strides` are those of a detector's grids, whose output the decoder `yolox` reads.
    """

    module: str
    builder: str
    input: NaturalInput
    fixed: bool = False
    initial: bool = False
    recipe: Mapping[str, Any] = field(default_factory=dict)
    strides: tuple[int, ...] = ()

    @property
    def task(self) -> Literal["classification", "detection"]:
        return "detection" if self.strides else "classification"


_PHOTO = NaturalInput("RGB", 224, "imagenet")
_BY_SGD = {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9, "l2": 1e-4}


def _course(module: str, builder: str, natural: NaturalInput, *, initial: bool = False, **recipe: Any) -> Network:
    return Network(module, builder, natural, fixed=True, initial=initial, recipe=recipe)


def _photo(module: str, builder: str, natural: NaturalInput = _PHOTO) -> Network:
    return Network(module, builder, natural, recipe=_BY_SGD)


NETWORKS: dict[str, Network] = {
    "digits": _course(
        "digits",
        "Digits",
        NaturalInput("GRAY", 8, "standard"),
        initial=True,
        optimizer="adagrad",
        lr=0.01,
        batch_size=8,
        epochs=50,
    ),
    "simple_convnet": _course(
        "simple_convnet", "SimpleConvNet", NaturalInput("GRAY", 28), initial=True, batch_size=100
    ),
    "keras_mnist": _course("keras_mnist", "KerasMnist", NaturalInput("GRAY", 28)),
    "fashion": _course("fashion", "Fashion", NaturalInput("GRAY", 28)),
    "cifar": _course("cifar", "Cifar", NaturalInput("RGB", 32)),
    "cifar_improved": _course("cifar_improved", "CifarImproved", NaturalInput("RGB", 32)),
    "lenet5": _course("lenet5", "LeNet5", NaturalInput("GRAY", 32)),
    "detector": Network(
        "detector",
        "Detector",
        NaturalInput("RGB", 128),
        fixed=True,
        recipe={"optimizer": "adamw", "lr": 0.004, "schedule": "cosine", "warmup": 1.0, "l2": 0.05, "batch_size": 8},
        strides=(8, 16),
    ),
    "alexnet": _photo("alexnet", "AlexNet"),
    "alexnet_paper": _photo("alexnet_paper", "AlexNetPaper"),
    "vgg11": _photo("vgg", "vgg11"),
    "vgg11_bn": _photo("vgg", "vgg11_bn"),
    "vgg13": _photo("vgg", "vgg13"),
    "vgg13_bn": _photo("vgg", "vgg13_bn"),
    "vgg16": _photo("vgg", "vgg16"),
    "vgg16_bn": _photo("vgg", "vgg16_bn"),
    "vgg19": _photo("vgg", "vgg19"),
    "vgg19_bn": _photo("vgg", "vgg19_bn"),
    # torchvision feeds ImageNet's values and turns them into these inside the network (`transform_input`)
    "googlenet": _photo("googlenet", "GoogLeNet", NaturalInput("RGB", 224, "tf")),
    "resnet18": _photo("resnet", "resnet18"),
    "resnet34": _photo("resnet", "resnet34"),
    "resnet50": _photo("resnet", "resnet50"),
    "resnet101": _photo("resnet", "resnet101"),
    "resnet152": _photo("resnet", "resnet152"),
}


def names() -> list[str]:
    return list(NETWORKS)


def network(name: str) -> Network:
    if name not in NETWORKS:
        raise UsageError(f"there is no network {name!r}; cnnkit has {', '.join(NETWORKS)}")
    return NETWORKS[name]


def create(name: str, classes: int = 1000, **arguments: Any) -> "nn.Module":
    """Build a network with fresh weights from torch's random generator. `arguments` are those of its builder.

    In training mode a network with auxiliary heads returns a tuple: the logits, then each head's logits.
    A detector returns (N, cells, 5 + classes) float32. Every other output is the logits, (N, classes) float32.
    """
    entry = network(name)
    try:
        module = importlib.import_module(f"{__name__}.{entry.module}")
    except ImportError as error:
        raise MachineError(f'networks need torch ({error}). Install: pip install "cnnkit[train]".') from error
    built: nn.Module = getattr(module, entry.builder)(classes=classes, **arguments)
    return built
