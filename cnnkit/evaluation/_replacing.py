"""Results are replaced by those of the same model on the same data; by others only when asked to."""

import json
from pathlib import Path
from typing import Any

from cnnkit.errors import DataError
from cnnkit.results import RESULTS_FILE


def refuse_to_replace(output: Path | None, data: Path, *, name: str, sha256: str | None = None) -> None:
    """DataError when `output` holds results of another model than this one, or of other data.

    Of another tool's answers, which have no `sha256`, the name tells.
    """
    found = _results_in(output)
    if output is None or not found:
        return
    model, root = found["model"], output / found["data"]["root"]
    other_model = name != model["name"] or (None not in (sha256, model.get("sha256")) and sha256 != model["sha256"])
    if not other_model and _belong_together(data.resolve(), root.resolve()):
        return
    shown = f"another {name}" if other_model and name == model["name"] else f"{model['name']} on {root.resolve()}"
    raise DataError(
        f"{output}: holds the results of {shown}. Give another -o; --overwrite replaces them by those of {name} "
        f"on {data}."
    )


def _results_in(output: Path | None) -> dict[str, Any]:
    """As they are written, by whatever version; nothing where there are none that can be told."""
    if output is None:
        return {}
    try:
        found = json.loads((output / RESULTS_FILE).read_bytes())
        known = {"model": {**found["model"]}, "data": {"root": str(found["data"]["root"])}}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return known if isinstance(known["model"].get("name"), str) else {}


def _belong_together(data: Path, root: Path) -> bool:
    """Results name the part that was scored, or the folder of a run's images, of which `data` may be a part."""
    return data.is_relative_to(root) or root.is_relative_to(data) or root == data.parent
