"""One case of a suite: what it depends on, whether that has been run already, and running it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit import __version__
from cnnkit.data import convert
from cnnkit.errors import DataError
from cnnkit.evaluation._detection_files import is_results_file
from cnnkit.evaluation._foreign_files import is_answers_file
from cnnkit.evaluation._gates import LOWER_IS_BETTER
from cnnkit.evaluation._job import evaluate
from cnnkit.evaluation._tree import tree_sha256
from cnnkit.files import write_text
from cnnkit.results import Results, read_results, remove_results
from cnnkit.suites import BUILT_IN_DATA, READING, Case

CASE_FILE = "case.json"
OF_THE_SUITE = {"name", "measures", "tolerance"}  # what decides a verdict, not a result
FILES = ("truth", "class_map", "labels")
OF_SCORING = {"resamples", "seed", "report"}  # the options that hold of predictions made elsewhere too


@dataclass(frozen=True)
class Place:
    """Where a case's model, data and results lie; `base` is the folder of the suite file."""

    case: Case
    base: Path
    output: Path

    @property
    def folder(self) -> Path:
        return self.output / self.case.name

    @property
    def model(self) -> Path:
        return self.base / self.case.model

    @property
    def data(self) -> Path:
        """Built-in data is written below the output folder when it is first wanted."""
        if self.case.data not in BUILT_IN_DATA:
            return self.base / self.case.data
        folder = self.output / "_data" / self.case.data.rpartition(":")[2]
        convert(self.case.data, folder)
        return folder

    def file(self, name: str) -> Path | None:
        written: str | None = getattr(self.case, name)
        return None if written is None else self.base / written


def run_case(
    place: Place, *, overwrite: bool, progress: Callable[[int, int], None] | None, options: dict[str, Any]
) -> tuple[Results, bool]:
    """The results of a case, and whether they were there already: for this model, this data and these options."""
    data = place.data
    wanted = _identity(place, data, options)
    found = _recorded(place.folder)
    if not overwrite and found == wanted | {"done": True}:
        return read_results(place.folder), True
    begun = found is not None and {**found, "done": False} == wanted | {"done": False}
    remove_results(place.folder)
    _record(place.folder, wanted | {"done": False})
    results = evaluate(
        place.model,
        data,
        place.folder,
        progress=progress,
        **_arguments(place, options, overwrite=overwrite or not begun),
    )
    _record(place.folder, wanted | {"done": True})
    return results, False


def _arguments(place: Place, options: dict[str, Any], *, overwrite: bool) -> dict[str, Any]:
    """What `evaluate` is asked; a run that was begun for the same case goes on, another one is replaced.

    Where predictions are there already, options of running are for the other cases of the suite; what the case says
    itself is passed on, to be refused where it would change nothing.
    """
    case = place.case
    asked: dict[str, Any] = {
        "truth": place.file("truth"),
        "truth_index": case.truth_index,
        "multilabel": case.multilabel,
        "split": case.split,
        "class_map": place.file("class_map"),
        "figures": tuple(name for name in case.measures if not name.endswith(LOWER_IS_BETTER)),
    }
    described = {name: getattr(case, name) for name in ("threshold", "protocol", *READING)}
    asked |= {name: value for name, value in described.items() if value is not None}
    if case.labels is not None:
        asked["labels"] = place.file("labels")
    if _made_already(place.model):
        return {**asked, **{name: value for name, value in options.items() if name in OF_SCORING}}
    return {**asked, **options, **({"overwrite": True} if overwrite else {})}


def _made_already(model: Path) -> bool:
    return model.is_dir() or is_results_file(model) or is_answers_file(model)


def _identity(place: Place, data: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Everything that decides the results, as JSON values."""
    if not place.model.exists():
        raise DataError(f"{place.model}: no such model or run. Paths in a suite are relative to its file.")
    named = {name: path for name in FILES if (path := place.file(name))}
    for name, path in named.items():
        if not path.exists():
            raise DataError(f"{path}: no such file; {name} of {place.case.name}. Paths are relative to the suite.")
    files = {name: tree_sha256(path) for name, path in named.items()}
    return {
        "schema": 1,
        "cnnkit": __version__,
        "case": place.case.model_dump(mode="json", exclude=OF_THE_SUITE, exclude_defaults=True),
        "model_sha256": tree_sha256(place.model),
        "data_sha256": tree_sha256(data),
        "files_sha256": files,
        "options": {name: str(value) for name, value in sorted(options.items()) if name != "report"},
    }


def _recorded(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / CASE_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _record(folder: Path, facts: dict[str, Any]) -> None:
    write_text(folder / CASE_FILE, json.dumps(facts, indent=1) + "\n")
