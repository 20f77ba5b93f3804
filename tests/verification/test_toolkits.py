"""timm and torchvision by name: stand-in modules with the real functions, classes and fields."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnkit.errors import ModelError
from cnnkit.spec import CenterCrop, ClassName, Normalize, Rescale, Resize
from cnnkit.verification import forward, open_source

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CONFIG = {
    "input_size": (3, 32, 32), "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center", "mean": MEAN,
    "std": STD, "num_classes": 1000,
}  # fmt: skip


class Net(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(3, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.mean((2, 3)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put both toolkits in place; what they were asked for is kept."""
    kept: dict[str, Any] = {}

    def create_model(name: str, *, pretrained: bool) -> nn.Module:
        kept.update(name=name, pretrained=pretrained)
        if name == "unknown":
            raise RuntimeError("Unknown model (unknown)")
        made: Any = Net(1000)
        made.pretrained_cfg = CONFIG
        return made

    class ImageNetInfo:
        def index_to_description(self, at: int) -> str:
            return f"words {at}"

        def index_to_label_name(self, at: int) -> str:
            return f"n{at:08d}"

    timm: Any = ModuleType("timm")
    timm.create_model, timm.__version__ = create_model, "1.0.0"
    timm.data = SimpleNamespace(ImageNetInfo=ImageNetInfo)
    monkeypatch.setitem(sys.modules, "timm", timm)

    preset = type("ImageClassification", (), {"__module__": "torchvision.transforms._presets"})()
    preset.__dict__.update(
        crop_size=[32], resize_size=[36], mean=MEAN, std=STD, interpolation="bilinear", antialias=True
    )
    best = SimpleNamespace(transforms=lambda: preset, meta={"categories": ["tench", "goldfish"]})

    def get_model(name: str, *, weights: Any) -> nn.Module:
        kept.update(name=name, weights=weights)
        return Net(2)

    torchvision: Any = ModuleType("torchvision")
    torchvision.models = SimpleNamespace(
        get_model=get_model, get_model_weights=lambda name: SimpleNamespace(DEFAULT=best), __name__="torchvision.models"
    )
    torchvision.__version__ = "0.24"
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)
    return kept


def test_timm_brings_preprocessing_and_names(asked: dict[str, Any]) -> None:
    source = open_source("timm:resnet18.a1_in1k")
    assert asked == {"name": "resnet18.a1_in1k", "pretrained": True}
    assert source.found is not None
    assert source.found.preprocess == (
        Resize(size=35, filter="bicubic"),
        CenterCrop(size=(32, 32)),
        Rescale(scale=1 / 255),
        Normalize(mean=MEAN, std=STD),
    )
    assert source.found.classes is not None
    assert source.found.classes[1] == ClassName(name="words 1", aliases=("n00000001",))
    assert source.name == "resnet18.a1_in1k"
    assert not source.module.training


def test_timm_with_weights_of_ones_own_fetches_none(asked: dict[str, Any], tmp_path: Path) -> None:
    state = Net(1000).state_dict()
    torch.save(state, tmp_path / "w.pth")
    source = open_source("timm:resnet18", weights=tmp_path / "w.pth")
    assert asked["pretrained"] is False
    assert torch.equal(source.module.state_dict()["head.bias"], state["head.bias"])
    assert source.found is not None
    assert source.found.classes is None


def test_timm_does_not_know_it(asked: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"timm:unknown: timm cannot make it: Unknown model"):
        open_source("timm:unknown")


def test_torchvision_brings_preprocessing_and_names(asked: dict[str, Any]) -> None:
    source = open_source("torchvision:resnet18")
    assert asked["weights"] is not None
    assert source.found is not None
    assert source.found.preprocess == (
        Resize(size=36), CenterCrop(size=(32, 32)), Rescale(scale=1 / 255), Normalize(mean=MEAN, std=STD),
    )  # fmt: skip
    assert source.found.classes == (ClassName(name="tench"), ClassName(name="goldfish"))
    assert source.facts == {"toolkit": "torchvision", "version": "0.24"}
    assert forward(source.module, np.zeros((1, 3, 4, 4), np.float32))[0].shape == (1, 2)
