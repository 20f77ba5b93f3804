import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cnnkit import models
from cnnkit.errors import ModelError, UsageError
from cnnkit.exporting._spec import describe
from cnnkit.spec import CenterCrop, ClassName, DetectionOutput, Normalize, Rescale, Resize, ToGray
from cnnkit.verification import Source


class Net(nn.Module):
    def __init__(self, classes: int = 3, channels: int = 3, *, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3)
        self.head = nn.Linear(4, classes)
        self.activation = activation or nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.head(self.conv(x).mean((2, 3))))


def source(module: nn.Module | None = None, **facts: Any) -> Source:
    return Source(module or Net(), "net", "mine:make", **facts)


def transform(size: int = 16) -> Any:
    """Resize and ToTensor under their real names."""
    resize = type("Resize", (), {"__module__": "torchvision.transforms.transforms"})()
    resize.__dict__.update(size=(size, size), interpolation="bilinear", max_size=None, antialias=True)
    return [resize, type("ToTensor", (), {"__module__": "torchvision.transforms.transforms"})()]


def test_a_transform_says_it_all() -> None:
    found = describe(source(), transform=transform(), classes=["a", "b", "c"])
    assert found.spec.preprocess == (Resize(size=(16, 16), mode="exact"), Rescale(scale=1 / 255))
    assert (found.spec.input.size, found.spec.input.channels) == ((16, 16), "RGB")
    assert found.spec.names == ["a", "b", "c"]
    assert (found.spec.output.name, found.notes) == ("logits", ())


def test_a_preset_for_one_channel() -> None:
    spec = describe(source(Net(channels=1)), preset="imagenet", imgsz=(28, 28)).spec
    assert spec.input.channels == "GRAY"
    assert spec.preprocess[:3] == (ToGray(), Resize(size=32), CenterCrop(size=(28, 28)))


def test_bgr_presets_and_single_flags() -> None:
    spec = describe(source(), preset="yolox", imgsz=(32, 32)).spec
    assert spec.input.channels == "BGR"
    spec = describe(source(), preset="imagenet", imgsz=(32, 32), mean=(0.5, 0.5, 0.5), std=(0.5,)).spec
    assert spec.value_operations == (Rescale(scale=1 / 255), Normalize(mean=(0.5,) * 3, std=(0.5,) * 3))


def test_names_are_numbers_when_there_are_none() -> None:
    found = describe(source(), preset="imagenet", imgsz=(32, 32))
    assert found.spec.names == ["0", "1", "2"]
    assert found.notes == ("It has no class names (--labels FILE gives them); they are 0 to 2.",)


def test_probabilities_are_told_from_logits() -> None:
    found = describe(source(Net(activation=nn.Softmax(1))), preset="imagenet", imgsz=(32, 32), labels=None)
    assert found.spec.output.activation == "none"  # type: ignore[union-attr]
    assert "taken as probabilities" in found.notes[-1]


def test_a_background_in_the_labels(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("background\ncat\ndog\n")
    spec = describe(source(), preset="imagenet", imgsz=(32, 32), labels=tmp_path / "names.txt").spec
    assert spec.output.background is True  # type: ignore[union-attr]
    assert spec.names == ["cat", "dog"]


def test_a_network_knows_its_own_input() -> None:
    module = models.create("lenet5", 4, channels=1, size=32)
    spec = describe(source(module, network="lenet5", shape=(1, 32, 32))).spec
    assert spec.preprocess == (ToGray(), Resize(size=(32, 32), mode="exact"), Rescale(scale=1 / 255))


def test_a_detector_needs_names_and_a_decoder(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 7, 1), nn.Flatten(2))
    with pytest.raises(UsageError, match=r"gives \(1, 7, 1024\), and scores \(N, classes\) were expected.*--decoder"):
        describe(source(module), preset="yolox", imgsz=(32, 32))
    with pytest.raises(UsageError, match="a detector needs the names of its classes"):
        describe(source(module), preset="yolox", imgsz=(32, 32), decoder="yolox")
    spec = describe(source(module), preset="yolox", imgsz=(32, 32), decoder="yolox", classes=["a", "b"]).spec
    assert isinstance(spec.output, DetectionOutput)
    assert spec.task == "detection"


def test_aliases_go_through() -> None:
    names = [ClassName(name="a", aliases=("n1",)), "b", "c"]
    assert describe(source(), preset="tf", imgsz=(8, 8), classes=names).spec.classes[0].aliases == ("n1",)


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({}, UsageError, r"mine:make: nothing says how an image is prepared for it\. Give --transform"),
    ({"preset": "imagenet"}, UsageError, r"the size of its input is not known\. Give --imgsz 224"),
    ({"preset": "imagnet", "imgsz": (8, 8)}, UsageError, "no preset 'imagnet'"),
    (
        {"preset": "tf", "imgsz": (8, 8), "classes": ["a"]},
        UsageError,
        "gives 3 scores, and there are 1 class names. Give",
    ),
    (
        {"preset": "tf", "imgsz": (8, 8), "classes": ["a", "b"]},
        UsageError,
        "If output 0 is a background .* --background",
    ),
    ({"preset": "tf", "imgsz": (1, 1)}, ModelError, r"does not run on an image \(1, 3, 1, 1\): RuntimeError"),
    ({"spec": Path("gone.json")}, ModelError, r"gone\.json: No such file"),
]


