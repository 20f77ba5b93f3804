import numpy as np
import pytest

from cnnkit.reference import convolution, convolution_backward


def naive_convolution(x, weight, bias, *, stride=1, padding=0, dilation=1, groups=1):
    """The definition, seven loops."""
    n, _, height, width = x.shape
    filters, per_group, fh, fw = weight.shape
    oh = (height + 2 * padding - dilation * (fh - 1) - 1) // stride + 1
    ow = (width + 2 * padding - dilation * (fw - 1) - 1) // stride + 1
    y = np.zeros((n, filters, oh, ow))
    for m, f, p, q in np.ndindex(n, filters, oh, ow):
        first = f // (filters // groups) * per_group
        y[m, f, p, q] = bias[f]
        for c, i, j in np.ndindex(per_group, fh, fw):
            row, column = p * stride + i * dilation - padding, q * stride + j * dilation - padding
            if 0 <= row < height and 0 <= column < width:
                y[m, f, p, q] += weight[f, c, i, j] * x[m, first + c, row, column]
    return y


CASES = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"padding": 2, "stride": 2},
    {"dilation": 2},
    {"groups": 2},
    {"groups": 4, "padding": 1},
    {"stride": 2, "padding": 1, "dilation": 2, "groups": 2},
]


@pytest.fixture
def arrays(random):
    def make(groups=1):
        weight = random.standard_normal((8, 4 // groups, 3, 2))
        return random.standard_normal((2, 4, 6, 7)), weight, random.standard_normal(8)

    return make


@pytest.mark.parametrize("how", CASES, ids=str)
def test_forward_is_the_definition(arrays, how, close):
    x, weight, bias = arrays(how.get("groups", 1))
    close(convolution(x, weight, bias, **how), naive_convolution(x, weight, bias, **how), bound=1e-14)


@pytest.mark.torch
@pytest.mark.parametrize("how", CASES, ids=str)
def test_forward_and_gradients_are_torchs(arrays, how, random, close):
    import torch
    from torch.nn import functional as F

    x, weight, bias = arrays(how.get("groups", 1))
    leaves = [torch.from_numpy(value).requires_grad_() for value in (x, weight, bias)]
    expected = F.conv2d(*leaves, **how)
    dy = random.standard_normal(expected.shape)
    expected.backward(torch.from_numpy(dy))
    close(convolution(x, weight, bias, **how), expected.detach().numpy())
    for found, leaf in zip(convolution_backward(dy, x, weight, **how), leaves, strict=True):
        close(found, leaf.grad.numpy())


@pytest.mark.parametrize("how", [{}, {"stride": 2, "padding": "same", "groups": 2}, {"padding": "full"}], ids=str)
def test_gradients_are_the_differences(random, how, close, numerical):
    x = random.standard_normal((2, 2, 4, 5))
    weight, bias = random.standard_normal((2, 2 // how.get("groups", 1), 2, 3)), random.standard_normal(2)
    dy = random.standard_normal(convolution(x, weight, bias, **how).shape)
    dx, dweight, dbias = convolution_backward(dy, x, weight, **how)
    close(dx, numerical(lambda value: convolution(value, weight, bias, **how), x, dy))
    close(dweight, numerical(lambda value: convolution(x, value, bias, **how), weight, dy))
    close(dbias, numerical(lambda value: convolution(x, weight, value, **how), bias, dy))


def test_a_line_detector_by_hand():
    image = np.zeros((1, 1, 3, 4))
    image[..., 2] = 1  # a vertical line
    vertical = np.array([[[[-1.0, 1.0]]]])
    assert convolution(image, vertical)[0, 0].tolist() == [[0, 1, -1]] * 3


@pytest.mark.parametrize(("padding", "size"), [("valid", (4, 4)), ("same", (6, 6)), ("full", (8, 8))])
def test_padding_by_its_word(padding, size):
    y = convolution(np.ones((1, 1, 6, 6)), np.ones((1, 1, 3, 3)), padding=padding)
    assert y.shape == (1, 1, *size)
    assert y.max() == 9


def test_full_convolution_is_the_product_of_polynomials():
    x, kernel = np.array([1.0, 2, 3]), np.array([4.0, 5])
    y = convolution(x.reshape(1, 1, 1, 3), kernel[::-1].reshape(1, 1, 1, 2), padding="full")
    np.testing.assert_array_equal(y.ravel(), np.convolve(x, kernel))


def test_blocks_of_images_change_nothing(arrays, monkeypatch, random):
    x, weight, bias = arrays()
    whole = convolution(x, weight, bias, padding=1)
    dy = random.standard_normal(whole.shape)
    gradients = convolution_backward(dy, x, weight, padding=1)
    monkeypatch.setattr("cnnkit.reference._convolution.COLUMNS_BYTES", 1)
    np.testing.assert_allclose(convolution(x, weight, bias, padding=1), whole, rtol=1e-15)
    for found, expected in zip(convolution_backward(dy, x, weight, padding=1), gradients, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_float32_stays_float32(arrays):
    x, weight, bias = (value.astype(np.float32) for value in arrays())
    y = convolution(x, weight, bias)
    assert y.dtype == np.float32
    assert {value.dtype for value in convolution_backward(y, x, weight)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("weight", "groups", "text"),
    [
        ((8, 3, 2, 2), 1, r"x has 4 channels, a weight \(8, 3, 2, 2\) in 1 groups takes 3"),
        ((8, 1, 2, 2), 3, "3 groups do not divide 4 channels and 8 filters"),
        ((8, 4, 9, 9), 1, "no window"),
    ],
)
def test_what_does_not_fit_is_refused(weight, groups, text):
    with pytest.raises(ValueError, match=text):
        convolution(np.zeros((1, 4, 6, 6)), np.zeros(weight), groups=groups)
