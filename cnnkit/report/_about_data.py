"""What the page says about the data: groups of images, and the labels themselves."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit.report._slices import slice_notes, slice_rows, slice_sentence
from cnnkit.results import Results

if TYPE_CHECKING:
    import pyarrow as pa


def data_content(results: Results, labels: list[str], rows: "pa.Table", root: Path | None) -> dict[str, Any]:
    """What the template shows of it."""
    return {"slices": slice_rows(results), "slice_notes": slice_notes(results)}


def data_sentences(results: Results, labels: list[str]) -> list[str]:
    return [each for each in (slice_sentence(results),) if each]
