"""Classes that another tool gave to images, scored without a model."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.data import ClassIndex, Truth, find_images, find_part, read_labels, read_truth
from cnnkit.errors import DataError
from cnnkit.evaluation._answers import answers_of, rows_of
from cnnkit.evaluation._classes import class_figures
from cnnkit.evaluation._classification import measure_answers
from cnnkit.evaluation._facts import place, versions_here
from cnnkit.evaluation._figures import averages, complement, confusion_of, proportion
from cnnkit.evaluation._foreign_files import ForeignAnswers, read_answers
from cnnkit.evaluation._join import Joined
from cnnkit.evaluation._scored import Asked
from cnnkit.evaluation._tree import tree_sha256
from cnnkit.results import NO_PREDICTION, DataFacts, Intervals, ModelFacts, Results, RunFacts, rows_schema
from cnnkit.spec import ClassName

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class _Matched:
    """The labelled images in key order, and for each the row of the file that is about it; -1: there is none."""

    keys: tuple[str, ...]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    n_elsewhere: int

    @property
    def ok(self) -> NDArray[np.bool_]:
        return np.asarray(self.rows >= 0)


def score_answers(
    path: Path, asked: Asked, output: Path | None, *, labels: Path | None
) -> tuple[Results, "pa.Table", Path]:
    """Results of a file of answers, their rows, and the folder that their keys are relative to.

    An image of the part that the file does not name counts as one without an answer.

    Raises:
        DataError: a file that cannot be read, images or classes that the data does not have.
    """
    found = read_answers(path)
    part = find_part(asked.data, split=asked.split)
    images = [sample.key for sample in find_images(part.root)]
    places, n_elsewhere = _places(path, found.keys, images, part.root, asked.data)
    classes = _classes(path, found, labels, images, asked)
    truth = read_truth(asked.data, classes=classes, truth=asked.truth, keys=images, **asked.labels)
    matched = _matched(path, truth, places, n_elsewhere)
    if found.scores is not None:
        measured, rows = _from_scores(path, found.scores, classes, truth, matched, asked)
    else:
        measured, rows = _from_classes(_predicted(path, found, classes), found.p, classes, matched, asked)
    return _results(path, classes, truth, matched, measured, asked, output), rows, truth.root


def _classes(
    path: Path, found: ForeignAnswers, labels: Path | None, images: Sequence[str], asked: Asked
) -> tuple[ClassName, ...]:
    """Of a label file; else the columns, or the names that answers and folders have between them."""
    if labels is not None:
        return read_labels(labels).classes
    if found.classes:
        return tuple(ClassName(name=name) for name in found.classes)
    if found.places or found.scores is not None:
        raise DataError(f"{path}: holds positions in a class list and not the list. Give it with --labels FILE.")
    names = set(found.names)
    if asked.truth is None:
        folders = {key.partition("/")[0] for key in images if "/" in key}
        mapped = asked.class_map or {}
        names |= {mapped.get(folder, folder) for folder in folders}
    return tuple(ClassName(name=name) for name in sorted(names))


def _places(
    path: Path, written: Sequence[str], images: Sequence[str], root: Path, data: Path
) -> tuple[dict[str, int], int]:
    """The row of each image's key, and how many rows are about images outside the part."""
    known: set[str] = set(images)
    by_name: dict[str, list[str]] = defaultdict(list)
    for image in images:
        for short in {image.rpartition("/")[2], Path(image).stem}:
            by_name[short].append(image)
    places: dict[str, int] = {}
    n_elsewhere = 0
    for at, name in enumerate(written):
        key = _key(path, name, known, by_name, root, data)
        if key is None:
            n_elsewhere += 1
        elif places.setdefault(key, at) != at:
            raise DataError(f"{path}: {name!r} and {written[places[key]]!r} are the same image, {key!r}.")
    return places, n_elsewhere


def _key(path: Path, name: str, known: set[str], by_name: dict[str, list[str]], root: Path, data: Path) -> str | None:
    """The key that a name stands for; a bare name only when no other image has it. None: outside the part."""
    short = name.replace("\\", "/").removeprefix(f"{root.as_posix()}/").removeprefix("./")
    if short in known:
        return short
    inside = short.removeprefix(f"{data.as_posix()}/")
    below = root.relative_to(data).as_posix() + "/" if root != data else ""
    if inside.removeprefix(below) in known:
        return inside.removeprefix(below)
    if (data / inside).exists():
        return None
    same = by_name.get(short, []) if "/" not in short else []
    if len(same) == 1:
        return same[0]
    if same:
        raise DataError(
            f"{path}: {name!r} could be {len(same)} images, such as {same[0]!r} and {same[1]!r}. Write whole paths "
            f"below the folder (timm: --fullname)."
        )
    raise DataError(f"{path}: {name!r} is no image of {data}. A key is the path below the folder.")


def _matched(path: Path, truth: Truth, places: dict[str, int], n_elsewhere: int) -> _Matched:
    keys = tuple(sorted(truth.labels))
    rows = np.array([places.get(key, -1) for key in keys], dtype=np.int64)
    if not (rows >= 0).any():
        raise DataError(f"{path}: has no answer for any of the {len(keys)} labelled images of {truth.root}.")
    return _Matched(keys, rows, np.array([truth.labels[key] for key in keys], dtype=np.int64), n_elsewhere)


