import numpy as np
import pytest

from cnnkit.reference import (
    average_pool,
    average_pool_backward,
    channel_average_pool,
    channel_average_pool_backward,
    channel_max_pool,
    channel_max_pool_backward,
    global_average_pool,
    global_average_pool_backward,
    global_max_pool,
    global_max_pool_backward,
    max_pool,
    max_pool_backward,
)

CASES = [
    {"kernel": 2},
    {"kernel": 3, "stride": 2},
    {"kernel": 3, "stride": 1, "padding": 1},
    {"kernel": (2, 3), "stride": (1, 2)},
    {"kernel": 3, "stride": 2, "padding": 1, "ceil": True},
    {"kernel": 2, "stride": 3, "padding": 1, "ceil": True},
]


def naive_pool(x, kernel, stride, of_window):
    """The definition, window by window, without padding."""
    oh, ow = (x.shape[2] - kernel) // stride + 1, (x.shape[3] - kernel) // stride + 1
    y = np.empty((*x.shape[:2], oh, ow))
    for m, c, p, q in np.ndindex(*y.shape):
        y[m, c, p, q] = of_window(x[m, c, p * stride : p * stride + kernel, q * stride : q * stride + kernel])
    return y


def in_torch(how):
    """The same arguments under torch's names."""
    names = {"kernel": "kernel_size", "ceil": "ceil_mode", "count_padding": "count_include_pad"}
    return {names.get(name, name): value for name, value in how.items()}


def check_with_torch(close, random, x, ours, backward, theirs):
    import torch

    leaf = torch.from_numpy(x).requires_grad_()
    expected = theirs(leaf)
    dy = random.standard_normal(expected.shape)
    expected.backward(torch.from_numpy(dy))
    close(ours(x), expected.detach().numpy())
    close(backward(dy, x), leaf.grad.numpy())


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 1), (3, 2)])
def test_pools_are_the_definition(random, kernel, stride):
    x = random.standard_normal((2, 3, 7, 8))
    np.testing.assert_array_equal(max_pool(x, kernel, stride=stride), naive_pool(x, kernel, stride, np.max))
    np.testing.assert_allclose(
        average_pool(x, kernel, stride=stride), naive_pool(x, kernel, stride, np.mean), rtol=1e-13
    )


@pytest.mark.torch
@pytest.mark.parametrize("how", [*CASES, {"kernel": 2, "stride": 1, "dilation": 3}], ids=str)
def test_max_pool_is_torchs(random, close, how):
    from torch.nn import functional as F

    x = random.standard_normal((2, 3, 9, 8))
    check_with_torch(
        close,
        random,
        x,
        lambda x: max_pool(x, **how),
        lambda dy, x: max_pool_backward(dy, x, **how),
        lambda leaf: F.max_pool2d(leaf, **in_torch(how)),
    )


@pytest.mark.torch
@pytest.mark.parametrize("count_padding", [True, False])
@pytest.mark.parametrize("how", CASES, ids=str)
def test_average_pool_is_torchs(random, close, how, count_padding):
    from torch.nn import functional as F

    how = {**how, "count_padding": count_padding}
    x = random.standard_normal((2, 3, 9, 8))
    check_with_torch(
        close,
        random,
        x,
        lambda x: average_pool(x, **how),
        lambda dy, x: average_pool_backward(dy, x, **how),
        lambda leaf: F.avg_pool2d(leaf, **in_torch(how)),
    )


@pytest.mark.torch
@pytest.mark.parametrize("stride", [None, 1, 2])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_channel_pools_are_torchs_over_the_third_axis(random, close, kind, stride):
    from torch.nn import functional as F

    ours, backward = {
        "max": (channel_max_pool, channel_max_pool_backward),
        "average": (channel_average_pool, channel_average_pool_backward),
    }[kind]
    theirs = {"max": F.max_pool3d, "average": F.avg_pool3d}[kind]
    x = random.standard_normal((2, 7, 3, 4))
    check_with_torch(
        close,
        random,
        x,
        lambda x: ours(x, 3, stride=stride),
        lambda dy, x: backward(dy, x, 3, stride=stride),
        lambda leaf: theirs(leaf[:, None], (3, 1, 1), (stride or 3, 1, 1))[:, 0],
    )


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["max", "average"])
def test_global_pools_are_torchs(random, close, kind):
    from torch.nn import functional as F

    ours, backward = {
        "max": (global_max_pool, global_max_pool_backward),
        "average": (global_average_pool, global_average_pool_backward),
    }[kind]
    theirs = {"max": F.adaptive_max_pool2d, "average": F.adaptive_avg_pool2d}[kind]
    check_with_torch(close, random, random.standard_normal((2, 3, 5, 4)), ours, backward, lambda leaf: theirs(leaf, 1))


@pytest.mark.parametrize("how", CASES, ids=str)
def test_gradients_are_the_differences(random, close, numerical, how):
    x = random.standard_normal((1, 2, 5, 6))
    dy = random.standard_normal(max_pool(x, **how).shape)
    close(max_pool_backward(dy, x, **how), numerical(lambda value: max_pool(value, **how), x, dy))
    close(average_pool_backward(dy, x, **how), numerical(lambda value: average_pool(value, **how), x, dy))


def test_channel_gradients_are_the_differences(random, close, numerical):
    x = random.standard_normal((2, 6, 2, 3))
    dy = random.standard_normal((2, 3, 2, 3))
    close(channel_max_pool_backward(dy, x, 2), numerical(lambda value: channel_max_pool(value, 2), x, dy))
    close(channel_average_pool_backward(dy, x, 2), numerical(lambda value: channel_average_pool(value, 2), x, dy))


def test_of_equals_the_first_gets_the_gradient():
    assert max_pool_backward(np.ones((1, 1, 1, 1)), np.zeros((1, 1, 2, 2)), 2)[0, 0].tolist() == [[1, 0], [0, 0]]
    assert channel_max_pool_backward(np.ones((1, 1, 1, 1)), np.zeros((1, 2, 1, 1)), 2).ravel().tolist() == [1, 0]


def test_padding_never_wins():
    assert max_pool(np.full((1, 1, 2, 2), -5.0), 3, stride=1, padding=1).max() == -5


def test_nan_is_not_hidden():
    x = np.zeros((1, 1, 2, 4))
    x[0, 0, 1, 1] = np.nan
    np.testing.assert_array_equal(max_pool(x, 2)[0, 0], [[np.nan, 0]])


@pytest.mark.parametrize("pool", [max_pool, average_pool])
def test_float32_stays_float32(random, pool):
    x = random.standard_normal((1, 2, 5, 5)).astype(np.float32)
    backward = {max_pool: max_pool_backward, average_pool: average_pool_backward}[pool]
    assert pool(x, 3, padding=1).dtype == np.float32
    assert backward(pool(x, 3, padding=1), x, 3, padding=1).dtype == np.float32
