"""What `cnnkit verify` says where a source does not fit, is random, or the file is of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnkit import exporting, graphs
from cnnkit.exporting import _attempts
from cnnkit.verification import open_source

OWN = """
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self, channels=3):
        super().__init__()
        self.conv = nn.Conv2d(channels, 8, 3)
        self.head = nn.Linear(8, 3)
    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3)))

class Random(Net):
    def forward(self, x):
        return F.dropout(super().forward(x), 0.5)

def make(kind=Net, **arguments):
    torch.manual_seed(4)
    return kind(**arguments)

def four():
    return make(channels=4)

def random():
    return make(Random)
"""
SPEC = ("--preset", "tf", "--imgsz", 16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project of the user's with a verified file, a fused one, and one without a spec."""
    where = tmp_path_factory.mktemp("fits")
    (where / "fits.py").write_text(OWN)
    how: Any = {"preset": "tf", "imgsz": (16, 16), "classes": ["a", "b", "c"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(where)
        others = {name: each for name, each in _attempts.EXPORTERS.items() if name != "dynamo"}  # which takes seconds
        patch.setattr(_attempts, "EXPORTERS", others)
        source = open_source("fits:make")
        exporting.export_source(source, where / "m.onnx", **how)
        exporting.export_source(source, where / "fused.onnx", fuse="RGB", **how)
        model = graphs.load(where / "m.onnx")
        del model.metadata_props[:]
        graphs.save(model, where / "foreign.onnx")
        yield where


@pytest.fixture(autouse=True)
def _here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_a_source_that_takes_other_images(run_cnnkit: Any) -> None:
    said = run_cnnkit("verify", "m.onnx", "--against", "fits:four", exit_code=3).stderr
    assert "m.onnx: its images are prepared as (N, 3, 16, 16), and the source does not run on that" in said
    assert "4 channels, but got 3 channels" in said
    assert "Name the source that the file was made from." in said


def test_a_random_source_is_named_before_what_differs(run_cnnkit: Any) -> None:
    lines = run_cnnkit("verify", "m.onnx", "--against", "fits:random", exit_code=1).stderr.splitlines()
    at = next(at for at, line in enumerate(lines) if "NOT the same" in line)
    assert "Two runs of the source on one input gave two results; random are: Random itself." in lines[at + 1]
    assert 'Output "logits" differs' in lines[at + 2]


def test_locate_does_not_go_with_a_fused_file(run_cnnkit: Any) -> None:
    said = run_cnnkit("verify", "fused.onnx", "--against", "fits:make", "--locate", exit_code=2).stderr
    assert "fused.onnx: is fused, so its preprocessing has no counterpart in the source" in said
    assert "Export without --fuse" in said


def test_a_file_of_others_is_told_how_to_read_an_image(run_cnnkit: Any) -> None:
    said = run_cnnkit("verify", "foreign.onnx", "--against", "fits:make", exit_code=3).stderr
    assert "Say it with --preset" in said
    Path("labels.txt").write_text("a\nb\nc\n")
    done = run_cnnkit("verify", "foreign.onnx", "--against", "fits:make", *SPEC, "--labels", "labels.txt")
    assert "Verified on 32 images" in done.stderr


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--providers", "cpu"), 0, "Verified on 32 images"),
        (("--device", "cpu", "--providers", "cpu"), 0, "Verified on 32 images"),
        (("--providers", "nothing"), 4, "nothing"),
        (("--witness", "numpy"), 0, "executes the graph too, on 4 images"),
        (("--witness", "onnx"), 0, "Witness: onnx"),
    ],
)
def test_where_it_is_run_and_by_whom(run_cnnkit: Any, flags: tuple[str, ...], code: int, said: str) -> None:
    assert said in run_cnnkit("verify", "m.onnx", "--against", "fits:make", *flags, exit_code=code).stderr
