"""The difference of two calibration errors, each of which chance raises: how often its interval holds the truth."""

import numpy as np
import pytest

from cnnkit.comparison import _tested
from cnnkit.comparison._differences import compare_resampled
from cnnkit.comparison._resampled import calibration_error_of, resample


def sure_and_right(n: int, seed: int, offs: tuple[float, float]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Two models that mostly agree, each right as often as it is sure, less its own `off`, which is its error."""
    rng = np.random.default_rng(seed)
    shared = rng.uniform(0.62, 1, n), rng.random(n)
    answers = []
    for off in offs:
        own = rng.random(n) < 0.2
        drawn = rng.uniform(0.62, 1, n), rng.random(n)
        sure, luck = (np.where(own, each, base) for base, each in zip(shared, drawn, strict=True))
        answers.append((sure, luck < sure - off))
    return answers


def calibration_difference(n: int, seed: int, offs: tuple[float, float], *, resamples: int = 200) -> _tested.Tested:
    figures = [
        resample([calibration_error_of("ece", *each)], n, resamples=resamples, seed=seed)["ece"]
        for each in sure_and_right(n, seed, offs)
    ]
    return compare_resampled("a", "b", (figures[0], figures[1]), n)


def test_chance_raises_the_calibration_error_of_the_better_model_more() -> None:
    """A calibrated model shows some error, a bad one its own: the difference is too small by what chance adds."""
    found = [calibration_difference(2000, seed, (0.0, 0.1)) for seed in range(10)]
    assert sum(each.value for each in found) / len(found) < 0.085
    assert all(each.interval.low > 0 for each in found)
    assert sum(each.interval.high > 0.1 for each in found) >= 9
    reach = np.array([(each.value - each.interval.low, each.interval.high - each.value) for each in found])
    assert (reach[:, 1] > 1.3 * reach[:, 0]).all()


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 1000, 5000])
@pytest.mark.parametrize("offs", [(0, 0), (0.03, 0.03), (0.1, 0.1), (0, 0.03), (0, 0.1), (0.03, 0.06), (0.02, -0.02)])
def test_paired_intervals_hold_the_true_difference_of_calibration_errors(n: int, offs: tuple[float, float]) -> None:
    true = abs(offs[1]) - abs(offs[0])
    found = [calibration_difference(n, seed, offs) for seed in range(150)]
    assert sum(each.interval.low <= true <= each.interval.high for each in found) >= 0.91 * len(found)
    if true == 0:
        assert sum(each.p < 0.05 for each in found) <= 0.08 * len(found)
