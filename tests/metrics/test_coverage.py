"""How often intervals hold the truth, and tests raise a false alarm, on data whose truth is known."""

import functools

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from cnnkit import metrics

pytestmark = pytest.mark.slow

SETS = 1000


@pytest.mark.parametrize("n", [100, 200, 500, 1000])
def test_wilson(n: int) -> None:
    """Exactly, from the binomial distribution, for every truth with at least 5 hits and 5 misses expected."""
    low, high = np.array([metrics.wilson(hits, n) for hits in range(n + 1)]).T
    for truth in np.linspace(5 / n, 1 - 5 / n, 501):
        chances = scipy.stats.binom.pmf(np.arange(n + 1), n, truth)
        assert 0.925 <= chances[(low <= truth) & (truth <= high)].sum() <= 0.975


@pytest.mark.parametrize(("n", "discordant"), [(200, 0.05), (500, 0.2), (2000, 0.1)])
def test_mcnemar_raises_few_false_alarms(n: int, discordant: float) -> None:
    rng = np.random.default_rng(0)
    test = functools.cache(metrics.mcnemar)
    first, second, _ = rng.multinomial(n, [discordant / 2, discordant / 2, 1 - discordant], size=10_000).T
    alarms = [test(one, other) < 0.05 for one, other in zip(first.tolist(), second.tolist(), strict=True)]
    assert np.mean(alarms) <= 0.055


@pytest.mark.parametrize(("first", "second"), [(0.05, 0.05), (0.06, 0.03), (0.01, 0.0)])
def test_paired_difference(first: float, second: float) -> None:
    rng = np.random.default_rng(0)
    interval = functools.cache(metrics.paired_difference)
    drawn = rng.multinomial(500, [first, second, 1 - first - second], size=4000)[:, :2]
    held = [low <= first - second <= high for low, high in (interval(*pair, 500) for pair in drawn.tolist())]
    assert 0.93 <= np.mean(held) <= 0.985


def binormal_ap(shift: float, share: float) -> float:
    """Average precision in the population: scores N(shift, 1) of a share of positives, N(0, 1) of the rest."""
    cut = np.linspace(shift + 8, -8, 200_001)
    hits, alarms = scipy.stats.norm.sf(cut - shift), scipy.stats.norm.sf(cut)
    precision = share * hits / (share * hits + (1 - share) * alarms)
    return float(np.trapezoid(precision, hits))


def binormal(rng: np.random.Generator, n: int, share: float, shift: float) -> tuple[NDArray, NDArray]:
    positives = rng.random(n) < share
    return rng.normal(size=n) + shift * positives, positives


@pytest.mark.parametrize("method", ["bootstrap", "jackknife"])
@pytest.mark.parametrize(
    ("n", "positives", "shift"), [(300, 30, 1.5), (300, 30, 2.5), (1000, 30, 2.0), (400, 200, 1.5)]
)
def test_average_precision_and_auc(n: int, positives: int, shift: float, method: str) -> None:
    rng = np.random.default_rng(n + positives)
    truths = binormal_ap(shift, positives / n), float(scipy.stats.norm.cdf(shift / 2**0.5))
    held = np.zeros(2)
    for seed in range(SETS):
        scores, truth = binormal(rng, n, positives / n, shift)
        found = metrics.ranking_estimates(
            scores[:, None],
            truth[:, None],
            resamples=600,
            seed=seed,
            bootstrap_up_to=0 if method == "jackknife" else np.inf,
        )
        for at, estimate in enumerate((found.average_precision[0], found.roc_auc[0])):
            assert estimate.interval is not None
            held[at] += estimate.interval.low <= truths[at] <= estimate.interval.high
    assert 0.93 <= held[0] / SETS <= 0.97, held / SETS
    assert 0.90 <= held[1] / SETS <= 0.97, held / SETS  # an area near 1 on few positives is held too seldom


def test_macro_f1() -> None:
    rng = np.random.default_rng(0)
    cells = np.array([[0.30, 0.05, 0.05], [0.02, 0.20, 0.08], [0.03, 0.02, 0.25]])
    truth = metrics.classification_report((cells * 1_000_000).round().astype(int)).macro.f1
    held = 0
    for seed in range(SETS):
        drawn = rng.multinomial(300, cells.reshape(-1)).reshape(3, 3)
        interval = metrics.report_estimates(drawn, resamples=600, seed=seed).averages["macro_f1"].interval
        assert interval is not None
        held += interval.low <= truth <= interval.high
    assert 0.93 <= held / SETS <= 0.97, held / SETS


def test_means_of_skewed_numbers() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(SETS):
        interval = metrics.bootstrap_mean(rng.exponential(size=200), resamples=600, seed=seed)
        assert interval is not None
        held += interval.low <= 1 <= interval.high
    assert 0.93 <= held / SETS <= 0.97, held / SETS
