"""The whole job: what it writes, that it repeats, that it goes on, what it refuses."""

import json
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image

from cnnkit import models, training
from cnnkit.checkpoints import load_checkpoint
from cnnkit.errors import CheckFailed, DataError, DeviceError, ModelError, UsageError
from cnnkit.training import _state

QUICK = {"net": "cifar", "imgsz": 15, "batch_size": 8, "epochs": 3, "workers": 1}


def train(data, output, **changes):
    return training.train(data, output, **{**QUICK, **changes})


def weights(path):
    return load_checkpoint(path).state_dict


def assert_same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        assert torch.equal(one[name], two[name]), name


class Stop(Exception):
    pass


def stop_after(epoch):
    def on_epoch(record, seconds_left):
        if record.epoch > epoch:
            raise Stop

    return on_epoch


@pytest.fixture(scope="module")
def trained(colours, tmp_path_factory):
    """A run that is not disturbed: its checkpoint and what `train` returned."""
    output = tmp_path_factory.mktemp("trained") / "model.pt"
    return output, train(colours, output)


def test_learns_and_scores_what_is_held_out(colours, tmp_path):
    record = train(colours, tmp_path / "model.pt", epochs=10)
    assert record.kept_epoch == 10
    assert record.epochs[-1].val_accuracy > 0.9
    assert record.epochs[-1].train_loss < record.epochs[0].train_loss


def test_checkpoint_builds_the_network_again(trained):
    output, record = trained
    saved = load_checkpoint(output)
    network = models.create(saved.architecture, len(saved.classes), **saved.arguments)
    network.load_state_dict(saved.state_dict)
    assert saved.classes == ["blue", "green", "red"]
    assert saved.arguments == {"channels": 3, "size": 15}
    assert saved.spec.input.size == (15, 15)
    assert [op.op for op in saved.spec.preprocess] == ["resize", "rescale"]
    assert saved.training == record.to_dict()
    assert record.parameters == sum(parameter.numel() for parameter in network.parameters())


def test_record_and_curves_lie_beside(trained):
    output, record = trained
    written = json.loads(output.with_suffix(".training.json").read_text())
    assert written == record.to_dict()
    assert written["data"]["per_class"] == {"blue": 10, "green": 10, "red": 10}
    assert (written["data"]["n"], written["data"]["n_val"]) == (30, 12)
    assert [epoch["epoch"] for epoch in written["epochs"]] == [1, 2, 3]
    curves = ET.fromstring(output.with_suffix(".training.svg").read_text())
    titles = [title.text for title in curves.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["Loss by epoch", "Accuracy by epoch"]
    assert not output.with_suffix(".resume.pt").exists()


def test_one_seed_one_result(colours, tmp_path, trained):
    train(colours, tmp_path / "again.pt")
    assert_same(weights(tmp_path / "again.pt"), weights(trained[0]))
    train(colours, tmp_path / "other.pt", seed=1)
    different = weights(tmp_path / "other.pt")
    assert not torch.equal(different["features.0.weight"], weights(trained[0])["features.0.weight"])


def test_random_numbers_of_the_caller_stay_as_they_were(colours, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(colours, tmp_path / "model.pt", epochs=1)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adam"},
        {"optimizer": "sgd", "schedule": "cosine", "warmup": 0.5, "lr": 0.05},
        {"optimizer": "adagrad", "rotate": 20, "flip": 0.5, "crop_padding": 2, "resized_crop": 0.5},
        {"early_stop": 2, "label_smoothing": 0.1, "class_weights": "balanced", "l1": 1e-5, "l2": 1e-3},
    ],
    ids=["adam", "sgd", "augmented", "early_stop"],
)
def test_goes_on_after_a_break_to_the_same_result(colours, tmp_path, monkeypatch, changes):
    monkeypatch.setattr(_state, "SAVE_EVERY_S", -1.0)
    whole = train(colours, tmp_path / "whole.pt", **changes)
    broken = tmp_path / "broken.pt"
    for epoch in (1, 2):
        with pytest.raises(Stop):
            train(colours, broken, on_epoch=stop_after(epoch), **changes)
        assert not broken.exists()
    said = []
    record = train(colours, broken, say=said.append, **changes)
    assert "Going on after epoch 2 of 3." in said
    assert_same(weights(broken), weights(tmp_path / "whole.pt"))
    assert [epoch.train_loss for epoch in record.epochs] == [epoch.train_loss for epoch in whole.epochs]
    assert not broken.with_suffix(".resume.pt").exists()


