"""The whole job for a detector: it learns in seconds, repeats, goes on, and refuses what would leave boxes behind."""

import json
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from cnnkit import data, models, pipeline, training
from cnnkit.checkpoints import load_checkpoint
from cnnkit.errors import DataError, UsageError
from cnnkit.training import _state
from cnnkit.training._batches import batches_of
from cnnkit.training._box_moves import Moves
from cnnkit.training._box_parts import find_box_parts
from cnnkit.training._box_pictures import _Kept, load_boxes
from cnnkit.training._box_targets import IGNORED
from cnnkit.training._recipe import recipe_for
from cnnkit.training._spec import draft_spec
from cnnkit.training._stores import DiskStore

QUICK = {"task": "detection", "imgsz": 48, "epochs": 2, "workers": 1}


def train(source, output, **changes):
    return training.train(source, output, **{**QUICK, **changes})


def weights(path):
    return load_checkpoint(path).state_dict


@pytest.fixture(scope="module")
def trained(blocks, tmp_path_factory):
    output = tmp_path_factory.mktemp("trained") / "model.pt"
    return output, train(blocks, output)


def test_learns_and_scores_what_is_held_out(blocks, tmp_path):
    record = train(blocks, tmp_path / "model.pt", epochs=9, batch_size=4, lr=0.01, zoom=0.1, translate=0.1)
    assert record.kept.val_ap50 > 0.8
    assert record.epochs[-1].train_loss < record.epochs[0].train_loss / 2
    assert record.kept.train_accuracy is None


def test_checkpoint_says_how_its_output_is_read(trained):
    output, record = trained
    saved = load_checkpoint(output)
    network = models.create(saved.architecture, len(saved.classes), **saved.arguments)
    network.load_state_dict(saved.state_dict)
    assert saved.classes == ["blue", "green", "red"]
    assert saved.arguments == {"channels": 3, "size": 48}
    assert saved.spec.task == "detection"
    assert (saved.spec.output.decoder, saved.spec.output.strides) == ("yolox", (8, 16))
    assert [(op.op, getattr(op, "mode", None)) for op in saved.spec.preprocess] == [
        ("resize", "letterbox"),
        ("rescale", None),
    ]
    assert saved.training == record.to_dict()


