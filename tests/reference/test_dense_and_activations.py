import numpy as np
import pytest

from cnnkit.reference import (
    affine,
    affine_backward,
    l1,
    l2,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    softmax,
    softmax_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)


def test_affine_by_hand():
    y = affine(np.array([[1.0, 2]]), np.array([[3.0, 4], [5, 6], [7, 8]]), np.array([1.0, 0, -1]))
    assert y.tolist() == [[12, 17, 22]]


def test_affine_gradients_are_the_differences(random, close, numerical):
    x, weight, bias = random.standard_normal((3, 4)), random.standard_normal((5, 4)), random.standard_normal(5)
    dy = random.standard_normal((3, 5))
    dx, dweight, dbias = affine_backward(dy, x, weight)
    close(dx, numerical(lambda value: affine(value, weight, bias), x, dy))
    close(dweight, numerical(lambda value: affine(x, value, bias), weight, dy))
    close(dbias, numerical(lambda value: affine(x, weight, value), bias, dy))


@pytest.mark.torch
def test_affine_is_torchs(random, close):
    import torch
    from torch.nn import functional as F

    x, weight, bias = random.standard_normal((3, 4)), random.standard_normal((5, 4)), random.standard_normal(5)
    leaves = [torch.from_numpy(value).requires_grad_() for value in (x, weight, bias)]
    expected = F.linear(*leaves)
    dy = random.standard_normal((3, 5))
    expected.backward(torch.from_numpy(dy))
    close(affine(x, weight, bias), expected.detach().numpy())
    for found, leaf in zip(affine_backward(dy, x, weight), leaves, strict=True):
        close(found, leaf.grad.numpy())


@pytest.mark.torch
@pytest.mark.parametrize("name", ["relu", "sigmoid", "softmax"])
def test_activations_are_torchs_and_the_differences(random, close, numerical, name):
    import torch

    ours = {"relu": relu, "sigmoid": sigmoid, "softmax": softmax}[name]
    backward = {
        "relu": relu_backward,
        "sigmoid": lambda dy, x: sigmoid_backward(dy, sigmoid(x)),
        "softmax": lambda dy, x: softmax_backward(dy, softmax(x)),
    }[name]
    theirs = {"relu": torch.relu, "sigmoid": torch.sigmoid, "softmax": lambda x: torch.softmax(x, -1)}[name]
    x, dy = random.standard_normal((2, 3, 4)), random.standard_normal((2, 3, 4))
    leaf = torch.from_numpy(x).requires_grad_()
    expected = theirs(leaf)
    expected.backward(torch.from_numpy(dy))
    close(ours(x), expected.detach().numpy())
    close(backward(dy, x), leaf.grad.numpy())
    close(backward(dy, x), numerical(ours, x, dy))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_extremes_do_not_overflow(kind):
    x = np.array([[-1e4, 0, 1e4]], kind)
    assert sigmoid(x).tolist() == [[0, 0.5, 1]]
    assert softmax(x).tolist() == [[0, 0, 1]]
    assert softmax_cross_entropy(x, np.array([0])) == 2e4
    assert {f(x).dtype for f in (relu, sigmoid, softmax)} == {np.dtype(kind)}


def test_no_derivative_at_zero_counts_as_zero():
    assert relu_backward(np.ones(3), np.array([-1.0, 0, 1])).tolist() == [0, 0, 1]


@pytest.mark.torch
def test_cross_entropy_is_torchs_and_the_differences(random, close, numerical):
    import torch
    from torch.nn import functional as F

    logits, labels = 3 * random.standard_normal((6, 4)), random.integers(0, 4, 6)
    leaf = torch.from_numpy(logits).requires_grad_()
    expected = F.cross_entropy(leaf, torch.from_numpy(labels))
    expected.backward()
    assert softmax_cross_entropy(logits, labels) == pytest.approx(expected.item(), rel=1e-12)
    close(softmax_cross_entropy_backward(logits, labels), leaf.grad.numpy())
    differences = numerical(lambda value: np.array(softmax_cross_entropy(value, labels)), logits, 1.0)
    close(softmax_cross_entropy_backward(logits, labels), differences)


@pytest.mark.parametrize(
    ("shape", "labels", "text"),
    [
        ((2, 3), [0, 3], "labels run from 0 to 3, expected 0 to 2"),
        ((2, 3), [-1, 0], "labels run from -1 to 0"),
        ((2, 3), [0], r"got \(2, 3\) and \(1,\)"),
        ((0, 3), [], "n > 0"),
    ],
)
def test_bad_labels_are_refused(shape, labels, text):
    with pytest.raises(ValueError, match=text):
        softmax_cross_entropy(np.zeros(shape), np.array(labels, int))


@pytest.mark.parametrize("penalty", [l1, l2])
def test_penalties_have_their_gradients(random, close, numerical, penalty):
    weight = random.standard_normal((3, 4))
    value, gradient = penalty(weight, 0.3)
    assert value > 0
    close(gradient, numerical(lambda w: np.array(penalty(w, 0.3)[0]), weight, 1.0))


def test_penalties_by_hand():
    weight = np.array([3.0, -4.0, 0.0])
    assert l1(weight, 0.5)[0] == 3.5
    assert l1(weight, 0.5)[1].tolist() == [0.5, -0.5, 0]
    assert l2(weight, 0.5)[0] == 6.25
    assert l2(weight, 0.5)[1].tolist() == [1.5, -2, 0]