@pytest.mark.parametrize("optimizer", ["adagrad", "sgd"])
def test_numpy_engine_goes_on_after_a_break_to_the_same_result(colours, tmp_path, monkeypatch, optimizer):
    monkeypatch.setattr(_state, "SAVE_EVERY_S", -1.0)
    settings = {"net": "digits", "imgsz": None, "engine": "numpy", "optimizer": optimizer}
    whole = train(colours, tmp_path / "whole.pt", **settings)
    broken = tmp_path / "broken.pt"
    for epoch in (0, 1, 2):
        with pytest.raises(Stop):
            train(colours, broken, on_epoch=stop_after(epoch), **settings)
        assert broken.with_suffix(".resume.pt").exists() == (epoch > 0)
    said = []
    record = train(colours, broken, say=said.append, **settings)
    assert "Going on after epoch 2 of 3." in said
    assert_same(weights(broken), weights(tmp_path / "whole.pt"))
    figures = [(epoch.epoch, epoch.train_loss, epoch.val_accuracy) for epoch in record.epochs]
    assert figures == [(epoch.epoch, epoch.train_loss, epoch.val_accuracy) for epoch in whole.epochs]
    assert not broken.with_suffix(".resume.pt").exists()


def test_goes_on_only_with_the_same_run(colours, tmp_path, monkeypatch):
    monkeypatch.setattr(_state, "SAVE_EVERY_S", -1.0)
    output = tmp_path / "model.pt"
    with pytest.raises(Stop):
        train(colours, output, on_epoch=stop_after(1))
    with pytest.raises(
        DataError, match=r"is the state of another run: lr was 0\.001, is 0\.01\. Give the same command"
    ):
        train(colours, output, lr=0.01)
    assert train(colours, output, lr=0.01, overwrite=True).recipe.lr == 0.01


def test_a_file_that_is_no_state(colours, tmp_path):
    (tmp_path / "model.resume.pt").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"model\.resume\.pt is no state of an unfinished training run"):
        train(colours, tmp_path / "model.pt")


def test_never_over_another_file(colours, tmp_path, trained):
    output = shutil.copy(trained[0], tmp_path / "model.pt")
    with pytest.raises(UsageError, match=r"model\.pt exists\. Give another -o, or --overwrite"):
        train(colours, output)
    train(colours, output, overwrite=True, epochs=1)
    assert load_checkpoint(output).training["recipe"]["epochs"] == 1


def test_bad_images_are_named_once_and_left_out(colours, tmp_path):
    data = shutil.copytree(colours, tmp_path / "data")
    (data / "train" / "red" / "zz.png").write_bytes(b"no image at all")
    (data / "val" / "red" / "empty.jpg").write_bytes(b"")
    said = []
    record = train(data, tmp_path / "model.pt", epochs=1, say=said.append)
    left_out = [line for line in said if line.startswith("Left out")]
    assert [line.split(":")[0] for line in left_out] == ["Left out, red/zz.png", "Left out, val/red/empty.jpg"]
    assert "the file is empty (0 bytes)" in left_out[1]
    assert list(record.data.bad) == ["red/zz.png", "val/red/empty.jpg"]
    assert (record.data.n, record.data.n_val) == (30, 12)


def test_no_image_that_can_be_read(tmp_path):
    (tmp_path / "data" / "red").mkdir(parents=True)
    (tmp_path / "data" / "red" / "a.png").write_bytes(b"no")
    with pytest.raises(DataError, match=r"none of its 1 images can be read\. The first, red/a\.png: no kind of image"):
        train(tmp_path / "data", tmp_path / "model.pt")


def test_without_parts_all_is_learned_from(flat_colours, tmp_path):
    said = []
    record = train(flat_colours, tmp_path / "model.pt", epochs=1, say=said.append)
    assert record.data.n == 30
    assert record.epochs[0].val_loss is None
    assert "No val part: all 30 images are learned from. --holdout 0.2 would keep a fifth back." in said


def test_hold_out_takes_a_seeded_share_of_each_class(flat_colours, tmp_path):
    said = []
    record = train(flat_colours, tmp_path / "model.pt", epochs=1, holdout=0.2, say=said.append)
    assert (record.data.n, record.data.n_val) == (24, 6)
    assert record.data.per_class == {"blue": 8, "green": 8, "red": 8}
    assert "No val part: 6 images, chosen by seed, are held out to score each epoch." in said
    other = train(flat_colours, tmp_path / "other.pt", epochs=1, holdout=0.2, seed=1)
    assert other.data.fingerprint != record.data.fingerprint


