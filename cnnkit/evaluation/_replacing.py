"""Results are replaced by those of the same model on the same data; by others only when asked to."""

import json
from pathlib import Path
from typing import NamedTuple

from cnnkit.errors import DataError
from cnnkit.results import RESULTS_FILE


def refuse_to_replace(
    output: Path | None, data: Path, truth: Path | None, *, name: str, sha256: str | None = None
) -> None:
    """DataError when `output` holds results of another model than this one, or of other data or another truth.

    Of another tool's answers, which have no `sha256`, the name tells.
    """
    found = None if output is None else _results_in(output)
    if output is None or found is None:
        return
    labels = truth or data
    other_model = name != found.name or (None not in (sha256, found.sha256) and sha256 != found.sha256)
    named = [found.truth, found.root] if labels.is_dir() else [found.truth or found.root]  # a file is the labels
    places = [(output / each).resolve() for each in named if each is not None]
    same_kind = truth is None or found.truth is not None  # class folders are no file of labels
    if not other_model and same_kind and any(_belong_together(labels.resolve(), place) for place in places):
        return
    shown = f"another {name}" if other_model and name == found.name else f"{found.name} on {places[0]}"
    raise DataError(
        f"{output}: holds the results of {shown}. Give another -o; --overwrite replaces them by those of {name} "
        f"on {labels}."
    )


class _Found(NamedTuple):
    name: str
    sha256: str | None
    root: str
    truth: str | None


def _results_in(output: Path) -> _Found | None:
    """As they are written, by whatever version; None where there are none that can be told."""
    try:
        facts = json.loads((output / RESULTS_FILE).read_bytes())
        model, data = facts["model"], facts["data"]
        found = _Found(model["name"], model.get("sha256"), data["root"], data.get("truth"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found.name, str) and isinstance(found.root, str) else None


def _belong_together(data: Path, place: Path) -> bool:
    """Results name the part that was scored, or the folder of a run's images, of which `data` may be a part.

    A file, such as YOLO's data.yaml, may speak of a folder beside it.
    """
    if data.is_file() and place.is_dir():
        data = data.parent
    return data.is_relative_to(place) or place.is_relative_to(data)
