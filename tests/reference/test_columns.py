import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.reference import col2im, im2col
from cnnkit.reference._windows import Windows


def naive_im2col(x, *, kernel, stride, padding, dilation):
    """The definition, number by number; padding (top, left, bottom, right)."""
    n, channels, height, width = x.shape
    top, left, bottom, right = padding
    oh = (height + top + bottom - dilation * (kernel[0] - 1) - 1) // stride + 1
    ow = (width + left + right - dilation * (kernel[1] - 1) - 1) // stride + 1
    columns = np.zeros((n, channels * kernel[0] * kernel[1], oh * ow))
    for m, c, i, j, p, q in np.ndindex(n, channels, *kernel, oh, ow):
        y, z = p * stride + i * dilation - top, q * stride + j * dilation - left
        if 0 <= y < height and 0 <= z < width:
            columns[m, (c * kernel[0] + i) * kernel[1] + j, p * ow + q] = x[m, c, y, z]
    return columns


geometry = st.fixed_dictionaries(
    {
        "kernel": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "stride": st.integers(1, 3),
        "padding": st.tuples(*[st.integers(0, 2)] * 4),
        "dilation": st.integers(1, 2),
    }
)


@settings(max_examples=40, deadline=None)
@given(geometry, st.integers(5, 7), st.integers(5, 7), st.integers(0, 2**31))
def test_columns_are_the_definition(how, height, width, seed):
    x = np.random.default_rng(seed).standard_normal((2, 2, height, width))
    np.testing.assert_array_equal(im2col(x, **how), naive_im2col(x, **how))


@settings(max_examples=40, deadline=None)
@given(geometry, st.integers(0, 2**31))
def test_col2im_is_the_transpose(how, seed):
    random = np.random.default_rng(seed)
    x = random.standard_normal((2, 3, 6, 7))
    columns = im2col(x, **how)
    c = random.standard_normal(columns.shape)
    assert np.isclose((columns * c).sum(), (x * col2im(c, (6, 7), **how)).sum(), rtol=1e-12, atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_columns_are_torchs(random, stride, dilation):
    import torch
    from torch.nn import functional as F

    x = random.standard_normal((2, 3, 7, 8))
    how = {"stride": stride, "padding": 1, "dilation": dilation}
    columns = im2col(x, (3, 2), **how)
    np.testing.assert_array_equal(columns, F.unfold(torch.from_numpy(x), (3, 2), **how).numpy())
    folded = F.fold(torch.from_numpy(columns), (7, 8), (3, 2), **how).numpy()
    np.testing.assert_allclose(col2im(columns, (7, 8), (3, 2), **how), folded, rtol=1e-14)


@pytest.mark.parametrize(
    ("padding", "stride", "output", "sides"),
    [
        ("valid", 1, (3, 4), (0, 0, 0, 0)),
        ("valid", 2, (2, 2), (0, 0, 0, 0)),
        ("same", 1, (5, 6), (1, 1, 1, 1)),
        ("same", 2, (3, 3), (1, 0, 1, 1)),
        ("same_lower", 2, (3, 3), (1, 1, 1, 0)),
        ("full", 1, (7, 8), (2, 2, 2, 2)),
        (1, 3, (2, 2), (1, 1, 1, 1)),
        ((0, 1), 1, (3, 6), (0, 1, 0, 1)),
        ((1, 0, 2, 3), 1, (6, 7), (1, 0, 2, 3)),
    ],
)
def test_padding_by_hand(padding, stride, output, sides):
    windows = Windows.over((5, 6), 3, stride=stride, padding=padding)
    assert windows.output == output
    assert windows.padding == sides


@pytest.mark.parametrize(("size", "count"), [(4, 2), (5, 2), (6, 3), (8, 3), (9, 4)])
def test_ceil_lets_the_last_window_hang_over(size, count):
    # floor((N + 2 - 2) / 3) + 1 windows start at -1, 2, 5, 8; ceil adds one only where it starts inside the picture
    windows = Windows.over((size, 7), 2, stride=3, padding=1, ceil=True)
    assert windows.output[0] == count


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"kernel": 0}, "must be at least 1"),
        ({"kernel": 3, "stride": 0}, "must be at least 1"),
        ({"kernel": 6}, r"no window of \(6, 6\) with dilation \(1, 1\) fits a picture of \(5, 5\)"),
        ({"kernel": 3, "padding": "half"}, "padding 'half' is not a number, 2 or 4 numbers, or one of valid"),
    ],
)
def test_impossible_windows_are_refused(arguments, text):
    with pytest.raises(ValueError, match=text):
        Windows.over((5, 5), **arguments)