def test_a_class_of_val_that_train_does_not_have(colours, tmp_path):
    data = shutil.copytree(colours, tmp_path / "data")
    (data / "val" / "red").rename(data / "val" / "pink")
    with pytest.raises(DataError, match="'pink'"):
        train(data, tmp_path / "model.pt")


def test_early_stopping_keeps_the_best_epoch(colours, tmp_path):
    said = []
    record = train(colours, tmp_path / "model.pt", epochs=40, lr=0.01, early_stop=2, say=said.append)
    losses = [epoch.val_loss for epoch in record.epochs]
    assert len(losses) < 40
    assert losses[record.kept_epoch - 1] == min(losses)
    assert len(losses) == record.kept_epoch + 2
    assert (
        f"Stopped after epoch {len(losses)}: no lower validation loss since epoch {record.kept_epoch}, which is kept."
        in said
    )
    shorter = train(colours, tmp_path / "shorter.pt", epochs=record.kept_epoch, lr=0.01)
    assert_same(weights(tmp_path / "model.pt"), weights(tmp_path / "shorter.pt"))
    assert shorter.epochs[-1].val_loss == min(losses)


def test_early_stopping_needs_something_to_go_by(flat_colours, tmp_path):
    with pytest.raises(UsageError, match=r"--early-stop needs a val part to go by; --holdout 0\.2 makes one"):
        train(flat_colours, tmp_path / "model.pt", early_stop=2)


def test_digits_standardise_by_the_training_part(flat_colours, tmp_path):
    train(flat_colours, tmp_path / "model.pt", net="digits", imgsz=None, epochs=1)
    spec = load_checkpoint(tmp_path / "model.pt").spec
    grey = np.stack(
        [
            np.asarray(Image.open(path).convert("L").resize((8, 12), 2).resize((8, 8), 2))
            for path in sorted(flat_colours.rglob("*.png"))
        ]
    )
    assert [op.op for op in spec.preprocess] == ["to_gray", "resize", "rescale", "normalize"]
    assert spec.preprocess[-1].mean == (pytest.approx((grey / 255).mean(), rel=1e-5),)
    assert spec.preprocess[-1].std == (pytest.approx((grey / 255).std(), rel=1e-5),)


def test_options_change_the_spec(colours, tmp_path):
    train(colours, tmp_path / "model.pt", epochs=1, preset="imagenet", imgsz=16, interpolation="opencv:area")
    spec = load_checkpoint(tmp_path / "model.pt").spec
    assert [op.op for op in spec.preprocess] == ["resize", "center_crop", "rescale", "normalize"]
    assert (spec.preprocess[0].size, spec.preprocess[0].implementation) == (18, "opencv")
    train(colours, tmp_path / "bgr.pt", epochs=1, preset="imagenet-caffe", imgsz=16)
    assert load_checkpoint(tmp_path / "bgr.pt").spec.input.channels == "BGR"


def test_grey_images_for_a_colour_network_of_the_course(colours, tmp_path):
    train(colours, tmp_path / "model.pt", epochs=1, channels="GRAY")
    assert load_checkpoint(tmp_path / "model.pt").arguments == {"channels": 1, "size": 15}


def test_fine_tuning_keeps_everything_but_the_head(colours, tmp_path, trained):
    two = tmp_path / "two"
    shutil.copytree(colours / "train" / "red", two / "red")
    shutil.copytree(colours / "train" / "green", two / "green")
    said = []
    train(two, tmp_path / "tuned.pt", weights=trained[0], lr=1e-9, epochs=1, say=said.append)
    assert f"Starts from {trained[0]}, with a new head for 2 classes." in said
    before, after = weights(trained[0]), weights(tmp_path / "tuned.pt")
    assert torch.allclose(before["features.0.weight"], after["features.0.weight"], atol=1e-6)
    assert after["classifier.5.weight"].shape == (2, 1024)


def test_fine_tuning_on_the_same_classes_keeps_the_head(colours, tmp_path, trained):
    said, nested = [], tmp_path / "nested.pth"
    torch.save({"epoch": 3, "state_dict": weights(trained[0])}, nested)
    train(colours, tmp_path / "tuned.pt", weights=nested, lr=1e-9, epochs=1, say=said.append)
    start = f"Starts from {nested}, its head for 3 classes included."
    assert f"{nested}: the weights in ['state_dict'] are taken. {start}" in said
    before, after = weights(trained[0]), weights(tmp_path / "tuned.pt")
    assert torch.allclose(before["classifier.5.weight"], after["classifier.5.weight"], atol=1e-6)


