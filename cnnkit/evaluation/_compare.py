"""Results folders against each other: what is read, compared, written."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.comparison import COMPARISON_FILE, ComparisonResults, Contender, compare_results
from cnnkit.data import find_pictures, path_of_key
from cnnkit.errors import CnnkitError, DataError, UsageError
from cnnkit.evaluation._foreign import scores_in_file
from cnnkit.evaluation._join import join
from cnnkit.evaluation._tree import tree_sha256
from cnnkit.files import write_text
from cnnkit.metrics import RESAMPLES
from cnnkit.predictions import Run, is_run, open_run
from cnnkit.results import RESULTS_FILE, Results, read_results, read_rows

Scores = NDArray[np.float32]

LOOKED_FOR = 8  # images, one of which tells that a folder holds them


def compare(
    results: Sequence[Path | str],
    output: Path | str | None = None,
    *,
    baseline: Path | str | None = None,
    margin: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    report: bool = True,
) -> ComparisonResults:
    """Compare models on the same images, from what `evaluate` wrote.

    Args:
        results: results folders (or their results.json), two or more.
        output: the folder for comparison.json, report.html and report.md; nothing is written without it.
        baseline: one of `results`, which all others are compared with; the first when not given.
        margin: points; whether each model is worse than the baseline by less than that.
        resamples: how often the images are drawn anew.
        seed: of the draws.
        report: write report.html and report.md beside comparison.json.

    Raises:
        DataError: no results, other images, labels, classes or tasks.
        UsageError: fewer than two results, a baseline that is not among them.
    """
    if output is not None:
        _refuse_place(Path(output))
    folders = _ordered([Path(each) for each in results], None if baseline is None else Path(baseline))
    contenders = contenders_from(folders)
    found = compare_results(contenders, margin=None if margin is None else margin / 100, resamples=resamples, seed=seed)
    if output is not None:
        write_text(Path(output) / COMPARISON_FILE, found.to_json() + "\n")
        if report:
            _report(Path(output), found, contenders, folders)
    return found


def _refuse_place(output: Path) -> None:
    """A comparison has a report.html of its own, which must not take the place of a model's."""
    if output.is_file():
        raise UsageError(f"{output}: is a file, and -o names the folder of the comparison. Give another -o.")
    if (output / RESULTS_FILE).exists():
        raise UsageError(
            f"{output}: holds the results of a model, and the comparison would replace its report. Give another -o."
        )


def contenders_from(folders: Sequence[Path]) -> list[Contender]:
    """Read each results folder, with the whole score vectors of its run where that is still there."""
    read = [read_results(folder) for folder in folders]
    names = _names(read, folders)
    return [_contender(*each) for each in zip(names, folders, read, strict=True)]


