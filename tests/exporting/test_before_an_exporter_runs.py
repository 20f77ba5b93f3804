"""What does not fit is said before an exporter has run for minutes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import cnnkit
from cnnkit.errors import CheckFailed, UsageError
from cnnkit.exporting import _attempts


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.mean((2, 3)))


class Noisy(Net):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(super().forward(x))


@pytest.fixture(autouse=True)
def no_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any) -> None:
        raise AssertionError("an exporter ran")

    monkeypatch.setattr(_attempts, "run_exporter", run)


SPEC = {
    "schema": 1,
    "task": "classification",
    "input": {"size": [16, 16]},
    "preprocess": [{"op": "resize", "size": [18, 18], "mode": "exact"}],
    "output": {"name": "logits"},
    "classes": [{"name": name} for name in "abc"],
}


def test_pictures_of_another_size(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"makes pictures of \[18, 18\] .*input\.size is \[16, 16\]\. Give other flags"
    ):
        cnnkit.export(Net(), tmp_path / "x.onnx", spec=SPEC)


def test_another_number_of_classes(tmp_path: Path) -> None:
    spec = {**SPEC, "preprocess": [], "classes": [{"name": "a"}, {"name": "b"}]}
    with pytest.raises(UsageError, match=r"Net: output \"logits\" .*3 scores for 2 class names"):
        cnnkit.export(Net(), tmp_path / "x.onnx", spec=spec)


def test_a_module_that_answers_at_random(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=r"random are: Noisy itself\. .*F\.dropout\(x, p, training=self\.training\)"):
        cnnkit.export(Noisy(), tmp_path / "x.onnx", preset="tf", imgsz=(16, 16))


def test_int8_without_images(run_cnnkit: Any, tmp_path: Path) -> None:
    result = run_cnnkit("export", "nobody:make", "--int8", "-o", tmp_path / "x.onnx", exit_code=2)
    assert "give --calib DIR" in result.stderr
