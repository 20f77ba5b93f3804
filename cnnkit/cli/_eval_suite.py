"""`cnnkit eval --suite FILE`."""

from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._eval_gates import escaped, write_summary
from cnnkit.cli._typed import typed
from cnnkit.errors import CheckFailed, UsageError

suite_options = _options.together(
    click.option("--suite", type=_options.PATH, help="Run every case of this TOML file instead of RUN|MODEL and DATA."),
    click.option("--update", is_flag=True, help="With --suite: accept the values found as the expected ones."),
)

# a suite's cases say the rest themselves
FOR_A_SUITE = {
    *("suite", "update", "output", "summary", "resamples", "seed", "no_report", "overwrite", "as_json", "progress"),
    *("batch_size", "workers", "device", "providers", "allow_fallback", "precision", "threads"),
}


def run(
    suite: Path,
    output: Path | None,
    *,
    update: bool,
    summary: Path | None,
    as_json: bool,
    progress: str,
    options: dict[str, Any],
) -> None:
    """Run a suite, show each case, and exit 1 when one failed or a measure is not as expected."""
    from cnnkit import evaluation

    _refuse_others()
    with _output.progress(progress, "infer") as report:
        found = evaluation.run_suite(suite, output, update=update, progress=report, say=_output.say, **options)
    _output.table(["case", "measure", "value", "expected", "within", "verdict"], _rows(found), title=_title(found))
    if found.updated:
        _output.say(f"Accepted: {found.expected}")
    if summary is not None:
        write_summary(summary, _markdown(found))
    if as_json:
        _output.emit_json(found.model_dump(mode="json"))
    if found.problems:
        raise CheckFailed("; ".join(each.removesuffix(".") for each in found.problems) + ".")


def _refuse_others() -> None:
    names = [parameter.name or "" for parameter in click.get_current_context().command.params]
    others = typed(*(name for name in names if name not in (*FOR_A_SUITE, "paths")))
    positions = ["RUN|MODEL DATA"] if typed("paths") else []
    if positions or others:
        raise UsageError(
            f"{', '.join(positions + others)} cannot stand beside --suite, whose file says what is run and expected."
        )


def _title(found: Any) -> str:
    resumed = sum(case.resumed for case in found.cases)
    told = f"{Path(found.suite).stem}: {len(found.cases)} cases"
    return f"{told}, {resumed} of them from an earlier run" if resumed else told


def _rows(found: Any) -> list[list[str]]:
    rows = []
    for case in found.cases:
        if case.error:
            rows.append([case.name, "", "", "", "", "failed"])
        rows += [
            [case.name, each.name, _number(each.value), _number(each.expected), f"{each.tolerance:g}", each.status]
            for each in case.measures
        ]
    return rows


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _markdown(found: Any) -> str:
    head = [f"## Suite {escaped(Path(found.suite).stem)}: {len(found.cases)} cases", ""]
    problems = [f"- {escaped(each)}" for each in found.problems] or [
        "Accepted as the expected values." if found.updated else "All as expected."
    ]
    rows = ["| case | measure | value | expected | within | verdict |", "|---|---|--:|--:|--:|---|"]
    rows += [f"| {' | '.join(escaped(cell) for cell in row)} |" for row in _rows(found)]
    return "\n".join([*head, *problems, "", *rows, ""])