def _ordered(results: Sequence[Path], baseline: Path | None) -> list[Path]:
    """Folders, the baseline first."""
    folders = [_folder(path) for path in results]
    places = [folder.resolve() for folder in folders]
    twice = next((folder for folder, place in zip(folders, places, strict=True) if places.count(place) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} is given twice; a model compared with itself says nothing.")
    if baseline is None:
        return folders
    wanted = _folder(baseline).resolve()
    if wanted not in places:
        raise UsageError(f"the baseline {baseline} is not among the results: {', '.join(map(str, results))}.")
    at = places.index(wanted)
    return [folders[at], *folders[:at], *folders[at + 1 :]]


def _folder(path: Path) -> Path:
    """results.json stands for its folder; of other files eval makes results first."""
    if path.is_file() and path.name != RESULTS_FILE:
        raise DataError(
            f"{path}: not a results folder. `cnnkit eval {path} DATA -o OUT` makes one of a model or of another tool's "
            f"answers; compare then takes OUT."
        )
    return path.parent if path.is_file() else path


def _names(read: Sequence[Results], folders: Sequence[Path]) -> list[str]:
    """The model's name where no other has it, else the folder's, else the path."""
    candidates = (
        [results.model.name for results in read],
        [folder.resolve().name for folder in folders],
        [str(folder) for folder in folders],
    )
    times = [Counter(names) for names in candidates]
    chosen = [
        next((name for name, count in zip(each, times, strict=True) if count[name] == 1), each[-1])
        for each in zip(*candidates, strict=True)
    ]
    return chosen if len(set(chosen)) == len(chosen) else candidates[-1]


def _contender(name: str, folder: Path, results: Results) -> Contender:
    run, reason = _run_of(folder, results)
    file = _file_of(folder, results)
    return Contender(
        name=name,
        source=str(folder),
        results=results,
        rows=read_rows(folder),
        spec=run.spec if run else None,
        scores=_reader(run, file, folder, results),
        without_scores=reason,
    )


def _reader(
    run: Run | None, file: Path | None, folder: Path, results: Results
) -> Callable[[Sequence[str]], Scores] | None:
    """What reads whole score vectors of the keys that it is given."""
    if results.task == "detection":
        return None
    if run is not None:
        return lambda keys: _scores(run, keys)
    if file is None:
        return None
    about: dict[str, Any] = {"classes": results.classes, "root": folder / results.data.root, "part": results.data.part}
    return lambda keys: scores_in_file(file, keys=keys, **about)


def _file_of(folder: Path, results: Results) -> Path | None:
    """The file of scores that another tool wrote, if it is where results.json says and still the same."""
    if results.run.path is None or "map" not in results.figures:
        return None
    place = folder / results.run.path
    return place if place.is_file() and tree_sha256(place) == results.run.sha256 else None


def _run_of(folder: Path, results: Results) -> tuple[Run | None, str]:
    """The run that was scored, if it is where results.json says and still the same; else why not."""
    if results.run.path is None:
        return None, "its run was not kept"
    place = folder / results.run.path
    if results.model.sha256 is None and results.task != "detection" and "map" in results.figures:
        return None, f"its file {place} is gone or has changed since it was scored"
    if place.is_file() or (not is_run(place) and results.model.sha256 is None):
        return None, "its answers are another tool's file, which has no scores"
    try:
        run = open_run(place)
    except CnnkitError:
        return None, f"its run {place} is gone"
    if run.sha256 != results.run.sha256:
        return None, f"its run {place} has changed since it was scored"
    return run, ""


def _scores(run: Run, keys: Sequence[str]) -> Scores:
    """Whole score vectors (keys, classes) in the order of `keys`, each class contiguous."""
    joined = join(run, set(keys))
    answered = [key for key, ok in zip(joined.keys.to_pylist(), joined.ok, strict=True) if ok]
    places = {key: at for at, key in enumerate(answered)}
    missing = next((key for key in keys if key not in places), None)
    if missing is not None:
        raise DataError(f"{run.path}: has no answer for {missing!r}, which its results have. Run cnnkit eval again.")
    order = np.array([places[key] for key in keys])
    return joined.scores.T if (order == np.arange(len(answered))).all() else joined.scores[:, order].T


def _report(output: Path, found: ComparisonResults, contenders: Sequence[Contender], folders: Sequence[Path]) -> None:
    from cnnkit.evaluation._comparison_page import page_of
    from cnnkit.report import write_comparison

    keys: list[str] = contenders[0].rows.column("key").to_pylist()
    roots = [_pictures(folder, each.results, keys) for folder, each in zip(folders, contenders, strict=True)]
    named = folders[0] / contenders[0].results.data.root
    root = next((root for root in roots if root), named if named.exists() else None)
    write_comparison(output, page_of(found, contenders), images_root=root)


def _pictures(folder: Path, results: Results, keys: Sequence[str]) -> Path | None:
    """Where the pictures lie now: the folder that was scored, or of a file of detections where its labels have them."""
    root, labels = folder / results.data.root, folder / (results.data.truth or results.data.root)
    if any(path.is_file() for key in keys[:LOOKED_FOR] if (path := path_of_key(root, key))):
        return root
    return find_pictures(labels, results.data.part, keys) if results.task == "detection" and labels.exists() else None