def _predicted(path: Path, found: ForeignAnswers, classes: Sequence[ClassName]) -> NDArray[np.int64]:
    if found.names:
        index = ClassIndex(classes)
        return np.array([index.find_all({name}, where=str(path))[name] for name in found.names], dtype=np.int64)
    wrong = next((at for at in found.places if not 0 <= at < len(classes)), None)
    if wrong is not None:
        raise DataError(f"{path}: {wrong} is no position among {len(classes)} classes.")
    return np.array(found.places, dtype=np.int64)


def _from_scores(
    path: Path,
    scores: NDArray[np.float32],
    classes: Sequence[ClassName],
    truth: Truth,
    matched: _Matched,
    asked: Asked,
) -> tuple[dict[str, Any], "pa.Table"]:
    import pyarrow as pa

    if scores.shape[1] != len(classes):
        raise DataError(f"{path}: {scores.shape[1]} scores an image for {len(classes)} classes.")
    n_bad = int((~matched.ok).sum())
    joined = Joined(
        keys=pa.chunked_array([pa.array(matched.keys, pa.string())]),
        digests=pa.chunked_array([pa.nulls(len(matched.keys), pa.binary(32))]),
        ok=matched.ok,
        scores=np.ascontiguousarray(scores[matched.rows[matched.ok]].T),
        bad={NO_PREDICTION: n_bad} if n_bad else {},
        fingerprint="",
    )
    answers = answers_of(joined, truth.labels, source=str(path))
    names = [entry.name for entry in classes]
    return measure_answers(answers, names, asked, n_bad=n_bad, softmax=False), rows_of(joined, answers)


def _from_classes(
    predicted: NDArray[np.int64],
    p: NDArray[np.float32] | None,
    classes: Sequence[ClassName],
    matched: _Matched,
    asked: Asked,
) -> tuple[dict[str, Any], "pa.Table"]:
    """What the best class alone can tell: neither top 5 nor any curve."""
    ok = matched.ok
    answered, labels = predicted[matched.rows[ok]], matched.labels[ok]
    counts = metrics.confusion_matrix(answered, labels, n_classes=len(classes))
    report = metrics.report_estimates(counts, resamples=asked.resamples, seed=asked.seed)
    hits, n, n_bad = int((answered == labels).sum()), len(labels), int((~ok).sum())
    accuracy = proportion(hits, n)
    none = (metrics.Estimate(None),) * len(classes)
    ranking = metrics.RankingEstimates(none, none, none[0], none[0])
    names = [entry.name for entry in classes]
    note = f"{n_bad} without an answer count as wrong" if n_bad else None
    measured = {
        "figures": {
            "top1_accuracy": accuracy,
            "top1_error": complement(accuracy),
            "top1_accuracy_of_all": proportion(hits, n + n_bad, note=note),
            **averages(report, n),
        },
        "per_class": class_figures(names, report, ranking, counts.sum(axis=1), counts.sum(axis=0)),
        "confusion": confusion_of(counts),
    }
    return measured, _rows(predicted, p, matched)


def _rows(predicted: NDArray[np.int64], p: NDArray[np.float32] | None, matched: _Matched) -> "pa.Table":
    import pyarrow as pa

    ok, rows = matched.ok, np.maximum(matched.rows, 0)
    answer = predicted[rows]
    right = ok & (answer == matched.labels)
    schema = rows_schema("classification")
    n = len(ok)
    sure = np.zeros(n, np.float32) if p is None else p[rows]
    columns = {
        "key": pa.array(matched.keys, pa.string()),
        "digest": pa.nulls(n, pa.binary(32)),
        "label": pa.array(matched.labels, pa.int32()),
        "predicted": pa.array(answer, pa.int32(), mask=~ok),
        "rank": pa.array(np.ones(n), pa.int32(), mask=~right),
        "p": pa.array(sure, pa.float32(), mask=~right | (p is None)),
        "confidence": pa.array(sure, pa.float32(), mask=~ok | (p is None)),
    }
    return pa.table(columns, schema=schema)


def _results(
    path: Path,
    classes: tuple[ClassName, ...],
    truth: Truth,
    matched: _Matched,
    measured: dict[str, Any],
    asked: Asked,
    output: Path | None,
) -> Results:
    n_bad = int((~matched.ok).sum())
    return Results(
        task="classification",
        model=ModelFacts(name=path.stem),
        run=RunFacts(path=place(path, output), sha256=tree_sha256(path)),
        classes=classes,
        data=DataFacts(
            root=place(truth.root, output),
            part=truth.part,
            truth=None if asked.truth is None else place(asked.truth, output),
            fingerprint=hashlib.sha256("".join(f"{key}\t-\n" for key in matched.keys).encode()).hexdigest(),
            n=int(matched.ok.sum()),
            n_bad=n_bad,
            bad={NO_PREDICTION: n_bad} if n_bad else {},
            n_unlabelled=truth.n_unlabelled,
            n_outside_part=matched.n_elsewhere,
            n_classes=len(classes),
            n_classes_scored=len(np.unique(matched.labels[matched.ok])),
        ),
        versions=versions_here("scikit-learn"),
        intervals=Intervals(resamples=asked.resamples, seed=asked.seed),
        warnings=truth.notes,
        **measured,
    )
