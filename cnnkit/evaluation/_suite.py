"""A suite: every case is run or found, and each measure compared with the value that was accepted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from cnnkit.errors import CnnkitError, DataError
from cnnkit.evaluation._case import Place, run_case
from cnnkit.evaluation._source import RESULTS
from cnnkit.results import Results
from cnnkit.suites import Case, Expected, read_expected, read_suite, write_expected

ROUNDING = 1e-9

Status = Literal["as expected", "differs", "new"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MeasuredCase(_Model):
    """A measure of a case: its value with the interval, the accepted value, and how far apart they may be."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    expected: float | None
    tolerance: float
    status: Status


class CaseOutcome(_Model):
    """`resumed`: the results were there already. `error` is the sentence of a case that failed."""

    name: str
    model: str
    data: str
    results: str
    resumed: bool = False
    error: str | None = None
    measures: tuple[MeasuredCase, ...] = ()


class SuiteOutcome(_Model):
    """What became of a suite; `updated` says that these values are the accepted ones from now on."""

    suite: str
    expected: str
    updated: bool
    cases: tuple[CaseOutcome, ...]

    @property
    def problems(self) -> list[str]:
        """A sentence for each case that failed, and, unless accepted, for each measure that is not as expected."""
        found = []
        for case in self.cases:
            if case.error:
                found.append(f"{case.name} failed: {case.error}")
            if not self.updated:
                found += [_problem(case.name, each) for each in case.measures if each.status != "as expected"]
        return found


def run_suite(
    suite: Path | str,
    output: Path | str | None = None,
    *,
    update: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    **options: Any,
) -> SuiteOutcome:
    """Run every case of a suite file and compare its measures with `expected/NAME.json`.

    A case whose results are in `output` for the same model, data and options is not run again. A case that fails is
    told and the others go on.

    Args:
        suite: the TOML file.
        output: a folder for each case's results; `results/NAME` when not given.
        update: accept the values found; those of a case that failed stay.
        overwrite: run every case again.
        progress: called with (done, total) images while a model runs.
        say: called with a sentence when a case begins.
        **options: what `evaluate` takes, for every case.

    Raises:
        DataError: a suite or a file of expected values that cannot be read.
    """
    path = Path(suite)
    cases, accepted_at = read_suite(path).case, expected_path(path)
    folder = RESULTS / path.stem if output is None else Path(output)
    accepted = read_expected(accepted_at).values
    outcomes = []
    for case in cases:
        say(f"{case.name}: {case.model} on {case.data}")
        place = Place(case, path.parent, folder)
        outcomes.append(_outcome(place, accepted.get(case.name, {}), overwrite, progress, options))
    if update:
        write_expected(accepted_at, _accepted(outcomes, accepted))
    return SuiteOutcome(suite=str(path), expected=str(accepted_at), updated=update, cases=tuple(outcomes))


def expected_path(suite: Path) -> Path:
    """`expected/NAME.json` beside the folder `suites` that holds the file, else beside the file."""
    home = suite.absolute().parent
    home = home.parent if home.name == "suites" else home
    path = home / "expected" / f"{suite.stem}.json"
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _outcome(
    place: Place,
    accepted: dict[str, float | None],
    overwrite: bool,
    progress: Callable[[int, int], None] | None,
    options: dict[str, Any],
) -> CaseOutcome:
    facts: dict[str, Any] = {
        "name": place.case.name,
        "model": place.case.model,
        "data": place.case.data,
        "results": str(place.folder),
    }
    try:
        results, resumed = run_case(place, overwrite=overwrite, progress=progress, options=options)
        measures = tuple(_measured(place.case, name, results, accepted) for name in place.case.measures)
    except Exception as error:  # whatever one model does, the others are to be measured
        sentence = str(error) if isinstance(error, CnnkitError) else f"{type(error).__name__}: {error}"
        return CaseOutcome(**facts, error=sentence)
    return CaseOutcome(**facts, resumed=resumed, measures=measures)


def _measured(case: Case, name: str, results: Results, accepted: dict[str, float | None]) -> MeasuredCase:
    if name not in results.figures:
        raise DataError(f"no figure {name!r} in its results; there are {', '.join(results.figures)}.")
    figure, tolerance = results.figures[name], case.tolerance.get(name, 0.0)
    expected = accepted.get(name)
    if name not in accepted:
        status: Status = "new"
    elif figure.value is None or expected is None:
        status = "as expected" if figure.value == expected else "differs"
    else:
        status = "as expected" if abs(figure.value - expected) <= tolerance + ROUNDING else "differs"
    return MeasuredCase(
        name=name,
        value=figure.value,
        low=figure.low,
        high=figure.high,
        expected=expected,
        tolerance=tolerance,
        status=status,
    )


def _accepted(outcomes: list[CaseOutcome], before: dict[str, dict[str, float | None]]) -> Expected:
    """The values found; of cases that failed those of before; of cases that the suite no longer has none."""
    values = {
        case.name: before.get(case.name, {}) if case.error else {each.name: each.value for each in case.measures}
        for case in outcomes
    }
    return Expected(values={name: measures for name, measures in values.items() if measures})


def _problem(case: str, each: MeasuredCase) -> str:
    value = "undefined" if each.value is None else f"{each.value:.6g}"
    if each.status == "new":
        return f"{case}: {each.name} is {value}, and no value is accepted for it yet: --update accepts it"
    wanted = "undefined" if each.expected is None else f"{each.expected:.6g} within {each.tolerance:g}"
    return f"{case}: {each.name} is {value}, expected {wanted}"