def test_weights_of_another_network(colours, tmp_path, trained):
    with pytest.raises(ModelError, match=r"does not hold the weights of cifar_improved: \d+ tensors are missing"):
        train(colours, tmp_path / "tuned.pt", net="cifar_improved", imgsz=16, weights=trained[0])
    with pytest.raises(ModelError, match=r"does not fit cifar: classifier\.2\.weight is \[1024, 128\] in the file"):
        train(colours, tmp_path / "tuned.pt", imgsz=32, weights=trained[0])


def test_numpy_engine_writes_the_same_kind_of_checkpoint(colours, tmp_path):
    output = tmp_path / "model.pt"
    record = train(colours, output, net="digits", imgsz=None, engine="numpy", epochs=2)
    saved = load_checkpoint(output)
    network = models.create(saved.architecture, 3, **saved.arguments)
    network.load_state_dict(saved.state_dict)
    assert [epoch.epoch for epoch in record.epochs] == [0, 1, 2]
    assert record.kept.val_loss is not None
    assert record.kept_epoch == 2


def test_numpy_engine_knows_no_augmentation(colours, tmp_path):
    with pytest.raises(UsageError, match="--engine numpy does not know --label-smoothing"):
        train(colours, tmp_path / "m.pt", net="digits", imgsz=None, engine="numpy", label_smoothing=0.1)


def test_googlenet_trains_its_auxiliary_heads(colours, tmp_path):
    train(colours, tmp_path / "model.pt", net="googlenet", imgsz=32, epochs=1, batch_size=15)
    torch.manual_seed(0)
    fresh = models.create("googlenet", 3).state_dict()
    after = weights(tmp_path / "model.pt")
    assert not torch.equal(fresh["aux1.fc2.weight"], after["aux1.fc2.weight"])
    assert not torch.equal(fresh["aux2.fc2.weight"], after["aux2.fc2.weight"])


def test_bf16_learns_too(colours, tmp_path):
    record = train(colours, tmp_path / "model.pt", precision="bf16", epochs=6)
    assert record.epochs[-1].val_accuracy > 0.6
    assert all(tensor.dtype == torch.float32 for tensor in weights(tmp_path / "model.pt").values())


def test_progress_counts_to_its_total(colours, tmp_path):
    seen = []
    train(colours, tmp_path / "model.pt", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (42 + 3 * 30, 42 + 3 * 30)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_loss_that_explodes_is_said(colours, tmp_path):
    with pytest.raises(CheckFailed, match=r"the loss is nan in epoch \d+: the steps are too large"):
        train(colours, tmp_path / "model.pt", optimizer="sgd", lr=1e12, epochs=10)
    assert not (tmp_path / "model.pt").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"net": "lenet6"}, "there is no network 'lenet6'"),
        ({"epochs": 0}, r"training cannot start: epochs: should be greater than or equal to 1 \(got 0\)"),
        ({"learning_rate": 0.1}, "training cannot start: learning_rate: there is no such field"),
        ({"mean": (0.5,)}, "mean and std go together"),
        ({"net": "resnet18", "channels": "GRAY"}, "resnet18 takes RGB images, not GRAY"),
        (
            {"net": "resnet18", "imgsz": 32, "batch_size": 1},
            "batch norm needs more than one image in a batch of resnet18, got 1. Give a larger --batch-size",
        ),
        ({"imgsz": 4}, "cifar cannot be built so: a kernel of 3 does not fit"),
        ({"net": "alexnet", "imgsz": 16}, "the network does not take images of 16x16"),
        ({"initial": "he"}, "--initial is for digits, simple_convnet; cifar draws its weights by a rule of its own"),
        ({"device": "gpu"}, r"device 'gpu' is unknown; training runs on auto, cpu or cuda\[:N\]"),
        ({"channels": "GRAY", "hue": 0.1}, "saturation and hue change colours"),
        ({"class_weights": {"pink": 2.0}}, "class weights name 'pink', which is none of the classes"),
        ({"precision": "fp16", "device": "cpu"}, "fp16 needs a CUDA device; on a CPU use --precision bf16"),
    ],
)
def test_wrong_settings(colours, tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        train(colours, tmp_path / "model.pt", **changes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there(colours, tmp_path):
    with pytest.raises(DeviceError, match=r"--device cuda: torch .* sees 0 CUDA devices"):
        train(colours, tmp_path / "model.pt", device="cuda")
