"""A suite: every case is run or found, and each measure compared with the value that was accepted."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cnnkit.evaluation._case import Place
from cnnkit.evaluation._outcome import CaseOutcome, MeasuredCase, OutcomeModel, failed, outcome_of
from cnnkit.evaluation._source import RESULTS
from cnnkit.evaluation._worker import Worker, WorkerDied
from cnnkit.suites import Expected, read_expected, read_suite, write_expected

Accepted = Mapping[str, float | None]


class SuiteOutcome(OutcomeModel):
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
    isolate: bool = True,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    **options: Any,
) -> SuiteOutcome:
    """Run every case of a suite file and compare its measures with `expected/NAME.json`.

    A case whose results are in `output` for the same model, data and options is not run again. A case that fails is
    told and the others go on, also when its process dies: cases run in another process than this. A case that killed it
    is tried once more, since a run that goes on keeps away from the image that it died on.

    Args:
        suite: the TOML file.
        output: a folder for each case's results; `results/NAME` when not given.
        update: accept the values found; those of a case that failed stay.
        overwrite: run every case again.
        isolate: run the cases in another process; without, in this one, and one that kills it ends the suite.
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
    with Worker() as worker:
        for case in cases:
            say(f"{case.name}: {case.model} on {case.data}")
            place, values = Place(case, path.parent, folder), accepted.get(case.name, {})
            how: dict[str, Any] = {"overwrite": overwrite, "progress": progress, "options": options}
            outcomes.append(
                _isolated(worker, place, values, say=say, **how) if isolate else outcome_of(place, values, **how)
            )
    if update:
        write_expected(accepted_at, _accepted(outcomes, accepted))
    return SuiteOutcome(suite=str(path), expected=str(accepted_at), updated=update, cases=tuple(outcomes))


def expected_path(suite: Path) -> Path:
    """`expected/NAME.json` beside the folder `suites` that holds the file, else beside the file."""
    home = suite.absolute().parent
    home = home.parent if home.name == "suites" else home
    path = home / "expected" / f"{suite.stem}.json"
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _isolated(
    worker: Worker,
    place: Place,
    accepted: Accepted,
    *,
    overwrite: bool,
    progress: Callable[[int, int], None] | None,
    options: dict[str, Any],
    say: Callable[[str], None],
) -> CaseOutcome:
    request: dict[str, Any] = {
        "case": place.case.model_dump(mode="json"),
        "base": str(place.base),
        "output": str(place.output),
        "accepted": dict(accepted),
        "options": options,
    }
    try:
        return CaseOutcome.model_validate(worker.run({**request, "overwrite": overwrite}, progress=progress))
    except WorkerDied as death:
        say(f"{place.case.name}: {death}. Once more, from where it was.")
    try:
        return CaseOutcome.model_validate(worker.run({**request, "overwrite": False}, progress=progress))
    except WorkerDied as death:
        return failed(place, f"{death}, twice.")


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
