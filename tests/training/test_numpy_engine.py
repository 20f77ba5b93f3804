"""The written-out network learns the digits as the course's did."""

import numpy as np
import pytest

from cnnkit.errors import UsageError
from cnnkit.training.numpy_engine import train_numpy


@pytest.fixture(scope="module")
def digits():
    """scikit-learn's digits, standardised over everything, every third held out: (images, labels) twice."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = ((bunch.images - bunch.images.mean()) / bunch.images.std())[:, None].astype(np.float32)
    held_out = np.arange(len(images)) % 3 == 0
    return (images[~held_out], bunch.target[~held_out]), (images[held_out], bunch.target[held_out])


def check_start(curve):
    assert 2.2 < curve[0].train_loss < 2.45
    assert 0.05 < curve[10].train_loss < 0.09


def test_first_ten_epochs_follow_the_record(digits):
    (images, labels), test = digits
    parameters, curve = train_numpy(images, labels, val=test, epochs=10)
    check_start(curve)
    assert curve[10].val_accuracy > 0.96
    assert [measure.epoch for measure in curve] == list(range(11))
    assert {name: value.shape for name, value in parameters.items()} == {
        "conv.weight": (10, 1, 3, 3),
        "conv.bias": (10,),
        "dense.weight": (100, 160),
        "dense.bias": (100,),
        "out.weight": (10, 100),
        "out.bias": (10,),
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_forty_epochs_follow_the_record(digits, seed):
    (images, labels), test = digits
    _, curve = train_numpy(images, labels, val=test, epochs=40, seed=seed)
    check_start(curve)
    assert 0.026 < curve[20].train_loss < 0.05
    assert 0.017 < curve[30].train_loss < 0.032
    assert 0.012 < curve[40].train_loss < 0.024
    assert 0.06 < curve[40].val_loss < 0.085
    assert 0.97 < curve[40].val_accuracy < 0.99


def test_one_seed_one_result(digits):
    (images, labels), _ = digits
    runs = [train_numpy(images[:64], labels[:64], epochs=2, seed=seed)[0] for seed in (5, 5, 6)]
    np.testing.assert_array_equal(runs[0]["out.weight"], runs[1]["out.weight"])
    assert np.abs(runs[0]["out.weight"] - runs[2]["out.weight"]).max() > 0.1


@pytest.mark.torch
@pytest.mark.parametrize(("net", "size"), [("digits", 8), ("simple_convnet", 28)])
def test_same_weights_same_outputs_in_torch(net, size):
    import torch

    from cnnkit import models, reference

    network = reference.NETWORKS[net](np.random.default_rng(3))
    module = models.create(net, classes=10).eval()
    module.load_state_dict({name: torch.from_numpy(value) for name, value in network.parameters.items()})
    images = np.random.default_rng(4).standard_normal((7, 1, size, size)).astype(np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(network.logits(images), expected, atol=1e-5)


def test_sgd_and_penalties_train_too(digits):
    (images, labels), _ = digits
    settings = {"optimizer": "sgd", "lr": 0.02, "epochs": 6, "batch_size": 32}
    free, curve = train_numpy(images[:320], labels[:320], **settings)
    held, _ = train_numpy(images[:320], labels[:320], **settings, l1=0.01, l2=0.1)
    assert curve[-1].train_loss < 0.5 * curve[0].train_loss
    assert np.abs(held["dense.weight"]).sum() < 0.9 * np.abs(free["dense.weight"]).sum()


def test_what_is_not_there_is_named(digits):
    (images, labels), _ = digits
    with pytest.raises(UsageError, match=r"no network 'vgg16'; it has digits, simple_convnet"):
        train_numpy(images, labels, net="vgg16")
    with pytest.raises(UsageError, match=r"no optimizer 'adam'; it has adagrad and sgd"):
        train_numpy(images, labels, optimizer="adam")
