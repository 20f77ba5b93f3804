"""What the page says about the data: groups of images, and the labels themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnkit.report._health import health_content, health_sentences
from cnnkit.report._slices import slice_intro, slice_notes, slice_rows, slice_sentence
from cnnkit.results import Results


def data_content(results: Results, labels: Sequence[str], root: Path | None) -> dict[str, Any]:
    """What the template shows of it."""
    return {
        "slices": slice_rows(results),
        "slice_intro": slice_intro(results),
        "slice_notes": slice_notes(results),
        "health": health_content(results, labels, root),
    }


def data_sentences(results: Results) -> list[str]:
    return [each for each in (slice_sentence(results), *health_sentences(results)) if each]