def test_record_and_curves_lie_beside(trained, blocks):
    output, record = trained
    written = json.loads(output.with_suffix(".training.json").read_text())
    assert written == record.to_dict()
    truth = data.read_coco(blocks / "annotations" / "instances_train.json")
    counts = np.bincount(truth.category, minlength=3).tolist()
    assert written["data"]["per_class"] == dict(zip(("blue", "green", "red"), counts, strict=True))
    assert (written["data"]["n"], written["data"]["n_val"]) == (32, 12)
    assert all(0 <= epoch["val_ap50"] <= 1 for epoch in written["epochs"])
    curves = ET.fromstring(output.with_suffix(".training.svg").read_text())
    titles = [title.text for title in curves.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["Loss by epoch", "AP50 by epoch"]
    legends = [text.text for text in curves.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "legend"]
    assert legends == ["training", "held out", "held out"]
    paths = curves.iter("{http://www.w3.org/2000/svg}path")
    colours = [line.get("class") for line in paths if line.get("data-label") == "held out"]
    assert colours == ["line series-2", "line series-2"]  # one colour in both charts


def test_one_seed_one_result(blocks, tmp_path, trained):
    train(blocks, tmp_path / "again.pt")
    first, again = weights(trained[0]), weights(tmp_path / "again.pt")
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_goes_on_after_a_break_to_the_same_result(blocks, tmp_path, monkeypatch):
    monkeypatch.setattr(_state, "SAVE_EVERY_S", -1.0)
    moving = {"epochs": 3, "resized_crop": 0.5, "zoom": 0.2, "flip": 0.5, "brightness": 0.1}
    train(blocks, tmp_path / "whole.pt", **moving)

    def stop(epoch, seconds_left):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(blocks, tmp_path / "broken.pt", on_epoch=stop, **moving)
    said = []
    train(blocks, tmp_path / "broken.pt", say=said.append, **moving)
    assert "Going on after epoch 1 of 3." in said
    whole, broken = weights(tmp_path / "whole.pt"), weights(tmp_path / "broken.pt")
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_other_boxes_are_another_run(blocks, tmp_path, monkeypatch):
    monkeypatch.setattr(_state, "SAVE_EVERY_S", -1.0)
    source = shutil.copytree(blocks, tmp_path / "source")

    def stop(epoch, seconds_left):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(source, tmp_path / "m.pt", epochs=3, on_epoch=stop)
    labels = source / "annotations" / "instances_train.json"
    facts = json.loads(labels.read_text())
    facts["annotations"][0]["bbox"][2] -= 1
    labels.write_text(json.dumps(facts))
    with pytest.raises(DataError, match="is the state of another run: images was"):
        train(source, tmp_path / "m.pt", epochs=3)


@pytest.mark.parametrize("to", ["voc", "yolo", "csv"])
def test_any_format_of_boxes_gives_the_same_weights(blocks, tmp_path, trained, to):
    data.convert(blocks, tmp_path / to, to=to, copy_images=True)
    recipe = recipe_for(None, task="detection")
    expected, found = (find_box_parts(source, recipe) for source in (blocks, tmp_path / to))
    assert found.training.classes == expected.training.classes
    for one, other in ((expected.training, found.training), (expected.validation, found.validation)):
        ours = {sample.key: _sorted(each) for sample, each in zip(one.listing, one.objects, strict=True)}
        theirs = {sample.key: _sorted(each) for sample, each in zip(other.listing, other.objects, strict=True)}
        assert ours == theirs
        assert all(sample.path.is_file() for sample in other.listing)


def _sorted(objects):
    return sorted(
        (of_class, *box)
        for of_class, box in zip(objects.classes.tolist(), objects.boxes.round(3).tolist(), strict=True)
    )


def test_workers_read_what_memory_holds(blocks):
    part = find_box_parts(blocks, recipe_for(None, task="detection")).training
    spec = draft_spec(recipe_for(None, task="detection", imgsz=48), part.classes)
    kept = {"moves": Moves(0.5, 0.1, 0.2, 0.5), "report": lambda n: None}
    memory, disk = load_boxes(part, spec, workers=1, **kept), load_boxes(part, spec, workers=2, cache=0, **kept)
    assert isinstance(memory.store, _Kept)
    assert isinstance(disk.store, DiskStore)
    order = batches_of(np.arange(32), 10)
    for ours, theirs in zip(memory.store.batches(order, (0, 1)), disk.store.batches(order, (0, 1)), strict=True):
        assert torch.equal(ours.pixels, theirs.pixels)
        assert all(torch.equal(one, other) for one, other in zip(ours.truth, theirs.truth, strict=True))
        assert ours.geometries == theirs.geometries


def test_bad_and_missing_pictures_are_named_once(blocks, tmp_path):
    source = shutil.copytree(blocks, tmp_path / "source")
    (source / "images" / "train" / "train003.png").write_bytes(b"no image at all")
    (source / "images" / "val" / "val001.png").unlink()
    said = []
    record = train(source, tmp_path / "m.pt", epochs=1, say=said.append)
    left_out = [line.split(":")[0] for line in said if line.startswith("Left out")]
    assert left_out == ["Left out, train003.png", "Left out, val/val001.png"]
    assert list(record.data.bad) == ["train003.png", "val/val001.png"]
    assert (record.data.n, record.data.n_val) == (31, 11)


def test_without_a_val_part_some_are_held_out(blocks, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(blocks / "images" / "train", source / "images")
    shutil.copy(blocks / "annotations" / "instances_train.json", source / "labels.json")
    said = []
    record = train(source, tmp_path / "m.pt", epochs=1, holdout=0.25, say=said.append)
    assert (record.data.n, record.data.n_val) == (24, 8)
    assert "No val part: 8 images, chosen by seed, are held out to score each epoch." in said
    record = train(source, tmp_path / "all.pt", epochs=1)
    assert (record.data.n, record.epochs[0].val_ap50) == (32, None)
    with pytest.raises(UsageError, match="--early-stop needs a val part to go by"):
        train(source, tmp_path / "no.pt", early_stop=2)


def test_crowds_are_regions_of_which_nothing_is_learned(blocks, tmp_path):
    source = shutil.copytree(blocks, tmp_path / "source")
    labels = source / "annotations" / "instances_train.json"
    facts = json.loads(labels.read_text())
    facts["annotations"][0]["iscrowd"] = 1
    labels.write_text(json.dumps(facts))
    part = find_box_parts(source, recipe_for(None, task="detection")).training
    assert part.objects[0].classes[0] == IGNORED
    assert sum((each.classes == IGNORED).sum() for each in part.objects) == 1


def test_fine_tuning_keeps_everything_but_the_head(blocks, tmp_path, trained):
    source = shutil.copytree(blocks, tmp_path / "source")
    for labels in (source / "annotations").iterdir():
        facts = json.loads(labels.read_text())
        facts["categories"].append({"id": 4, "name": "yellow"})
        labels.write_text(json.dumps(facts))
    said = []
    train(source, tmp_path / "tuned.pt", weights=trained[0], lr=1e-9, epochs=1, say=said.append)
    assert f"Starts from {trained[0]}, with a new head for 4 classes." in said
    assert any(line == "Classes without an object to learn from: 1 (yellow)." for line in said)
    before, after = weights(trained[0]), weights(tmp_path / "tuned.pt")
    assert torch.allclose(before["boxes.weight"], after["boxes.weight"], atol=1e-6)
    assert after["classes.weight"].shape == (4, 48, 1, 1)


def test_the_file_finds_what_training_scored(blocks, tmp_path, trained, torchscript_only):
    """Exported and verified, it answers as the checkpoint was scored."""
    from cnnkit import exporting

    path = exporting.export(trained[0], tmp_path / "blocks.onnx", images=blocks / "images" / "val")
    model = pipeline.open_model(path, device="cpu")
    assert model.spec.task == "detection"
    assert model.session.inputs[0].shape[0] is None, "any batch"
    record = model.spec.verification
    assert record["passed"] is True
    assert {each["detections_agreement"] for each in record["comparisons"]} == {1.0}


def test_a_file_for_a_size_that_its_grids_do_not_fit(tmp_path, trained):
    from cnnkit import exporting
    from cnnkit.errors import ModelError

    with pytest.raises(
        ModelError, match=r"model\.pt: does not run on images of 50x50: RuntimeError: .* another --imgsz"
    ):
        exporting.export(trained[0], tmp_path / "m.onnx", imgsz=(50, 50))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"net": "cifar"}, "cifar is for classification, not for detection; networks for that: detector"),
        ({"task": "classification", "net": "detector"}, "detector is for detection, not for classification"),
        ({"task": None}, "which network\\? --net NAME, one of digits, .*; or --task detection for labelled boxes"),
        ({"rotate": 5}, "--rotate is not for detection: the box around a turned object is not the turned box"),
        ({"shear": 5}, "--shear is not for detection"),
        ({"crop_padding": 4}, "--crop-padding is not for detection: --translate moves pictures with their boxes"),
        ({"engine": "numpy"}, "--engine is not for detection: the CNN written out has no detector"),
        ({"label_smoothing": 0.1}, "--label-smoothing is not for detection"),
        ({"resize": "shortest"}, "--resize shortest is not for detection: it cuts objects off"),
        ({"imgsz": 50}, "detector cannot be built so: its input is a multiple of 16 pixels, got 50"),
    ],
)
def test_what_it_refuses(blocks, tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        train(blocks, tmp_path / "m.pt", **changes)


def test_data_without_boxes(colours, tmp_path):
    with pytest.raises(DataError, match="no labelled boxes here"):
        train(colours, tmp_path / "m.pt")


def test_boxes_without_their_pictures(blocks, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(blocks / "annotations", source / "annotations")
    with pytest.raises(DataError, match=r"the pictures of its 32 images are not found: expected below"):
        train(source, tmp_path / "m.pt")


def test_labels_without_an_object(blocks, tmp_path):
    source = shutil.copytree(blocks, tmp_path / "source")
    labels = source / "annotations" / "instances_train.json"
    labels.write_text(json.dumps({**json.loads(labels.read_text()), "annotations": []}))
    with pytest.raises(DataError, match=r"has no object, so there is nothing to learn"):
        train(source, tmp_path / "m.pt")


def test_a_part_to_learn_from(blocks, tmp_path):
    source = shutil.copytree(blocks, tmp_path / "source")
    (source / "annotations" / "instances_train.json").rename(source / "annotations" / "instances_test.json")
    with pytest.raises(DataError, match="has the parts test, val, and train is what is learned from"):
        train(source, tmp_path / "m.pt")


def test_the_command(run_cnnkit, blocks, tmp_path):
    options = ["--task", "detection", "--imgsz", 48, "--epochs", 1, "-j", 1, "--progress", "none"]
    done = run_cnnkit("train", blocks, "-o", tmp_path / "m.pt", *options)
    lines = done.stderr.splitlines()
    assert "val scores each epoch (12 images)." in lines
    [epoch] = [line for line in lines if line.startswith("epoch 1: ")]
    assert "AP50 " in epoch
    assert "accuracy" not in epoch
    assert lines[-1].startswith("Trained detector on 32 images. Epoch 1: loss ")
