"""Checkpoints: plain types in, the same out, and a sentence for every other file."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from cnnkit.checkpoints import Checkpoint, load_checkpoint, read_weights, save_checkpoint, without_prefix
from cnnkit.errors import ModelError
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Rescale, Resize

SPEC = ModelSpec(
    input=ModelInput(size=(8, 8)),
    preprocess=(Resize(size=(8, 8), mode="exact"), Rescale(scale=1 / 255)),
    output=ClassificationOutput(),
    classes=(ClassName(name="cat"), ClassName(name="dog", aliases=("hound",))),
)


def checkpoint(**changes):
    facts = {
        "architecture": "cifar",
        "arguments": {"channels": 3, "size": 8},
        "state_dict": {"fc.weight": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(7)},
        "classes": ["cat", "dog"],
        "spec": SPEC,
        "training": {"epochs": [{"epoch": 1, "train_loss": 0.5}], "note": None},
    }
    return Checkpoint(**{**facts, **changes})


@pytest.fixture
def saved(tmp_path):
    save_checkpoint(tmp_path / "model.pt", checkpoint())
    return tmp_path / "model.pt"


def test_round_trip(saved):
    read = load_checkpoint(saved)
    assert (read.architecture, read.arguments, read.classes) == ("cifar", {"channels": 3, "size": 8}, ["cat", "dog"])
    assert read.spec == SPEC
    assert read.training == checkpoint().training
    assert torch.equal(read.state_dict["fc.weight"], checkpoint().state_dict["fc.weight"])
    assert read.state_dict["n"].dtype == torch.int64


def test_opens_without_running_code(saved):
    facts = torch.load(saved, weights_only=True)
    assert set(facts) == {
        "format",
        "schema",
        "architecture",
        "arguments",
        "classes",
        "spec",
        "training",
        "state_dict",
    }


def test_parameters_are_saved_without_their_gradients(tmp_path):
    network = torch.nn.Linear(2, 2)
    save_checkpoint(tmp_path / "m.pt", checkpoint(state_dict=dict(network.named_parameters())))
    assert not load_checkpoint(tmp_path / "m.pt").state_dict["weight"].requires_grad


def test_classes_are_those_of_the_spec():
    with pytest.raises(ValueError, match=r"the checkpoint's classes \['dog', 'cat'\] are not those of its spec"):
        checkpoint(classes=["dog", "cat"])


def write_module(path):
    torch.save(torch.nn.Linear(2, 2), path)


def write_state_dict(path):
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)


def write_dictionary(path):
    torch.save({"epoch": 3, "lr": 0.1}, path)


def write_list(path):
    torch.save([1, 2], path)


def write_half(path):
    save_checkpoint(path, checkpoint())
    path.write_bytes(path.read_bytes()[:500])


def write_without_spec(path):
    save_checkpoint(path, checkpoint())
    facts = torch.load(path, weights_only=True)
    del facts["spec"]
    torch.save(facts, path)


def write_bad_spec(path):
    save_checkpoint(path, checkpoint())
    torch.save({**torch.load(path, weights_only=True), "spec": "{"}, path)


def write_newer(path):
    save_checkpoint(path, checkpoint())
    torch.save({**torch.load(path, weights_only=True), "schema": 2}, path)


BAD = {
    "nothing": (lambda path: None, "no such file"),
    "folder": (lambda path: path.mkdir(), "no such file"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged or no PyTorch file"),
    "text": (lambda path: path.write_text("hello world"), "is damaged or no PyTorch file"),
    "onnx": (lambda path: path.write_bytes(b"\x08\x0a\x12\x07pytorch"), "is damaged or no PyTorch file"),
    "pickle": (lambda path: path.write_bytes(pickle.dumps({1, 2})), "is damaged or no PyTorch file"),
    "module": (write_module, r"an object of torch\.nn\.modules\.linear\.Linear, pickled: loading it would run code"),
    "state_dict": (write_state_dict, r"holds 2 tensors and neither the network nor its preprocessing.*--weights FILE"),
    "dictionary": (write_dictionary, "is not a checkpoint of cnnkit: it holds 'epoch', 'lr'"),
    "list": (write_list, "is not a checkpoint of cnnkit: it holds list"),
    "half": (write_half, "is damaged or no PyTorch file"),
    "without spec": (write_without_spec, "the checkpoint is damaged: 'spec'"),
    "bad spec": (write_bad_spec, "the spec is not JSON"),
    "newer": (write_newer, "the checkpoint has schema 2, this cnnkit reads 1"),
}


@pytest.mark.parametrize(("write", "message"), BAD.values(), ids=BAD)
def test_other_files_get_a_sentence(tmp_path, write, message):
    path = tmp_path / "model.pt"
    write(path)
    with pytest.raises(ModelError, match=f"model\\.pt.*{message}"):
        load_checkpoint(path)


TENSORS = {"fc.weight": torch.ones(2, 3), "fc.bias": torch.zeros(2)}


@pytest.mark.parametrize(
    "facts",
    [
        TENSORS,
        {"state_dict": TENSORS, "epoch": 3},
        {"model": {f"module.{name}": tensor for name, tensor in TENSORS.items()}},
        {f"_orig_mod.{name}": tensor for name, tensor in TENSORS.items()},
    ],
    ids=["plain", "wrapped", "parallel", "compiled"],
)
def test_weights_however_they_lie(tmp_path, facts):
    torch.save(facts, tmp_path / "weights.pth")
    read = read_weights(tmp_path / "weights.pth")
    assert without_prefix(read.tensors, TENSORS).keys() == TENSORS.keys()
    assert read.classes is None


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        (TENSORS, None),
        ({"state_dict": TENSORS, "epoch": 3}, "the weights in ['state_dict'] are taken."),
        ({"epoch": 3, "model": {"state_dict": TENSORS}}, "the weights in ['model']['state_dict'] are taken."),
        (
            {"state_dict_ema": TENSORS, "state_dict": TENSORS, "optimizer": {"state": {0: TENSORS}, "lr": 0.1}},
            "the weights in ['state_dict'] are taken, not those in ['state_dict_ema'].",
        ),
        (
            {"model": TENSORS, **{f"c{at}": TENSORS for at in range(6)}},
            "the weights in ['model'] are taken, not those in ['c0'], ['c1'], ['c2'], ['c3'] and 2 more.",
        ),
    ],
    ids=["plain", "one", "twice", "averaged", "many"],
)
def test_which_of_the_weights_are_taken_is_said(tmp_path, facts, note):
    path = tmp_path / "weights.pth"
    torch.save(facts, path)
    assert read_weights(path).note == (note and f"{path}: {note}")


def test_weights_of_the_old_format(tmp_path):
    torch.save(TENSORS, tmp_path / "weights.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(read_weights(tmp_path / "weights.pth").tensors["fc.weight"], TENSORS["fc.weight"])


def test_weights_of_safetensors(tmp_path):
    save_file(TENSORS, tmp_path / "weights.safetensors")
    assert read_weights(tmp_path / "weights.safetensors").tensors.keys() == TENSORS.keys()
    (tmp_path / "bad.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match=r"bad\.safetensors: is no safetensors file"):
        read_weights(tmp_path / "bad.safetensors")
    with pytest.raises(ModelError, match=r"none\.safetensors: no such file of weights"):
        read_weights(tmp_path / "none.safetensors")


def test_weights_of_a_checkpoint_bring_its_classes(saved):
    read = read_weights(saved)
    assert read.classes == ["cat", "dog"]
    assert read.tensors.keys() == {"fc.weight", "n"}
    assert read.note is None


def test_no_weights_in_it(tmp_path):
    write_dictionary(tmp_path / "weights.pth")
    with pytest.raises(ModelError, match=r"weights\.pth: holds no weights by name; it holds 'epoch', 'lr'"):
        read_weights(tmp_path / "weights.pth")
