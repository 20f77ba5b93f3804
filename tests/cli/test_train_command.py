"""`cnnkit train`, as it is typed."""

import json

import numpy as np
import pytest
from PIL import Image

from cnnkit.checkpoints import load_checkpoint

QUICK = ["--net", "cifar", "--imgsz", "15", "--epochs", "2", "-j", "1"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (root / name).mkdir()
        for at in range(6):
            pixels = random.integers(0, 256, (15, 15, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{at}.png")
    return root


def test_writes_a_checkpoint_and_says_what_it_does(run_cnnkit, images, tmp_path):
    done = run_cnnkit("train", images, "-o", tmp_path / "m.pt", *QUICK, "--progress", "none", "--holdout", "0.3")
    assert load_checkpoint(tmp_path / "m.pt").classes == ["cat", "dog"]
    lines = done.stderr.splitlines()
    assert lines[0] == "No val part: 4 images, chosen by seed, are held out to score each epoch."
    assert lines[1].startswith("epoch 1: loss ")
    assert " accuracy " in lines[1]
    assert "held out" in lines[1]
    assert lines[2].endswith("s, 0 s left")
    assert lines[3] == f"{tmp_path / 'm.pt'}: the checkpoint; beside it m.training.json and m.training.svg."
    assert lines[4].startswith("Trained cifar on 8 images. Epoch 2: loss ")
    assert done.stdout == ""


def test_json_is_the_record(run_cnnkit, images, tmp_path):
    done = run_cnnkit("train", images, "-o", tmp_path / "m.pt", *QUICK, "--json", "--progress", "none")
    record = json.loads(done.stdout)
    assert record == json.loads((tmp_path / "m.training.json").read_text())
    assert len(record["epochs"]) == 2


def test_options_reach_the_recipe(run_cnnkit, images, tmp_path):
    (tmp_path / "weights.json").write_text('{"cat": 2.0}')
    typed = {
        "optimizer": "sgd",
        "lr": 0.02,
        "momentum": 0.8,
        "schedule": "step",
        "warmup": 0.5,
        "step-epochs": 1,
        "step-factor": 0.5,
        "label-smoothing": 0.1,
        "l1": 1e-5,
        "l2": 1e-4,
        "flip": 0.5,
        "rotate": 5.0,
        "crop-padding": 1,
        "brightness": 0.1,
        "seed": 3,
        "batch-size": 5,
    }
    options = [part for name, value in typed.items() for part in (f"--{name}", value)]
    output = tmp_path / "m.pt"
    weights = ["--class-weights", tmp_path / "weights.json", "--mean", "0.5", "--std", "0.25"]
    run_cnnkit("train", images, "-o", output, *QUICK, *options, *weights, "--progress", "none")
    recipe = load_checkpoint(output).training["recipe"]
    assert {name: recipe[name.replace("-", "_")] for name in typed} == typed
    assert recipe["class_weights"] == {"cat": 2.0}
    assert recipe["mean"] == [0.5]


def test_refuses_to_write_over_a_file(run_cnnkit, images, tmp_path):
    (tmp_path / "m.pt").write_bytes(b"precious")
    done = run_cnnkit("train", images, "-o", tmp_path / "m.pt", *QUICK, exit_code=2)
    assert "m.pt exists. Give another -o, or --overwrite to replace it." in done.stderr
    assert (tmp_path / "m.pt").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("options", "exit_code", "message"),
    [
        (["--net", "lenet6"], 2, "there is no network 'lenet6'; cnnkit has digits,"),
        (["--net", "cifar", "--lr", "inf"], 2, "training cannot start: lr: should be a finite number (got inf)"),
        (["--net", "cifar", "--flip", "nan"], 2, "training cannot start: flip: should be "),
        (["--net", "cifar", "--lr", "-1"], 2, "training cannot start: lr: should be greater than 0 (got -1.0)"),
        (["--net", "digits", "--initial", "zeros"], 2, "'zeros' is neither he, xavier nor a standard deviation"),
        (["--net", "cifar", "--class-weights", "none.json"], 2, "is neither balanced nor a JSON file of weights"),
        (["--net", "cifar", "--weights", "none.pth"], 3, "none.pth: no such file"),
        (["--net", "cifar", "--early-stop", "2"], 2, "--early-stop needs a val part to go by"),
        (["--net", "fashion", "--initial", "he"], 2, "--initial is for digits, simple_convnet; fashion draws its"),
        (["--net", "cifar", "--momentum", "0.5"], 2, "--momentum goes with --optimizer sgd; this run has optimizer ad"),
        (["--net", "cifar", "--step-epochs", "5"], 2, "--step-epochs goes with --schedule step; this run has schedule"),
        (
            ["--net", "cifar", "--step-factor", "0.5", "--schedule", "cosine"],
            2,
            "this run has schedule cosine. Leave -",
        ),
        (["--net", "simple_convnet", "--engine", "numpy"], 2, "no optimizer adam. Give --optimizer adagrad or sgd, or"),
        (["--net", "cifar", "--engine", "numpy"], 2, "--engine numpy has no network cifar; it has digits, simple_conv"),
    ],
    ids=[
        *("net", "endless rate", "no number", "rate", "initial", "class weights", "weights", "early stop"),
        *("initial of another", "momentum", "step epochs", "step factor", "numpy's optimizers", "numpy's networks"),
    ],
)
def test_mistakes_get_a_sentence(run_cnnkit, images, tmp_path, options, exit_code, message):
    done = run_cnnkit("train", images, "-o", tmp_path / "m.pt", "--epochs", "1", *options, exit_code=exit_code)
    assert message in done.stderr


def test_a_folder_without_class_folders(run_cnnkit, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    done = run_cnnkit("train", tmp_path, "-o", tmp_path / "m.pt", "--net", "digits", exit_code=3)
    assert "no class folder" in done.stderr


def test_initial_weights_as_a_name_or_a_number(run_cnnkit, images, tmp_path):
    for initial, recorded in (("he", "he"), ("0.05", 0.05)):
        output = tmp_path / f"{initial}.pt"
        typed = ["--net", "simple_convnet", "--epochs", "1", "--initial", initial, "--progress", "none"]
        run_cnnkit("train", images, "-o", output, *typed)
        assert load_checkpoint(output).arguments["initial"] == recorded
