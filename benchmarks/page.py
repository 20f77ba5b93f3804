"""docs/performance.md, a section at a time: each script writes its own."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def write_section(title: str, text: str) -> None:
    """Put `text` under the heading `title`, in place of what stood there."""
    page = PAGE.read_text() if PAGE.exists() else "# Performance\n"
    heading = f"## {title}\n"
    before, found, after = page.partition(heading)
    rest = after.partition("\n## ")[2] if found else ""
    PAGE.write_text(before.rstrip() + f"\n\n{heading}\n{text}" + (f"\n## {rest}" if rest else ""))
