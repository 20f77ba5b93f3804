"""Flags of `cnnkit export` and `cnnkit quantize`: what they do, and where they would do nothing."""

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from cnnkit import data, models
from cnnkit.checkpoints import Checkpoint, save_checkpoint
from cnnkit.exporting import _int8
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Rescale, Resize, ToGray
from cnnkit.verification import Verification

SHIPPED = Path(__file__).resolve().parents[2] / "exported" / "digits-fp32.onnx"


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
    path, arguments = tmp_path_factory.mktemp("trained") / "digits.pt", {"channels": 1, "size": 8}
    state = models.create("digits", 10, **arguments).state_dict()
    save_checkpoint(path, Checkpoint("digits", arguments, state, names, spec, {"data": {"root": "gone"}}))
    return path


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "digits"
    data.write_digits(folder)
    return folder


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--fuse-order", "BGR"], "--fuse-order: goes with --fuse."),
        (["--calib", "/nowhere", "--data", "/nowhere"], "--calib, --data: goes with --precision int8."),
        (
            ["--max-drop", 3, "--accept-undecided", "--half"],
            "--max-drop, --accept-undecided: goes with --precision int8.",
        ),
        (["--method", "minmax", "--samples", 9], "--method, --samples: goes with --precision int8."),
        (["--int8", "--calib", ".", "--split", "all"], "--split: goes with --data, a labelled folder."),
        (["--fuse", "--dynamic", "all"], "--dynamic all does not go with --fuse"),
        (["--no-verify", "--images", "."], "--images: says how to verify; leave out --no-verify."),
        (
            ["--no-verify", "--device", "cpu", "--locate"],
            "--locate, --device: says how to verify; leave out --no-verify.",
        ),
    ],
)
def test_flags_that_would_change_nothing(
    run_cnnkit: Any, checkpoint: Path, tmp_path: Path, flags: list[Any], sentence: str
) -> None:
    result = run_cnnkit("export", checkpoint, "-o", tmp_path / "m.onnx", *flags, exit_code=2)
    assert sentence in result.stderr
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.usefixtures("torchscript_only")
def test_opset_and_places(run_cnnkit: Any, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    places = ("--device", "cpu", "--providers", "cpu")
    found = json.loads(run_cnnkit("export", checkpoint, "-o", out, "--opset", 16, *places, "--json").stdout)
    assert onnx.load(out).opset_import[0].version == 16
    assert [each["batch_size"] for each in found["verification"]["comparisons"]] == [1, 2, 3, 1, 2, 3]


@pytest.mark.usefixtures("torchscript_only")
def test_stdout_is_the_commands_own(
    run_cnnkit: Any, checkpoint: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = run_cnnkit("export", checkpoint, "-o", tmp_path / "m.onnx", "--opset", 99, "--json", exit_code=1)
    assert "Unsupported onnx_opset_version: 99" in result.stderr
    assert capfd.readouterr().out == result.stdout == ""


@pytest.mark.usefixtures("torchscript_only")
def test_int8_by_the_method_that_was_typed(run_cnnkit: Any, checkpoint: Path, digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    gate = ("--calib", digits / "train", "--data", digits, "--split", "test", "--max-drop", 60)
    typed = ("--int8", "--method", "percentile", "--samples", 25, "--no-verify")
    found = json.loads(run_cnnkit("export", checkpoint, "-o", out, *gate, *typed, "--json").stdout)
    record = found["provenance"]["quantization"]
    assert (record["method"], record["n_calibration"], record["decision"]["n"]) == ("percentile", 25, 599)


@pytest.mark.usefixtures("torchscript_only")
def test_a_file_that_is_refused_is_not_named_as_written(
    run_cnnkit: Any, checkpoint: Path, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> Verification:
        return Verification(
            passed=False, precision="int8", origin="here", images=(), comparisons=(), problems=("Too many changed.",)
        )

    monkeypatch.setattr(_int8, "verify", refused)
    out = tmp_path / "m.onnx"
    how = ("--int8", "--calib", digits / "train", "--data", digits, "--max-drop", 60, "--samples", 25)
    said = run_cnnkit("export", checkpoint, "-o", out, *how, exit_code=1).stderr
    assert f"{out} was not written: the int8 file does not do what its source does: Too many changed." in said
    assert f"{out}: " not in said
    assert not out.exists()


def test_a_gate_that_says_no_is_told_in_json(run_cnnkit: Any, digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    how = ("--calib", digits / "train", "--data", digits, "--samples", 30, "--method", "entropy", "-o", out, "--json")
    refused = run_cnnkit("quantize", SHIPPED, *how, "--max-drop", 0, exit_code=1)
    found = json.loads(refused.stdout)
    assert found["passed"] is False
    assert found["method"] == "entropy"
    assert found["decision"]["n"] == 599
    assert "was not written" in refused.stderr
    assert not out.exists()
    passed = json.loads(run_cnnkit("quantize", SHIPPED, *how, "--max-drop", 50).stdout)
    assert passed["passed"] is True


def test_a_part_without_labelled_images(run_cnnkit: Any, digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    result = run_cnnkit("quantize", SHIPPED, "--calib", digits, "--split", "test", "-o", out, exit_code=2)
    assert "--split: goes with --data, a labelled folder." in result.stderr
