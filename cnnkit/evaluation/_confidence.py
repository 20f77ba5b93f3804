"""What the probabilities are worth: calibration, the temperature, thresholds on the confidence."""

from collections.abc import Sequence

import numpy as np

from cnnkit import metrics
from cnnkit.evaluation._answers import Answers
from cnnkit.evaluation._curves import thinned
from cnnkit.evaluation._figures import figure_from_estimate
from cnnkit.results import Bin, Calibration, Curve, Figure, OperatingPoint

WANTED = (0.9, 0.95, 0.99)
POINTS = 400
MANY_ZEROS = 0.01  # share of all probabilities
NO_PROBABILITIES = "the scores are no probabilities"
NAMES = ("cross_entropy", "brier", "ece", "ece_equal_mass")


def probability_figures(answers: Answers, *, resamples: int, seed: int) -> dict[str, Figure]:
    """Cross-entropy, Brier score and both calibration errors; undefined where the scores are no probabilities."""
    n = len(answers.rank)
    if not answers.are_probabilities:
        return {name: Figure(value=None, n=n, note=NO_PROBABILITIES) for name in NAMES}
    found = metrics.probability_estimates(answers.scores, answers.truth, resamples=resamples, seed=seed)
    clipped = f"{found.n_clipped} probabilities raised to 2^-126" if found.n_clipped else None
    return {
        "cross_entropy": figure_from_estimate(found.cross_entropy, n, note=clipped),
        "brier": figure_from_estimate(found.brier, n),
        "ece": figure_from_estimate(found.calibration_error, n, note=f"{metrics.BINS} bins of equal width"),
        "ece_equal_mass": figure_from_estimate(
            found.calibration_error_equal_mass, n, note=f"{metrics.BINS} bins of as many images"
        ),
    }


def lost_to_softmax(answers: Answers) -> str | None:
    """A sentence where a softmax has made many probabilities 0: what ranks or scores them is of what is left."""
    share = float(np.count_nonzero(answers.scores == 0)) / answers.scores.size
    if share < MANY_ZEROS:
        return None
    return (
        f"{100 * share:.0f} % of the probabilities are exactly 0: the model's outputs lie too far apart for a softmax "
        f"in float32. Whatever ranks or weighs them is of what is left (top-k, mAP, ROC AUC, cross-entropy, "
        f"calibration), and no temperature is fitted; --activation none ranks by the outputs themselves."
    )


def calibration_of(answers: Answers, *, softmax: bool) -> Calibration | None:
    """Reliability bins, and for a softmax the temperature that lowers the cross-entropy most."""
    if not answers.are_probabilities:
        return None
    sure, correct = answers.confidence, answers.rank == 1
    temperature = metrics.fit_temperature(answers.scores, answers.truth) if softmax else None
    mended = None
    if temperature is not None:
        losses = metrics.tempered_log_losses(answers.scores, answers.truth, temperature=temperature)
        mended = float(losses.mean())
    return Calibration(
        equal_width=_bins(metrics.reliability_bins(sure, correct)),
        equal_mass=_bins(metrics.reliability_bins(sure, correct, equal_mass=True)),
        temperature=temperature,
        cross_entropy_at_temperature=mended,
    )


def _bins(found: Sequence[metrics.ReliabilityBin]) -> tuple[Bin, ...]:
    return tuple(
        Bin(low=each.low, high=each.high, n=each.n, confidence=each.confidence, accuracy=each.accuracy)
        for each in found
    )


def risk_coverage_of(answers: Answers) -> Curve | None:
    if not answers.are_probabilities:
        return None
    curve = metrics.risk_coverage(answers.confidence, answers.rank == 1)
    return thinned(None, curve.coverage, curve.accuracy, curve.threshold, POINTS)


def operating_points_of(answers: Answers) -> tuple[OperatingPoint, ...]:
    """The confidence from which 90, 95 and 99 % of the answers are right, as far as that is not so of all answers."""
    correct = answers.rank == 1
    if not answers.are_probabilities:
        return ()
    found = []
    for wanted in WANTED:
        if np.mean(correct) >= wanted:
            continue
        point = metrics.threshold_for_precision(answers.confidence, correct, wanted=wanted)
        if point is None:
            found.append(OperatingPoint(wanted_precision=wanted, threshold=None, precision=None, coverage=None))
            continue
        n = round(point.coverage * len(correct))
        low, high = metrics.wilson(round(point.precision * n), n)
        reached: dict[str, float] = {name: getattr(point, name) for name in ("threshold", "precision", "coverage")}
        found.append(OperatingPoint(wanted_precision=wanted, **reached, n=n, low=low, high=high))
    return tuple(found)
