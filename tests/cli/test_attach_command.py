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


def test_what_photographs_show_of_the_scores_is_recorded(run_cnnkit: Any, write_model: Any, tmp_path: Path) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17]> g (float[N,3,8,8] x) => (float[N,3] y) <int64[1] axis = {1}> {
        p = GlobalAveragePool(x) f = Flatten(p) e = Exp(f) s = ReduceSum(e, axis) y = Div(e, s) }"""
    model = write_model(tmp_path / "by_hand.onnx", text, None)
    said = 'Output "y" adds up to 1 on 8 cuts of two photographs: taken as probabilities'
    out = tmp_path / "out.onnx"
    result = run_cnnkit("attach", model, "--preset", "imagenet", "-o", out, "--json")
    spec = json.loads(result.stdout)
    assert spec["output"]["activation"] == "none"
    assert spec["provenance"]["notes"][0].startswith(said)
    images, run = tmp_path / "images", tmp_path / "run"
    images.mkdir()
    (images / "a.png").write_bytes(_png())
    for _ in range(2):  # the second resumes: the file is read alike
        run_cnnkit("infer", model, images, "--preset", "imagenet", "-o", run)
    assert json.loads((run / "plan.json").read_text())["spec"]["output"]["activation"] == "none"


def test_a_value_that_is_no_number_writes_no_file(run_cnnkit: Any, colours: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.onnx"
    for flags in (("--scale", "nan"), ("--mean", "inf"), ("--std", "0"), ("--std", "nan")):
        result = run_cnnkit("attach", colours, *flags, "-o", out, exit_code=2)
        assert "with these options the spec is not valid" in result.stderr
        assert not out.exists()


def _png() -> bytes:
    import cv2
    import numpy as np

    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1].tobytes())