@pytest.mark.parametrize(("options", "kind", "sentence"), WRONG, ids=[sentence[:25] for _, _, sentence in WRONG])
def test_what_is_missing_is_asked_for(options: dict[str, Any], kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        describe(source(), **options)


def test_an_image_has_one_or_three_channels() -> None:
    with pytest.raises(UsageError, match="takes 4 channels; images have 1 or 3"):
        describe(source(Net(channels=4)), preset="tf", imgsz=(8, 8))


SPEC = {
    "schema": 1,
    "task": "classification",
    "input": {"size": [16, 16]},
    "preprocess": [{"op": "resize", "size": [16, 16], "mode": "exact"}, {"op": "rescale", "scale": 1 / 255}],
    "output": {"name": "logits"},
    "classes": [{"name": name} for name in "abc"],
}


def test_a_spec_as_a_file_a_name_of_one_and_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(SPEC))
    found = [describe(source(), spec=given).spec for given in (path, str(path), SPEC)]
    assert found[0].names == ["a", "b", "c"]
    assert found[0] == found[1] == found[2]


def test_labels_fill_a_spec_without_classes(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("owl\ncrow\nrobin\n")
    bare = {name: value for name, value in SPEC.items() if name != "classes"}
    for given in (bare, {**bare, "classes": []}):
        assert describe(source(), spec=given, labels=labels).spec.names == ["owl", "crow", "robin"]
    with pytest.raises(ModelError, match=r"the spec: .*classes"):
        describe(source(), spec=bare)


class ByHand(Net):
    """Activations in arithmetic, where no operator has their name."""

    def __init__(self, kind: str, classes: int = 3) -> None:
        super().__init__(classes)
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = super().forward(x)
        powers = torch.exp(logits)
        return powers / powers.sum(1, keepdim=True) if self.kind == "softmax" else powers / (1 + powers)


@pytest.mark.parametrize("fixed_batch", [None, 1, 3])
def test_a_softmax_written_out_is_told_from_logits(fixed_batch: int | None) -> None:
    found = describe(source(ByHand("softmax"), fixed_batch=fixed_batch), preset="imagenet", imgsz=(16, 16))
    assert found.spec.output.activation == "none"  # type: ignore[union-attr]
    assert found.notes[-1].startswith("Its output adds up to 1 on 8 images (crops of scikit-learn's china.jpg")


@pytest.mark.parametrize("module", [Net(activation=nn.Sigmoid()), ByHand("sigmoid"), ByHand("sigmoid", classes=1)])
def test_a_sigmoid_inside_gets_no_softmax_on_top(module: nn.Module) -> None:
    found = describe(source(module), preset="imagenet", imgsz=(16, 16))
    assert found.spec.output.activation == "none"  # type: ignore[union-attr]
    assert "as after a sigmoid: each value is taken as the score of its class" in found.notes[-1]
    told = describe(source(module), preset="imagenet", imgsz=(16, 16), activation="sigmoid")
    assert told.spec.output.activation == "sigmoid"  # type: ignore[union-attr]
    assert len(told.notes) == len(found.notes) - 1


class Pooled(nn.Module):
    """A convolution to classes, averaged, and a bias of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 3, 1)
        self.more = nn.Parameter(torch.zeros(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(self.head(x), 1).flatten(1) + self.more


@pytest.mark.parametrize("module", [Net(), Pooled()])
def test_logits_that_lie_between_0_and_1_by_chance_are_logits(module: Any) -> None:
    with torch.no_grad():
        module.head.weight.mul_(1e-3)
        module.head.bias.copy_(torch.tensor([0.2, 0.5, 0.9]))
    found = describe(source(module), preset="imagenet", imgsz=(16, 16))
    assert found.spec.output.activation == "softmax"  # type: ignore[union-attr]
    assert len(found.notes) == 1


def test_a_resize_that_leaves_a_side_open_is_refused() -> None:
    short = transform()
    short[0].size = 36
    with pytest.raises(UsageError, match=r"short side to 36, .* long side open, and the input takes 36x36"):
        describe(source(), transform=short, imgsz=(36, 36))
    open_side = {**SPEC, "preprocess": [{"op": "resize", "size": 16}, {"op": "rescale", "scale": 1 / 255}]}
    with pytest.raises(UsageError, match=r"mine:make: .*End it with a centre crop, or squeeze .*--resize exact"):
        describe(source(), spec=open_side)
    assert describe(source(), spec=open_side, resize="exact").spec.preprocess[0] == Resize(size=(16, 16), mode="exact")
