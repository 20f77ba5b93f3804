"""docs/performance.md, a section at a time: each script writes its own."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cnnkit.benchmark._machine import this_machine

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def add_write_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")


def measured_by(script: str, what: str) -> str:
    """The first sentence of a section: what was measured, and on what."""
    machine = this_machine()
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    return (
        f"Measured by `benchmarks/{script}`: {what} {machine.cpu}, {machine.cores} cores; {machine.system}; {versions}."
    )


def as_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown, the first column to the left and the others to the right."""
    lines = [columns, ["---", *["--:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def write_section(title: str, text: str) -> None:
    """Put `text` under the heading `title`, in place of what stood there."""
    page = PAGE.read_text() if PAGE.exists() else "# Performance\n"
    heading = f"## {title}\n"
    before, found, after = page.partition(heading)
    rest = after.partition("\n## ")[2] if found else ""
    PAGE.write_text(before.rstrip() + f"\n\n{heading}\n{text.rstrip()}\n" + (f"\n## {rest}" if rest else ""))
