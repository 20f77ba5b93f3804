import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch
from torch import nn

from cnnkit import exporting, graphs, pipeline
from cnnkit.errors import CheckFailed, UsageError
from cnnkit.spec import (
    METADATA_KEY,
    ClassificationOutput,
    ClassName,
    ModelInput,
    ModelSpec,
    Rescale,
    Resize,
    parse_spec,
)
from cnnkit.verification import Source

SPEC = ModelSpec(
    input=ModelInput(size=(12, 12)),
    preprocess=(Resize(size=(12, 12), mode="exact"), Rescale(scale=1 / 255)),
    output=ClassificationOutput(),
    classes=tuple(ClassName(name=name) for name in "abc"),
)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.conv(x)).relu().mean((2, 3)))


def source(module: nn.Module | None = None, spec: ModelSpec = SPEC) -> Source:
    torch.manual_seed(0)
    return Source(module or Net().eval(), "net", "net.pt", spec=spec)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file by the first exporter, which wrote no word on stdout."""
    path = tmp_path_factory.mktemp("out") / "net.onnx"
    with redirect_stdout(io.StringIO()) as printed:
        exporting.export_source(source(), path)
    assert printed.getvalue() == ""
    return path


def test_the_file_knows_how_to_read_an_image(exported: Path) -> None:
    spec = parse_spec(graphs.read_metadata(exported)[METADATA_KEY], source="the file")
    assert spec.spec_hash == SPEC.spec_hash
    assert spec.provenance["exporter"] == "dynamo"
    assert spec.provenance["source"] == "net.pt"
    assert spec.verification["passed"] is True
    assert len(spec.verification["images"]) == 32
    assert [each["batch_size"] for each in spec.verification["comparisons"]] == [1, 2, 3]
    assert pipeline.open_model(exported, device="cpu").spec == spec


def test_the_file_is_one_with_an_open_batch_and_nothing_of_the_users_machine(exported: Path) -> None:
    assert [entry.name for entry in exported.parent.iterdir()] == ["net.onnx"]
    summary = graphs.summarize(exported)
    assert summary.inputs[0].shape == ("batch", 3, 12, 12)
    assert summary.outputs[0].shape == ("batch", 3)
    assert summary.opset == 18
    assert b"stack_trace" not in exported.read_bytes()
    assert str(Path(__file__).parent).encode() not in exported.read_bytes()


@pytest.mark.usefixtures("torchscript_only")
def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"net\.onnx: is there already\. Give --overwrite"):
        exporting.export_source(source(), path)
    assert path.read_text() == "mine"
    exporting.export_source(source(), path, overwrite=True, check=False)
    assert graphs.summarize(path).opset == 18


@pytest.mark.usefixtures("torchscript_only")
def test_unverified_is_said_in_the_file(tmp_path: Path) -> None:
    done = exporting.export_source(source(), tmp_path / "net.onnx", check=False)
    assert done.verification is None
    assert done.spec.verification == {"skipped": "--no-verify was given"}


@pytest.mark.usefixtures("torchscript_only")
def test_training_mode_is_named_and_given_back(tmp_path: Path) -> None:
    module = Net().train()
    module.norm.eval()
    done = exporting.export_source(source(module), tmp_path / "net.onnx", check=False)
    assert done.notes == ("net.pt was in training mode; it is exported in eval mode.",)
    assert (module.training, module.norm.training, module.conv.training) == (True, False, True)


class Random(Net):
    def __init__(self) -> None:
        super().__init__()
        self.noise = Noise()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(self.noise(x))


class Noise(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.rand_like(x)


@pytest.mark.usefixtures("torchscript_only")
def test_a_random_module_is_named_and_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=r"Two runs on one input gave two results; random are: noise \(Noise\)"):
        exporting.export_source(source(Random()), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_opset_below_what_the_first_exporter_writes_comes_from_the_second(tmp_path: Path) -> None:
    done = exporting.export_source(source(), tmp_path / "net.onnx", opset=13)
    assert graphs.summarize(done.path).opset == 13
    assert done.exporter == "torchscript"
    assert done.spec.provenance["refused"] == {"dynamo": "It wrote opset 18, and 13 was asked for."}


def test_a_fixed_batch_is_one_image(tmp_path: Path) -> None:
    done = exporting.export_source(source(), tmp_path / "net.onnx", dynamic="none")
    assert graphs.summarize(done.path).inputs[0].shape == (1, 3, 12, 12)
    assert done.verification is not None
    assert [each.batch_size for each in done.verification.comparisons] == [1]


@pytest.mark.usefixtures("torchscript_only")
def test_all_axes_open(tmp_path: Path) -> None:
    done = exporting.export_source(source(), tmp_path / "net.onnx", dynamic="all")
    assert graphs.summarize(done.path).inputs[0].shape == ("batch", 3, "height", "width")
