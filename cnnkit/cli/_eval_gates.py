"""Gates of `cnnkit eval`, and the summary for the page of a build."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnkit.cli import _options, _output
from cnnkit.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from cnnkit.results import Figure, Results

gate_options = _options.together(
    click.option(
        "--fail-under",
        multiple=True,
        metavar="FIGURE=VALUE",
        help="Exit 1 when a figure is below, such as top1_accuracy=0.75, or might be with images that have no answer; "
        "may be repeated.",
    ),
    click.option(
        "--fail-if-worse-than",
        metavar="RESULTS[:POINTS]",
        help="Exit 1 when significantly worse (p < 0.05) than these results on the same images. POINTS are an "
        "allowance in place of the test: exit 1 when worse by more, not within them, however sure the loss.",
    ),
    click.option(
        "--summary",
        type=_options.PATH,
        help="Write figures and gates as Markdown; added to the file when it is $GITHUB_STEP_SUMMARY.",
    ),
)


@dataclass(frozen=True)
class Gates:
    """What must hold. `written` is the baseline as it was typed."""

    floors: Mapping[str, float]
    baseline: Path | None
    points: float | None
    written: str | None


@dataclass(frozen=True)
class Verdicts:
    """`told` says how the results stand to the baseline, whether the gate holds or not; `notes` what to know of it."""

    failures: list[str]
    asked: list[str]
    told: str | None = None
    notes: tuple[str, ...] = ()

    def check(self) -> None:
        if self.failures:
            raise CheckFailed("; ".join(each.removesuffix(".") for each in self.failures) + ".")
        if self.asked:
            _output.say(f"Passed: {', '.join(self.asked)}.")


def read_gates(fail_under: Sequence[str], worse_than: str | None, output: Path | None) -> Gates:
    """Refuse what cannot be meant before anything is run."""
    from cnnkit import evaluation
    from cnnkit.results import read_results

    floors = evaluation.parse_floors(fail_under)
    if worse_than is None:
        return Gates(floors, None, None, None)
    baseline, points = evaluation.parse_baseline(worse_than)
    read_results(baseline)
    if output is None:
        raise UsageError("--fail-if-worse-than compares results folders image by image: give this one a place with -o.")
    if output.resolve() == (baseline.parent if baseline.is_file() else baseline).resolve():
        raise UsageError(f"{baseline} is the folder that these results would replace. Give them another with -o.")
    return Gates(floors, baseline, points, worse_than)


def judge(results: "Results", gates: Gates, output: Path | None, *, resamples: int, seed: int) -> Verdicts:
    from cnnkit import evaluation

    failures = evaluation.failed_floors(results, gates.floors)
    asked = [f"--fail-under {name}={floor:g}" for name, floor in gates.floors.items()]
    notes = evaluation.notes_on_floors(results, gates.floors)
    if gates.baseline is None or output is None:
        return Verdicts(failures, asked, notes=notes)
    found = evaluation.worse_than_baseline(output, gates.baseline, points=gates.points, resamples=resamples, seed=seed)
    failures += [found.failure] if found.failure else []
    asked = [*asked, f"--fail-if-worse-than {gates.written}"]
    return Verdicts(failures, asked, found.difference.sentence, (*notes, *found.notes))


def results_summary(results: "Results", verdicts: Verdicts) -> str:
    """Figures with their intervals, and what the gates say, in Markdown."""
    lines = [
        f"## {escaped(results.model.name)}: {results.data.n:,} images of {escaped(Path(results.data.root).name)}",
        "",
    ]
    if verdicts.asked:
        state = "**Failed**" if verdicts.failures else "Passed"
        lines += [f"{state}: {', '.join(f'`{each}`' for each in verdicts.asked)}", ""]
    lines += [f"- {escaped(each)}" for each in verdicts.failures]
    if verdicts.told and not any(verdicts.told.removesuffix(".") in each for each in verdicts.failures):
        lines.append(f"- {escaped(verdicts.told)}")
    lines += [f"- Note: {escaped(each)}." for each in verdicts.notes]
    return "\n".join([*lines, "", *_figures(results.figures), ""])


def _figures(figures: Mapping[str, "Figure"]) -> list[str]:
    rows = ["| figure | value | 95 % interval | n |", "|---|--:|--:|--:|"]
    for name, figure in figures.items():
        value = "undefined" if figure.value is None else f"{figure.value:.4f}"
        interval = "" if figure.low is None or figure.high is None else f"{figure.low:.4f} to {figure.high:.4f}"
        rows.append(f"| {name} | {value} | {interval} | {figure.n:,} |")
    return rows


def escaped(text: str) -> str:
    """Names of files and models are text, not Markdown or HTML."""
    for character in "\\`*_[]<>|#":
        text = text.replace(
            character, f"\\{character}" if character not in "<>" else {"<": "&lt;", ">": "&gt;"}[character]
        )
    return text


def write_summary(path: Path, text: str) -> None:
    """Replace the file; one that a build collects its summary in, and so names itself, is added to."""
    from cnnkit.files import write_text

    collected = os.environ.get("GITHUB_STEP_SUMMARY")
    if collected and Path(collected).resolve() == path.resolve() and path.exists():
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")
    else:
        write_text(path, text)
