import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

OWN = """
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.head = nn.Linear(8, 3)
    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3)))

def make():
    return Net()

class Resize:
    __module__ = "torchvision.transforms.transforms"
    size, interpolation, max_size, antialias = (16, 16), "bilinear", None, True
    def __call__(self, image):
        return image.resize((16, 16), 2)

class ToTensor:
    __module__ = "torchvision.transforms.transforms"
    def __call__(self, image):
        return torch.from_numpy(np.asarray(image, np.float32).transpose(2, 0, 1) / 255)

class Compose:
    __module__ = "torchvision.transforms.transforms"
    transforms = [Resize(), ToTensor()]
    def __call__(self, image):
        for step in self.transforms:
            image = step(image)
        return image

def val_transform():
    return Compose()
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user's project in the current folder: a module, its transform, weights and labels."""
    name = f"birds_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    module = __import__(name)
    torch.manual_seed(5)
    torch.save(module.make().state_dict(), "birds.pth")
    torch.manual_seed(6)
    torch.save(module.make().state_dict(), "others.pth")
    Path("labels.txt").write_text("owl\ncrow\nrobin\n")
    return name


@pytest.mark.usefixtures("torchscript_only")
def test_the_whole_way_of_a_model_of_ones_own(run_cnnkit: Any, own: str, shared: Path) -> None:
    source = (f"{own}:make", "--weights", "birds.pth", "--transform", f"{own}:val_transform")
    photos = sorted(shared.glob("imagenet200/*/*.JPEG"))[:4]
    Path("photos").mkdir()
    for photo in photos:
        (Path("photos") / photo.name).symlink_to(photo)
    images = ("--images", "photos")
    exported = run_cnnkit("export", *source, "--labels", "labels.txt", *images)
    assert "exported/birds.onnx" in exported.stderr
    assert "Own preprocessing: at most" in exported.stderr
    shown = run_cnnkit("inspect", "exported/birds.onnx").stderr
    assert "Classes         3: owl, crow, robin" in shown
    assert "Verified        yes, on 4 images" in shown

    found = json.loads(run_cnnkit("verify", "exported/birds.onnx", "--against", *source, *images, "--json").stdout)
    assert found["passed"] is True
    assert found["own_preprocessing"]["mean_level"] < 0.1
    assert [each["batch_size"] for each in found["comparisons"]] == [1, 2, 3]
    best = json.loads(run_cnnkit("infer", "exported/birds.onnx", photos[0], "--json").stdout)
    assert {entry["class"] if "class" in entry else entry["name"] for entry in best} == {"owl", "crow", "robin"}


@pytest.mark.usefixtures("torchscript_only")
def test_another_source_is_out_of_tolerance(run_cnnkit: Any, own: str) -> None:
    run_cnnkit("export", f"{own}:make", "--weights", "birds.pth", "--preset", "tf", "--imgsz", 16, "-o", "b.onnx")
    result = run_cnnkit("verify", "b.onnx", "--against", f"{own}:make", "--weights", "others.pth", exit_code=1)
    assert "NOT the same on 32 images" in result.stderr
    assert 'Output "logits" differs by up to' in result.stderr
    assert f"Error: b.onnx does not do what {own}:make does." in result.stderr
    wrong = run_cnnkit("verify", "b.onnx", "--against", f"{own}:make", "--weights", "others.pth", "--json", exit_code=1)
    assert json.loads(wrong.stdout)["passed"] is False


def test_an_operation_that_cannot_be_said(run_cnnkit: Any, own: str) -> None:
    with Path(f"{own}.py").open("a") as file:
        file.write("\nclass Sharpen:\n    pass\n\nsharp = [Resize(), Sharpen()]\n")
    del sys.modules[own]
    result = run_cnnkit("export", f"{own}:make", "--transform", f"{own}:sharp", exit_code=3)
    assert f"{own}:sharp: Sharpen of {own} is no operation that can be read" in result.stderr
