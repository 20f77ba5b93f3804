import json
from pathlib import Path
from typing import Any

import onnx


def test_a_spec_goes_into_a_file_for_good(run_cnnkit: Any, shared: Path, tmp_path: Path) -> None:
    models = shared / "models"
    out = tmp_path / "squeezenet.onnx"
    how = ("--preset", "imagenet-caffe", "--labels", models / "imagenet_synset_words.txt", "-o", out)
    result = run_cnnkit("attach", models / "squeezenet_fp16.onnx", *how)
    assert "taken as probabilities" in result.stderr
    assert "classification with 1000 classes" in result.stderr
    before, after = onnx.load(models / "squeezenet_fp16.onnx"), onnx.load(out)
    assert before.graph == after.graph
    photo = next((shared / "imagenet200").rglob("*.JPEG"))
    with_flags = run_cnnkit("infer", models / "squeezenet_fp16.onnx", photo, *how[:4], "--json").stdout
    assert run_cnnkit("infer", out, photo, "--json").stdout == with_flags


def test_attach_keeps_what_is_there(run_cnnkit: Any, colours: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.onnx"
    facts = json.loads(run_cnnkit("attach", colours, "--channel-order", "BGR", "-o", out, "--json").stdout)
    assert facts["input"]["channels"] == "BGR"
    assert "is there already. Give --overwrite" in run_cnnkit("attach", colours, "-o", out, exit_code=2).stderr
    run_cnnkit("attach", colours, "-o", out, "--overwrite")


def test_attach_without_a_word(run_cnnkit: Any, shared: Path, tmp_path: Path) -> None:
    model = shared / "models" / "mnist_zoo.onnx"
    result = run_cnnkit("attach", model, "-o", tmp_path / "x.onnx", exit_code=3)
    assert "holds no cnnkit spec" in result.stderr
    assert not (tmp_path / "x.onnx").exists()
