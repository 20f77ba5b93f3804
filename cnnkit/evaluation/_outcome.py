"""What became of a case: each measure compared with the value that was accepted."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from cnnkit.errors import CnnkitError, DataError
from cnnkit.evaluation._case import Place, run_case
from cnnkit.results import Results
from cnnkit.suites import Case

ROUNDING = 1e-9

Status = Literal["as expected", "differs", "new"]


class OutcomeModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MeasuredCase(OutcomeModel):
    """A measure of a case: its value with the interval, the accepted value, and how far apart they may be."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    expected: float | None
    tolerance: float
    status: Status


class CaseOutcome(OutcomeModel):
    """`resumed`: the results were there already. `error` is the sentence of a case that failed."""

    name: str
    model: str
    data: str
    results: str
    resumed: bool = False
    error: str | None = None
    measures: tuple[MeasuredCase, ...] = ()


def outcome_of(
    place: Place,
    accepted: Mapping[str, float | None],
    *,
    overwrite: bool,
    progress: Callable[[int, int], None] | None,
    options: dict[str, Any],
) -> CaseOutcome:
    """Run a case, or find it run, and compare its measures; whatever it raises is its outcome."""
    try:
        results, resumed = run_case(place, overwrite=overwrite, progress=progress, options=options)
        measures = tuple(_measured(place.case, name, results, accepted) for name in place.case.measures)
    except Exception as error:  # whatever one model does, the others are to be measured
        sentence = str(error) if isinstance(error, CnnkitError) else f"{type(error).__name__}: {error}"
        return failed(place, sentence)
    return CaseOutcome(**_facts(place), resumed=resumed, measures=measures)


def failed(place: Place, sentence: str) -> CaseOutcome:
    return CaseOutcome(**_facts(place), error=sentence)


def _facts(place: Place) -> dict[str, Any]:
    case = place.case
    return {"name": case.name, "model": case.model, "data": case.data, "results": str(place.folder)}


def _measured(case: Case, name: str, results: Results, accepted: Mapping[str, float | None]) -> MeasuredCase:
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
