import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cnnkit import models
from cnnkit.errors import ModelError, UsageError
from cnnkit.verification import forward, open_source

OWN = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, classes)
    def forward(self, x):
        return self.head(self.conv(x).mean((2, 3)))

class inner:
    ready = Net()

def make():
    return Net()

def broken():
    raise RuntimeError("no GPU here")

def text():
    return "text"

number = 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's in the current folder."""
    name = f"own_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


@pytest.fixture
def state(own: str) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return dict(open_source(f"{own}:make").module.state_dict())


def same(module: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())


@pytest.mark.parametrize("name", ["make", "Net", "inner.ready"])
def test_a_module_of_ones_own(own: str, name: str) -> None:
    source = open_source(f"{own}:{name}")
    assert forward(source.module, np.zeros((2, 3, 8, 8), np.float32))[0].shape == (2, 3)
    assert source.name == name.replace(".", "-")
    assert source.facts["class"] == f"{own}.Net"
    assert source.notes == (f"No --weights: {own}:{name} has the weights that it makes itself.",)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("mke", UsageError, "has no 'mke'; it has torch, nn, Net, inner, make, broken"),
        ("broken", ModelError, "fails in .*, line \\d+: RuntimeError: no GPU here"),
        ("text", UsageError, r"returns str, and a torch\.nn\.Module was expected"),
        ("number", UsageError, "is int, and a module or a function that makes one was expected"),
    ],
)
def test_a_name_that_gives_no_module(own: str, name: str, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        open_source(f"{own}:{name}")


def test_a_module_that_cannot_be_imported(own: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"there is no module '{own}_x' in {tmp_path} or among the installed ones"):
        open_source(f"{own}_x:make")
    (tmp_path / f"{own}_b.py").write_text("import not_installed_anywhere")
    with pytest.raises(ModelError, match="needs 'not_installed_anywhere', which is not installed"):
        open_source(f"{own}_b:make")
    (tmp_path / f"{own}_c.py").write_text("1 / 0")
    with pytest.raises(ModelError, match="fails as it is imported: ZeroDivisionError"):
        open_source(f"{own}_c:make")


Save = Callable[[dict[str, torch.Tensor], Path], None]
WRAPPED: dict[str, Save] = {
    "plain.pth": torch.save,
    "plain.safetensors": save_file,
    "parallel.pth": lambda state, path: torch.save({f"module.{name}": value for name, value in state.items()}, path),
    "nested.pt": lambda state, path: torch.save({"epoch": 3, "model_state_dict": state}, path),
    "lightning.ckpt": lambda state, path: torch.save(
        {"state_dict": {f"model.{name}": value for name, value in state.items()}, "epoch": 1}, path
    ),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_weights_in_every_usual_wrapping(own: str, state: dict[str, torch.Tensor], tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRAPPED[name](state, path)
    source = open_source(f"{own}:make", weights=path)
    assert same(source.module, state)
    assert source.name == path.stem
    taken = {"nested.pt": "model_state_dict", "lightning.ckpt": "state_dict"}.get(name)
    assert source.notes == ((f"{path}: the weights in ['{taken}'] are taken.",) if taken else ())


def test_weights_that_do_not_fit(own: str, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({**state, "head.weight": torch.zeros(9, 4), "extra": torch.zeros(1)}, path)
    sentence = r"do not fit .*: nothing takes its extra; head\.weight is \(9, 4\) there and \(3, 4\) here"
    with pytest.raises(ModelError, match=sentence):
        open_source(f"{own}:make", weights=path)
    torch.save({"conv.weight": state["conv.weight"]}, path)
    with pytest.raises(ModelError, match=r"it has no conv\.bias, head\.bias, head\.weight"):
        open_source(f"{own}:make", weights=path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(ModelError, match="holds no weights by name; it holds 'epoch'"):
        open_source(f"{own}:make", weights=path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"w\.pth"):
        open_source(f"{own}:make", weights=path)
    with pytest.raises(ModelError, match=r"gone\.pth: no such file of weights"):
        open_source(f"{own}:make", weights=tmp_path / "gone.pth")


def test_pickled_objects_are_refused_and_allowed_by_a_flag(own: str, tmp_path: Path) -> None:
    path = tmp_path / "whole.pth"
    module = open_source(f"{own}:make").module
    torch.save(module, path)
    with pytest.raises(ModelError, match=rf"holds an object of {own}\.Net, pickled: .* --allow-pickle"):
        open_source(f"{own}:make", weights=path)
    source = open_source(f"{own}:make", weights=path, allow_pickle=True)
    assert same(source.module, dict(module.state_dict()))


def test_no_code_runs_from_a_pickle(own: str, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"state_dict": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(ModelError, match="pickled"):
        open_source(f"{own}:make", weights=tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


def test_a_network_by_name_takes_its_classes_from_its_weights(tmp_path: Path) -> None:
    weights = models.create("lenet5", 5, channels=1, size=32).state_dict()
    torch.save(weights, tmp_path / "l.pth")
    source = open_source("lenet5", weights=tmp_path / "l.pth")
    assert same(source.module, weights)
    assert forward(source.module, np.zeros((1, 1, 32, 32), np.float32))[0].shape == (1, 5)
    colour = models.create("fashion", 4, channels=3, size=28).state_dict()
    torch.save(colour, tmp_path / "f.pth")
    assert open_source("fashion", weights=tmp_path / "f.pth").shape == (3, 28, 28)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("resnet18", "is a network without weights. Give --weights FILE"),
        ("resnet19", r"there is no such file or network\. SOURCE is .* \(digits, "),
        ("gone/model.pt", "no such file. SOURCE is"),
        ("timm:resnet18", "timm is not installed here. Install it: pip install timm"),
        ("torchvision:resnet18", "torchvision is not installed here"),
    ],
)
def test_what_is_no_source(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        open_source(text)


def test_a_file_that_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").touch()
    with pytest.raises(UsageError, match=r"is an ONNX file already\. `cnnkit attach` writes a spec into it"):
        open_source(str(tmp_path / "m.onnx"))
    with pytest.raises(UsageError, match="brings its own weights"):
        open_source(str(tmp_path / "m.onnx"), weights=tmp_path / "m.onnx")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    for name, axes in (("open", ({0: torch.export.Dim("batch")},)), ("static", None)):
        program = torch.export.export(module.eval(), (torch.rand(2, 3, 8, 8),), dynamic_shapes=axes)
        torch.export.save(program, folder / f"{name}.pt2")
    return folder


def test_exported_programs(programs: Path) -> None:
    source = open_source(str(programs / "open.pt2"))
    assert (source.shape, source.fixed_batch) == ((3, 8, 8), None)
    assert forward(source.module, np.zeros((5, 3, 8, 8), np.float32))[0].shape == (5, 3)
    assert open_source(str(programs / "static.pt2")).fixed_batch == 2


def test_a_program_that_would_run_code_is_refused(programs: Path, tmp_path: Path) -> None:
    path = tmp_path / "trap.pt2"
    _with_pickled_samples(programs / "open.pt2", path)
    with pytest.raises(ModelError, match=r"its sample inputs are pickled objects: .* --allow-pickle"):
        open_source(str(path))
    path.write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"is no file that torch\.export\.save wrote"):
        open_source(str(path))


def _with_pickled_samples(path: Path, out: Path) -> None:
    import io
    import zipfile

    with zipfile.ZipFile(path) as there, zipfile.ZipFile(out, "w") as here:
        for name in there.namelist():
            data = there.read(name)
            if "/sample_inputs/" in name:
                buffer = io.BytesIO()
                torch.save({"x": Path()}, buffer)
                data = buffer.getvalue()
            here.writestr(name, data)


def test_a_pickled_network_finds_its_class_in_the_current_folder(
    own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = open_source(f"{own}:make").module
    torch.save(module, "whole.pth")
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", str(tmp_path))])
    monkeypatch.delitem(sys.modules, own)
    opened = open_source(f"{own}:make", weights=Path("whole.pth"), allow_pickle=True)
    assert same(opened.module, dict(module.state_dict()))


@pytest.mark.usefixtures("own")
def test_a_network_wins_over_a_folder_of_its_name() -> None:
    Path("digits").mkdir()
    weights = Path("digits.pth")
    torch.save(models.create("digits", 10, channels=1, size=8).state_dict(), weights)
    assert open_source("digits", weights=weights).network == "digits"
    with pytest.raises(UsageError, match="digits: brings its own weights"):
        open_source("./digits", weights=weights)
