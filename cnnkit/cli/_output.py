"""What a person or a machine reads: talk and progress on stderr, data on stdout."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

__all__ = ["Report", "emit_json", "progress", "say", "say_results", "table"]

Report = Callable[[int, int], None]  # (done, total): jobs call it as they go

PLAIN_EVERY_S = 10.0


def say(message: str) -> None:
    # not by click.echo, which writes past the stream that keeps a progress bar below the lines
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def emit_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def table(columns: list[str], rows: list[list[str]], *, title: str | None = None) -> None:
    """Print a table on stderr; numbers (all columns but the first) to the right."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left")
    for at, column in enumerate(columns):
        shown.add_column(column, justify="left" if at == 0 else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(cell.replace("[", "\\[") for cell in row))
    Console(file=sys.stderr).print(shown)


@contextmanager
def progress(how: str, label: str, *, unit: str = "images") -> Iterator[Report]:
    """Show how far a job is: a bar on a terminal, a line every ten seconds elsewhere, or nothing."""
    if how == "auto":
        how = "bar" if sys.stderr.isatty() else "plain"
    if how == "none":
        yield lambda done, total: None
    elif how == "plain":
        yield _plain(label, unit)
    else:
        with _bar(label, unit) as report:
            yield report


class _Rate:
    """How fast it goes since the first report, which may tell of what was there before; anew when it goes back."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None
        self._last = 0

    def at(self, done: int) -> float:
        now = time.monotonic()
        if self._first is None or done < self._last:
            self._first = now, done
        self._last = done
        began, before = self._first
        return (done - before) / (now - began) if now > began else 0.0


def _plain(label: str, unit: str) -> Report:
    last = time.monotonic()
    rate = _Rate()

    def report(done: int, total: int) -> None:
        nonlocal last
        speed = rate.at(done)
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            left = f", {(total - done) / speed:.0f} s left" if speed and total else ""
            say(f"{label}: {done} of {total} {unit}, {speed:.1f} {unit}/s{left}")

    return report


@contextmanager
def _bar(label: str, unit: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    rate = _Rate()
    with Progress(*columns, console=Console(file=sys.stderr)) as shown:
        task = shown.add_task(label, total=None, rate="")

        def report(done: int, total: int) -> None:
            if done < shown.tasks[0].completed:  # another pass: the time left is not that of the one before
                shown.reset(task)
            shown.update(task, completed=done, total=total, rate=f"{rate.at(done):.1f} {unit}/s")

        yield report


def say_results(notes: Iterable[str], output: Path | None) -> None:
    """The last lines of an evaluation: what is worth a note, and where its files lie."""
    for note in notes:
        say(f"Note: {note}")
    if output is not None:
        say(f"Results: {output}")
        if (output / "report.html").exists():
            say(f"Report: {output / 'report.html'}")
