"""Batch norm, dropout, and layers in a row."""

import numpy as np
import pytest

from cnnkit.reference import (
    SGD,
    AdaGrad,
    Affine,
    AveragePool,
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    MaxPool,
    ReLU,
    Sequential,
    Sigmoid,
    batch_norm,
    batch_norm_backward,
    batch_statistics,
    dropout,
    dropout_backward,
    fit,
    softmax_cross_entropy,
)


def test_batch_norm_by_hand():
    x = np.array([[1.0], [3.0]])  # mean 2, variance 1
    y = batch_norm(x, np.array([2.0]), np.array([5.0]), *batch_statistics(x), epsilon=0)
    assert y.tolist() == [[3], [7]]


@pytest.mark.torch
@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2, 5)])
def test_batch_norm_is_torchs(random, close, shape):
    import torch

    layer, module = BatchNorm(3, dtype=np.float64), torch.nn.BatchNorm2d(3).double()
    x, dy = 3 * random.standard_normal(shape) + 1, random.standard_normal(shape)
    weight, bias = random.standard_normal(3), random.standard_normal(3)
    layer.parameters.update(weight=weight, bias=bias)
    module.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)}, strict=False)
    leaf = torch.from_numpy(x.reshape(*shape[:2], *(shape[2:] or (1, 1)))).requires_grad_()
    expected = module(leaf)
    expected.backward(torch.from_numpy(dy).reshape(leaf.shape))
    close(layer.forward(x, training=True), expected.detach().numpy().reshape(shape))
    close(layer.backward(dy), leaf.grad.numpy().reshape(shape))
    close(layer.gradients["weight"], module.weight.grad.numpy())
    close(layer.gradients["bias"], module.bias.grad.numpy())
    close(layer.running_mean, module.running_mean.numpy())
    close(layer.running_variance, module.running_var.numpy())
    close(layer.forward(x), module.eval()(leaf).detach().numpy().reshape(shape))


def test_batch_norm_gradients_are_the_differences(random, close, numerical):
    x, gamma, beta = random.standard_normal((3, 2, 2, 2)), random.standard_normal(2), random.standard_normal(2)
    dy = random.standard_normal(x.shape)
    dx, dgamma, dbeta = batch_norm_backward(dy, x, gamma)
    close(dx, numerical(lambda value: batch_norm(value, gamma, beta, *batch_statistics(value)), x, dy))
    close(dgamma, numerical(lambda value: batch_norm(x, value, beta, *batch_statistics(x)), gamma, dy))
    close(dbeta, numerical(lambda value: batch_norm(x, gamma, value, *batch_statistics(x)), beta, dy))


def test_dropout_keeps_the_mean_and_the_share(random):
    y, mask = dropout(np.ones((100, 100)), 0.3, random)
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert y.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(dropout_backward(np.full((100, 100), 2.0), mask), 2 * y)


def test_dropout_layer_works_in_training_only(random):
    layer, x = Dropout(0.5, random), np.ones((4, 50))
    np.testing.assert_array_equal(layer.forward(x), x)
    np.testing.assert_array_equal(layer.backward(x), x)
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(layer.backward(x), y)
    assert 0 < (y == 0).sum() < 200


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_bad_rate_is_refused(random, rate):
    with pytest.raises(ValueError, match=rf"a dropout rate lies in \[0, 1\), got {rate}"):
        dropout(np.ones(3), rate, random)


@pytest.fixture
def network(random):
    """One layer of each kind, float64."""

    def draw(shape):
        return random.standard_normal(shape)

    return Sequential(
        {
            "conv": Convolution(2, 4, (3, 3), padding=1, groups=2, draw=draw),
            "norm": BatchNorm(4, dtype=np.float64),
            "relu": ReLU(),
            "pool": MaxPool(2),
            "average": AveragePool(3, stride=1, padding=1),
            "sigmoid": Sigmoid(),
            "flatten": Flatten(),
            "dense": Affine(16, 3, draw=draw),
        }
    )


def test_a_chain_has_the_gradients_of_its_links(random, network, close, numerical):
    x, dy = random.standard_normal((3, 2, 4, 4)), random.standard_normal((3, 3))
    network.forward(x, training=True)
    dx = network.backward(dy)
    gradients = {name: value.copy() for name, value in network.gradients.items()}
    close(dx, numerical(lambda value: network.forward(value, training=True), x, dy))
    for name, parameter in network.parameters.items():
        differences = numerical(lambda _: network.forward(x, training=True), parameter, dy)
        if name == "conv.bias":  # batch norm takes the mean away, and with it the bias
            assert np.abs(gradients[name]).max() < 1e-12
        else:
            close(gradients[name], differences)


def test_parameters_go_out_and_in_by_name(network, random):
    kept = {name: random.standard_normal(value.shape) for name, value in network.parameters.items()}
    network.load(kept)
    for name, value in network.parameters.items():
        np.testing.assert_array_equal(value, kept[name])
    with pytest.raises(ValueError, match=r"expected parameters conv\.weight, .*, got other"):
        network.load({"other": np.zeros(1)})
    with pytest.raises(ValueError, match=r"dense\.bias has shape \(3,\), got \(2,\)"):
        network.load({**kept, "dense.bias": np.zeros(2)})


@pytest.mark.torch
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SGD(0.1, momentum=0.9), lambda w: __import__("torch").optim.SGD([w], 0.1, momentum=0.9)),
        (
            AdaGrad(0.1, start=0.5),
            lambda w: __import__("torch").optim.Adagrad([w], 0.1, initial_accumulator_value=0.5, eps=0),
        ),
    ],
    ids=["sgd", "adagrad"],
)
def test_optimizers_are_torchs(random, close, ours, theirs):
    import torch

    weight = random.standard_normal(5)
    leaf = torch.from_numpy(weight.copy()).requires_grad_()
    optimizer = theirs(leaf)
    for gradient in random.standard_normal((4, 5)):
        ours.step({"w": weight}, {"w": gradient})
        leaf.grad = torch.from_numpy(gradient)
        optimizer.step()
    close(weight, leaf.detach().numpy())


def test_fit_learns_and_reports_each_epoch(random):
    labels = random.integers(0, 2, 40)
    images = (labels[:, None] * 2 - 1 + random.standard_normal((40, 3))).astype(np.float64)
    network = Sequential({"dense": Affine(3, 2, draw=np.zeros)})
    seen = []
    fit(
        network,
        images,
        labels,
        optimizer=SGD(0.5),
        epochs=5,
        batch_size=16,
        random=random,
        on_epoch=lambda epoch: seen.append((epoch, softmax_cross_entropy(network.logits(images), labels))),
    )
    assert [epoch for epoch, _ in seen] == [0, 1, 2, 3, 4, 5]
    assert seen[0][1] == pytest.approx(np.log(2))
    assert seen[-1][1] < 0.2
    assert (network.predict(images) == labels).mean() > 0.9


def test_a_layer_without_arithmetic_says_so():
    with pytest.raises(TypeError, match="Layer has no forward pass"):
        Layer().forward(np.zeros(1))
    with pytest.raises(TypeError, match="Layer has no backward pass"):
        Layer().backward(np.zeros(1))
