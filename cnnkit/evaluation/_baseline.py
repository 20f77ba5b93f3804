"""The gate against a baseline: is a model worse than results that were kept?"""

import re
from pathlib import Path
from typing import NamedTuple

from cnnkit.comparison import ComparisonResults, PairedDifference, compare_results
from cnnkit.errors import UsageError
from cnnkit.evaluation._compare import contenders_from
from cnnkit.evaluation._gates import way_on
from cnnkit.metrics import RESAMPLES, mcnemar
from cnnkit.results import Results

ROUNDING = 1e-9
ALPHA = 0.05
POINTS = re.compile(r"(?P<folder>.+):(?P<points>\d+(\.\d*)?|\.\d+)")


class AgainstBaseline(NamedTuple):
    """`failure` is a sentence where the gate fails; `notes` name what differs besides the model."""

    difference: PairedDifference
    failure: str | None
    notes: tuple[str, ...]


def parse_baseline(written: str) -> tuple[Path, float | None]:
    """`results/main:0.5` to the folder and the points; a folder that is really named so wins.

    Raises:
        UsageError: points that are no number.

    >>> parse_baseline("results/main:0.5")[1]
    0.5
    """
    match = POINTS.fullmatch(written)
    if match is None or Path(written).exists():
        folder, colon, points = written.rpartition(":")
        if colon and not Path(written).exists() and Path(folder).exists():
            raise UsageError(f"{written}: {points!r} is no number of points; expected 0 or more, as in {folder}:0.5.")
        return Path(written), None
    return Path(match["folder"]), float(match["points"])


def worse_than_baseline(
    output: Path, baseline: Path, *, points: float | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> AgainstBaseline:
    """The difference to the baseline in what decides (top-1 accuracy, COCO's AP), and a sentence if the gate fails.

    Without `points` it fails when the results are significantly worse (p below 0.05). `points` are an allowance that
    takes the place of the test: it fails when they are worse by more, whatever chance may have done, and holds within
    them, however sure the loss. It is undecided, which is a failure too, where labelled images have no answer in
    either of the results, and it would not hold were the model wrong and the baseline right on all of them; for AP
    that cannot be told.

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
    contenders = contenders_from(folders)
    found = compare_results(contenders, others=False, resamples=resamples, seed=seed)
    failure = _failure(found.differences[0], baseline, points)
    if failure is None:
        failure = _undecided(found, contenders[1].results, baseline, points)
    return AgainstBaseline(found.differences[0], failure, found.models[1].notes)


def _failure(difference: PairedDifference, baseline: Path, points: float | None) -> str | None:
    if points is None:
        return f"worse than {baseline}: {difference.sentence}" if difference.better == "first" else None
    if not _beyond(difference.value, points):
        return None
    return f"more than {_points(points)} worse than {baseline}: {difference.sentence}"


def _undecided(found: ComparisonResults, results: Results, baseline: Path, points: float | None) -> str | None:
    """For a gate that holds, perhaps only without the images that one of the models has no answer for."""
    n_bad = {each.name: each.data.n_bad for each in found.models if each.data.n_bad}
    if not n_bad:
        return None
    if found.pairs:
        pair, n_out = found.pairs[0], found.n_left_out
        lost = pair.only_first + n_out, pair.only_second
        value = (lost[1] - lost[0]) / (found.n + n_out)
        if not _beyond(value, points) if points is not None else value >= 0 or mcnemar(*lost) >= ALPHA:
            return None
        might = f"with these as wrong for {found.models[1].name} and right for {found.models[0].name} it would be"
    else:
        might = "with these it might be"
    told = ", ".join(f"{name} for {n:,}" for name, n in n_bad.items())
    worse = "significantly worse" if points is None else f"more than {_points(points)} worse"
    return (
        f"{found.differences[0].sentence.removesuffix('.')}; but labelled images have no answer ({told}), and {might} "
        f"{worse} than {baseline}: undecided. {way_on(results)}, and score both again"
    )


def _beyond(value: float, points: float) -> bool:
    return -100 * value > points + ROUNDING


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"
