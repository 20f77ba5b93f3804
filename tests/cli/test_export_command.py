import json
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnkit import models
from cnnkit.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Rescale, Resize, ToGray


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    names = [str(digit) for digit in range(10)]
    spec = ModelSpec(
        input=ModelInput(channels="GRAY", size=(8, 8)),
        preprocess=(ToGray(), Resize(size=(8, 8), mode="exact"), Rescale(scale=1 / 255)),
        output=ClassificationOutput(),
        classes=tuple(ClassName(name=name) for name in names),
    )
    path = tmp_path_factory.mktemp("trained") / "digits.pt"
    arguments = {"channels": 1, "size": 8}
    state = models.create("digits", 10, **arguments).state_dict()
    save_checkpoint(path, Checkpoint("digits", arguments, state, names, spec, {"data": {"root": "gone"}}))
    return path


def test_a_checkpoint_becomes_a_file(run_cnnkit: Any, checkpoint: Path, tmp_path: Path) -> None:
    result = run_cnnkit("export", checkpoint, "-o", tmp_path / "digits.onnx")
    assert result.stdout == ""
    crops = "crops of scikit-learn's china.jpg and flower.jpg"
    assert f"Verified on 32 images ({crops}), 1, 2, 3 at a time: largest difference" in result.stderr
    assert f"Exported by the dynamo exporter, opset 18: {tmp_path / 'digits.onnx'}" in result.stderr


@pytest.mark.usefixtures("torchscript_only")
def test_json_is_the_path_and_the_spec(run_cnnkit: Any, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "digits.onnx"
    facts = json.loads(run_cnnkit("export", checkpoint, "-o", out, "--json").stdout)
    assert facts["path"] == str(out)
    assert facts["verification"]["passed"] is True
    again = run_cnnkit("export", checkpoint, "-o", out, exit_code=2)
    assert "is there already. Give --overwrite" in again.stderr


@pytest.mark.usefixtures("torchscript_only")
def test_the_name_comes_from_the_source(
    run_cnnkit: Any, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_cnnkit("export", checkpoint, "--no-verify")
    assert "Not verified, as asked." in result.stderr
    assert (tmp_path / "exported" / "digits.onnx").is_file()


@pytest.mark.usefixtures("torchscript_only")
def test_which_weights_of_a_file_are_taken_is_said(run_cnnkit: Any, checkpoint: Path, tmp_path: Path) -> None:
    state, path = load_checkpoint(checkpoint).state_dict, tmp_path / "digits.pth"
    torch.save({"state_dict": state, "state_dict_ema": state}, path)
    asked = ("digits", "--weights", path, "-o", tmp_path / "digits.onnx", "--no-verify", "--preset", "raw")
    said = run_cnnkit("export", *asked).stderr
    assert f"{path}: the weights in ['state_dict'] are taken, not those in ['state_dict_ema'].\n" in said


@pytest.mark.usefixtures("torchscript_only")
def test_images_of_ones_own(run_cnnkit: Any, checkpoint: Path, tmp_path: Path, shared: Path) -> None:
    out = tmp_path / "digits.onnx"
    facts = json.loads(run_cnnkit("export", checkpoint, "-o", out, "--images", shared / "fashion900", "--json").stdout)
    assert facts["verification"]["origin"] == str(shared / "fashion900")
    assert len({entry["name"].split("/")[0] for entry in facts["verification"]["images"]}) >= 9
    (tmp_path / "empty").mkdir()
    result = run_cnnkit("export", checkpoint, "-o", tmp_path / "x.onnx", "--images", tmp_path / "empty", exit_code=3)
    assert "no image" in result.stderr


@pytest.mark.usefixtures("torchscript_only")
def test_int8_behind_the_gate(run_cnnkit: Any, checkpoint: Path, tmp_path: Path, shared: Path) -> None:
    out = tmp_path / "int8.onnx"
    photos = shared / "fashion900"
    how = ("--int8", "--calib", photos, "-o", out, "--images", photos, "--max-drop", 99)
    facts = json.loads(run_cnnkit("export", checkpoint, *how, "--json").stdout)
    assert facts["provenance"]["precision"] == facts["verification"]["precision"] == "int8"
    assert facts["verification"]["passed"] is True
    assert [entry.name for entry in tmp_path.iterdir()] == ["int8.onnx"]
    assert out.stat().st_size < 40_000  # 17,210 weights of a byte
    refused = run_cnnkit("export", checkpoint, *how[:-2], "--max-drop", 0, "--overwrite", exit_code=1)
    assert "was not written" in refused.stderr


@pytest.mark.usefixtures("torchscript_only")
def test_half_by_its_short_name(run_cnnkit: Any, checkpoint: Path, tmp_path: Path) -> None:
    facts = json.loads(run_cnnkit("export", checkpoint, "--half", "-o", tmp_path / "half.onnx", "--json").stdout)
    assert facts["provenance"]["precision"] == "fp16"


def test_int8_asks_for_images(run_cnnkit: Any, checkpoint: Path, tmp_path: Path) -> None:
    result = run_cnnkit("export", checkpoint, "--int8", "-o", tmp_path / "x.onnx", exit_code=2)
    assert "give --calib DIR" in result.stderr


def test_a_source_that_is_not_there(run_cnnkit: Any, tmp_path: Path) -> None:
    assert "no such file" in run_cnnkit("export", tmp_path / "no.pt", exit_code=2).stderr


@pytest.mark.usefixtures("torchscript_only")
@pytest.mark.parametrize(("flags", "order"), [([], "RGB"), (["--fuse-order", "BGR"], "BGR")])
def test_fused_in_the_order_that_is_asked_for(
    run_cnnkit: Any, checkpoint: Path, tmp_path: Path, flags: list[str], order: str
) -> None:
    out = tmp_path / "digits.onnx"
    facts = json.loads(run_cnnkit("export", checkpoint, "-o", out, "--fuse", *flags, "--json").stdout)
    assert (facts["input"]["channels"], facts["input"]["any_size"], facts["preprocess"]) == (order, True, [])
    assert facts["verification"]["passed"] is True


def test_a_place_that_takes_no_file_is_named_before_anything_is_exported(
    run_cnnkit: Any, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    said = run_cnnkit("export", checkpoint, "-o", tmp_path / "file" / "digits.onnx", exit_code=5).stderr
    assert f"{tmp_path / 'file' / 'digits.onnx'}: cannot be written: " in " ".join(said.split())
    assert "Verified" not in said
