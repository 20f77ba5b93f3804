"""The two judges of a gradient: differences, and a bound on the relative error."""

import numpy as np
import pytest


@pytest.fixture
def random():
    return np.random.default_rng(11)


@pytest.fixture
def numerical():
    """numerical(f, x, dy) is the gradient of sum(f(x) dy) by central differences, float64."""

    def gradient(f, x, dy, *, step=1e-5):
        found = np.empty_like(x)
        for at in np.ndindex(x.shape):
            kept = x[at]
            x[at] = kept + step
            above = (f(x) * dy).sum()
            x[at] = kept - step
            below = (f(x) * dy).sum()
            x[at] = kept
            found[at] = (above - below) / (2 * step)
        return found

    return gradient


@pytest.fixture
def close():
    """Largest difference over the largest value below 1e-6, and the same shape and dtype."""

    def check(found, expected, *, bound=1e-6):
        expected = np.asarray(expected)
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        scale = max(np.abs(found).max(initial=0), np.abs(expected).max(initial=0), 1e-300)
        assert np.abs(found - expected).max(initial=0) / scale < bound

    return check
