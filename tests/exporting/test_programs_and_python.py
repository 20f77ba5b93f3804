"""Exports from a .pt2 file and from Python."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import cnnkit
from cnnkit import exporting, graphs
from cnnkit.errors import CheckFailed, ModelError, UsageError
from cnnkit.files import sha256_of
from cnnkit.graphs._files import ROOM
from cnnkit.spec import Normalize, Rescale, Resize
from cnnkit.verification import Source, open_source


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x).relu().mean((2, 3)))


def transform() -> list[Any]:
    resize = type("Resize", (), {"__module__": "torchvision.transforms.transforms"})()
    resize.__dict__.update(size=(16, 16), interpolation="bilinear", max_size=None, antialias=True)
    normalize = type("Normalize", (), {"__module__": "torchvision.transforms.transforms"})()
    normalize.__dict__.update(mean=[0.5] * 3, std=[0.5] * 3)
    return [resize, type("ToTensor", (), {"__module__": "torchvision.transforms.transforms"})(), normalize]


@pytest.mark.usefixtures("torchscript_only")
def test_the_python_door(tmp_path: Path) -> None:
    module = Net().train()
    out, classes = tmp_path / "birds.onnx", ["owl", "crow", "robin"]
    path = cnnkit.export(module, out, transform=transform(), classes=classes, example=torch.rand(1, 3, 16, 16))
    assert path == tmp_path / "birds.onnx"
    assert module.training
    model = cnnkit.load(path, device="cpu")
    assert model.spec.names == ["owl", "crow", "robin"]
    assert model.spec.preprocess == (
        Resize(size=(16, 16), mode="exact"), Rescale(scale=1 / 255), Normalize(mean=(0.5,) * 3, std=(0.5,) * 3),
    )  # fmt: skip
    assert model.spec.provenance["class"] == "Net"
    assert "does not run here" in model.spec.verification["own_preprocessing"]["not_run"]
    with pytest.raises(UsageError, match="is there already"):
        cnnkit.export(module, path, transform=transform())


@pytest.mark.usefixtures("torchscript_only")
def test_an_example_gives_the_size(tmp_path: Path) -> None:
    path = cnnkit.export(Net(), tmp_path / "x.onnx", preset="tf", example=torch.rand(4, 3, 20, 24), verify=False)
    assert graphs.summarize(path).inputs[0].shape == ("batch", 3, 20, 24)
    with pytest.raises(UsageError, match=r"the example must be float \(N, C, H, W\), got torch.uint8 \(3, 8, 8\)"):
        cnnkit.export(Net(), tmp_path / "y.onnx", preset="tf", example=torch.zeros(3, 8, 8, dtype=torch.uint8))


def test_exported_programs_and_their_batch(tmp_path: Path) -> None:
    module = Net().eval()
    axes = ({0: torch.export.Dim("batch")},)
    torch.export.save(
        torch.export.export(module, (torch.rand(2, 3, 8, 8),), dynamic_shapes=axes), tmp_path / "open.pt2"
    )
    torch.export.save(torch.export.export(module, (torch.rand(2, 3, 8, 8),)), tmp_path / "static.pt2")
    done = exporting.export_source(open_source(str(tmp_path / "open.pt2")), tmp_path / "open.onnx", preset="tf")
    assert done.verification
    assert done.notes == ("It has no class names (--labels FILE gives them); they are 0 to 2.",)
    assert graphs.summarize(done.path).inputs[0].shape == ("batch", 3, 8, 8)
    static = open_source(str(tmp_path / "static.pt2"))
    with pytest.raises(
        UsageError, match=r"was made for a batch of 2 and no other, so --dynamic batch cannot be\. Make"
    ):
        exporting.export_source(static, tmp_path / "static.onnx", preset="tf")
    fixed = exporting.export_source(static, tmp_path / "static.onnx", preset="tf", dynamic="none")
    assert graphs.summarize(fixed.path).inputs[0].shape == (2, 3, 8, 8)


class Flat(nn.Module):
    """Takes one size only."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.flatten(1))


@pytest.mark.usefixtures("torchscript_only")
def test_sides_that_cannot_stay_open(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="With --dynamic all it should take 40x40, which the module itself does not"):
        exporting.export_source(
            Source(Flat().eval(), "flat", "flat"), tmp_path / "x.onnx", preset="tf", imgsz=(8, 8), dynamic="all"
        )
    assert list(tmp_path.iterdir()) == []


def test_weights_that_do_not_fit_into_one_file_lie_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnkit.graphs._files.MAX_BYTES", ROOM + 100)
    module = nn.Sequential(Net(), nn.Linear(3, 400))
    path = cnnkit.export(module, tmp_path / "x.onnx", preset="tf", imgsz=(8, 8))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.onnx", "x.onnx.data"]
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    model = cnnkit.load(path)
    assert model.spec.verification["passed"]
    assert graphs.size_of(path) == sum(each.stat().st_size for each in tmp_path.iterdir())
    monkeypatch.undo()
    whole = cnnkit.load(cnnkit.export(module, tmp_path / "whole.onnx", preset="tf", imgsz=(8, 8)))
    np.testing.assert_array_equal(model.predict(picture).scores, whole.predict(picture).scores)
    assert len({graphs.sha256_of(whole.path), model.sha256, sha256_of(path)}) == 3
    graphs.write_metadata(path, tmp_path / "one.onnx", {})
    assert graphs.sha256_of(tmp_path / "one.onnx") == sha256_of(tmp_path / "one.onnx")


@pytest.mark.slow
def test_a_model_of_more_than_two_gigabytes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Flatten(), nn.Linear(192, 20_000), nn.ReLU(), nn.Linear(20_000, 27_500), nn.Linear(27_500, 3)
    )
    path = cnnkit.export(module, tmp_path / "x.onnx", preset="tf", imgsz=(8, 8))
    assert path.stat().st_size < 1e6
    assert graphs.size_of(path) > 2**31
    assert graphs.summarize(path).parameters > 2**29
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    assert cnnkit.load(path).predict(picture).scores.shape == (3,)
    with pytest.raises(ModelError, match="needs the model in memory, where ONNX holds at most 2 GiB"):
        graphs.to_bytes(graphs.load(path), what="--locate")


def test_an_eval_that_raises_is_not_passed_over(tmp_path: Path) -> None:
    class Odd(Net):
        def eval(self) -> "Odd":
            raise RuntimeError("no evaluation mode yet")

    with pytest.raises(ModelError, match=r"does not run on an image .*no evaluation mode yet"):
        cnnkit.export(Odd(), tmp_path / "x.onnx", preset="tf", imgsz=(8, 8))
    assert list(tmp_path.iterdir()) == []
