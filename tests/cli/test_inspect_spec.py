"""What `cnnkit inspect` says of how a file reads an image, and of what was verified."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnkit import graphs
from cnnkit.files import sha256_of
from cnnkit.spec import METADATA_KEY, parse_spec

EXPORTED = Path(__file__).resolve().parents[2] / "exported"


@pytest.fixture
def foreign(shared: Path, tmp_path: Path) -> Path:
    """A file without a spec, and ten labels."""
    (tmp_path / "labels.txt").write_text("\n".join("abcdefghij"))
    return Path(shutil.copy(shared / "models" / "cifar10_tutorial.onnx", tmp_path / "plain.onnx"))


def test_flags_say_how_a_foreign_file_is_read(run_cnnkit: Any, foreign: Path) -> None:
    labels = foreign.with_name("labels.txt")
    shown = run_cnnkit("inspect", foreign, "--preset", "imagenet", "--labels", labels).stderr
    assert "Takes           RGB 32x32 (height x width), NCHW, float32" in shown
    assert "Classes         10: a, b, c, d, e, f, g, h, i, j" in shown
    found = json.loads(run_cnnkit("inspect", foreign, "--preset", "tf", "--labels", labels, "--json").stdout)
    assert found["spec"]["preprocess"][-1]["offset"] == -1


def test_flags_win_over_what_a_file_says(run_cnnkit: Any) -> None:
    shown = run_cnnkit("inspect", EXPORTED / "digits-fp32.onnx", "--activation", "sigmoid").stderr
    assert "activation=sigmoid" in shown


def test_a_description_beside_the_file_is_taken_as_in_infer(run_cnnkit: Any, foreign: Path) -> None:
    beside = foreign.with_name("preprocessor_config.json")
    facts = {"do_resize": True, "size": {"height": 32, "width": 32}, "resample": 2, "do_rescale": True}
    more = {"rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    beside.write_text(json.dumps({"image_processor_type": "ViTImageProcessor", **facts, **more}))
    names = {str(at): name for at, name in enumerate("abcdefghij")}
    foreign.with_name("config.json").write_text(json.dumps({"id2label": names, "model_type": "vit"}))
    shown = run_cnnkit("inspect", foreign).stderr
    assert "normalize mean=[0.5, 0.5, 0.5]" in shown
    assert "preprocessor_config.json" in shown
    beside.write_text(json.dumps({"image_processor_type": "ViTImageProcessor", **facts, "do_normalize": True}))
    broken = run_cnnkit("inspect", foreign).stderr
    assert "image_mean or image_std is missing" in broken
    assert "Spec            none" in broken


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("digits", "--preset", "imagenet"), "digits: is no .onnx file, and only of one can be said"),
        ((EXPORTED / "digits-fp32.onnx", "--threads", 2), "--threads: goes with --features or --explain"),
    ],
)
def test_options_without_anything_to_act_on(run_cnnkit: Any, arguments: tuple[Any, ...], sentence: str) -> None:
    assert sentence in run_cnnkit("inspect", *arguments, exit_code=2).stderr


def test_a_network_wins_over_a_folder_of_its_name(
    run_cnnkit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "Parameters      17,210" in run_cnnkit("inspect", "digits", "--classes", 10).stderr
    assert "digits: a folder, and an .onnx file was expected" in run_cnnkit("inspect", "./digits", exit_code=3).stderr


def test_the_record_of_a_verification(run_cnnkit: Any) -> None:
    lines = run_cnnkit("inspect", EXPORTED / "digits-fp32.onnx").stderr.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("Verified"))
    assert lines[at].startswith("Verified        yes, on 32 images, largest difference from the source")
    assert "the same best class on 100.0%" in lines[at + 1]
    assert "CPUExecutionProvider, 1, 2, 3 at a time" in lines[at + 1]
    assert "images of digits/train" in lines[at + 2]
    assert "sha256 05d77e9db667" in lines[at + 2]
    assert "onnxruntime" in lines[at + 3]


def test_the_gate_of_an_int8_file(run_cnnkit: Any, tmp_path: Path) -> None:
    shown = run_cnnkit("inspect", EXPORTED / "digits-int8.onnx").stderr
    assert "Verified        not against torch; against the float file by its gate" in shown
    assert "Gate            on 599 images top-1 accuracy drops by 0.00 points (95 % interval -0.64 points" in shown
    made_of = sha256_of(EXPORTED / "digits-fp32.onnx")
    assert f"calibrated on 300 images (minmax), of the float file {made_of}" in shown
    other = tmp_path / "other.onnx"
    spec = parse_spec(graphs.read_metadata(EXPORTED / "digits-int8.onnx")[METADATA_KEY], source="it")
    changed = spec.model_copy(update={"provenance": {"quantization": {"by": "hand"}}})
    graphs.write_metadata(EXPORTED / "digits-int8.onnx", other, {METADATA_KEY: changed.to_json()})
    assert "Gate            recorded in a form that this version does not know" in run_cnnkit("inspect", other).stderr
