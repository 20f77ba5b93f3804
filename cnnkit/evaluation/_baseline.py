"""The gate against a baseline: is a model worse than results that were kept?"""

import re
from pathlib import Path
from typing import NamedTuple

from cnnkit.comparison import PairedDifference, compare_results
from cnnkit.evaluation._compare import contenders_from
from cnnkit.metrics import RESAMPLES

ROUNDING = 1e-9
POINTS = re.compile(r"(?P<folder>.+):(?P<points>\d+(\.\d*)?|\.\d+)")


class AgainstBaseline(NamedTuple):
    """`failure` is a sentence where the gate fails; `notes` name what differs besides the model."""

    difference: PairedDifference
    failure: str | None
    notes: tuple[str, ...]


def parse_baseline(written: str) -> tuple[Path, float | None]:
    """`results/main:0.5` to the folder and the points; a folder that is really named so wins.

    >>> parse_baseline("results/main:0.5")[1]
    0.5
    """
    match = POINTS.fullmatch(written)
    if match is None or Path(written).exists():
        return Path(written), None
    return Path(match["folder"]), float(match["points"])


def worse_than_baseline(
    output: Path, baseline: Path, *, points: float | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> AgainstBaseline:
    """The difference to the baseline in what decides (top-1 accuracy, COCO's AP), and a sentence if the gate fails.

    Without `points` it fails when the results are significantly worse (p below 0.05). With them it fails when they are
    worse by more than so many points, whatever chance may have done.

    Args:
        output: the results folder of the model that is to pass.
        baseline: a results folder of the same images.
        points: how much worse is accepted.
        resamples: how often the images are drawn anew, for what needs it.
        seed: of the draws.

    Raises:
        DataError: no results, or results that cannot be compared.
    """
    folders = [baseline.parent if baseline.is_file() else baseline, output]
    found = compare_results(contenders_from(folders), others=False, resamples=resamples, seed=seed)
    difference = found.differences[0]
    return AgainstBaseline(difference, _failure(difference, baseline, points), found.models[1].notes)


def _failure(difference: PairedDifference, baseline: Path, points: float | None) -> str | None:
    if points is None:
        return f"worse than {baseline}: {difference.sentence}" if difference.better == "first" else None
    if -100 * difference.value <= points + ROUNDING:
        return None
    return f"more than {points:g} point{'' if points == 1 else 's'} worse than {baseline}: {difference.sentence}"
