"""Classes that another tool gave to images, scored without a model."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import LabelSets, Truth, find_images, find_part, read_label_sets, read_truth
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation._answers import answers_of, rows_of
from cnnkit.evaluation._classification import measure_answers
from cnnkit.evaluation._facts import place, versions_here
from cnnkit.evaluation._fitting import refuse_what_does_not_fit, truth_of_sets
from cnnkit.evaluation._foreign_best import measure_best
from cnnkit.evaluation._foreign_classes import arranged, classes_of, known_classes, notes_on
from cnnkit.evaluation._foreign_files import ForeignAnswers, read_answers
from cnnkit.evaluation._foreign_keys import Matched, match, places_of
from cnnkit.evaluation._join import Joined
from cnnkit.evaluation._multilabel import measure_label_sets
from cnnkit.evaluation._scored import Asked
from cnnkit.evaluation._tree import tree_sha256
from cnnkit.results import DataFacts, Intervals, ModelFacts, Results, RunFacts
from cnnkit.spec import ClassName

if TYPE_CHECKING:
    import pyarrow as pa


def score_answers(
    path: Path, asked: Asked, output: Path | None, *, labels: Path | None
) -> tuple[Results, "pa.Table", Path]:
    """Results of a file of answers, their rows, and the folder that their keys are relative to.

    An image of the part that the file does not name counts as one without an answer.

    Raises:
        DataError: a file that cannot be read, images or classes that the data does not have.
        UsageError: what needs more than the file holds.
    """
    refuse_what_does_not_fit(asked, "classification")
    if not path.exists():
        raise DataError(f"{path}: no such file. A file of answers has a key and a class or scores for each image.")
    sets = truth_of_sets(asked) if asked.multilabel else None
    part = find_part(asked.data, split=asked.split)
    images = [sample.key for sample in find_images(part.root)]
    known = known_classes(asked, images, labels)
    found = read_answers(path, known=known.spellings, complete=known.given is not None)
    _refuse_what_needs_scores(path, found, asked)
    places, n_elsewhere = places_of(path, found.keys, images, part.root, asked.data)
    classes = classes_of(path, found, known)
    about: dict[str, Any] = {"classes": classes, "keys": images, **asked.labels}
    truth: Truth | LabelSets = (
        read_label_sets(asked.data, truth=sets, **about)
        if sets is not None
        else read_truth(asked.data, truth=asked.truth, **about)
    )
    matched = match(path, found, truth.labels, places, n_elsewhere, truth.root)
    measured, rows, n_scored = _measured(path, found, classes, truth, matched, asked)
    facts = _facts(truth, matched, asked, output, n_classes=len(classes), n_classes_scored=n_scored)
    warnings = (*truth.notes, *notes_on(path, found, known))
    return _results(path, classes, facts, measured, warnings, asked, output), rows, truth.root


def _refuse_what_needs_scores(path: Path, found: ForeignAnswers, asked: Asked) -> None:
    if found.scores is not None:
        return
    wanted = {"--multilabel": asked.multilabel, "--topk": bool(asked.topk)}
    option = next((name for name, given in wanted.items() if given), None)
    if option is not None:
        raise UsageError(
            f"{path} holds the best class of each image, and {option} needs scores of all: give a file with key and a "
            f"column for each class, called as in the truth."
        )


def _measured(
    path: Path,
    found: ForeignAnswers,
    classes: Sequence[ClassName],
    truth: Truth | LabelSets,
    matched: Matched,
    asked: Asked,
) -> tuple[dict[str, Any], "pa.Table", int]:
    """Fields of Results by name, the rows, and how many classes were scored."""
    names = [entry.name for entry in classes]
    if found.scores is None and isinstance(truth, Truth):
        labels = np.array([truth.labels[key] for key in matched.keys], dtype=np.int64)
        measured, rows = measure_best(path, found, classes, labels, matched, asked)
        return measured, rows, len(np.unique(labels[matched.ok]))
    joined = _joined(arranged(path, found, classes), matched)
    if isinstance(truth, LabelSets):
        _refuse_no_probabilities(path, joined.scores)
        return measure_label_sets(joined, truth, names, asked)
    answers = answers_of(joined, truth.labels, source=str(path))
    measured = measure_answers(answers, names, asked, n_bad=sum(matched.bad.values()), softmax=False)
    return measured, rows_of(joined, answers), len(np.unique(answers.truth))


def _refuse_no_probabilities(path: Path, scores: NDArray[np.float32]) -> None:
    """One threshold for all classes is meant for what lies between 0 and 1."""
    outside = scores[(scores < 0) | (scores > 1)]
    if len(outside):
        raise DataError(
            f"{path}: holds the score {outside[0]:g}, and --multilabel takes scores from 0 to 1: write them as they "
            f"come out of the sigmoid."
        )


def _joined(scores: NDArray[np.float32], matched: Matched) -> Joined:
    import pyarrow as pa

    return Joined(
        keys=pa.chunked_array([pa.array(matched.keys, pa.string())]),
        digests=pa.chunked_array([pa.nulls(len(matched.keys), pa.binary(32))]),
        ok=matched.ok,
        scores=np.ascontiguousarray(scores[matched.rows[matched.ok]].T),
        bad=matched.bad,
        fingerprint="",
    )


def _facts(
    truth: Truth | LabelSets,
    matched: Matched,
    asked: Asked,
    output: Path | None,
    *,
    n_classes: int,
    n_classes_scored: int,
) -> DataFacts:
    return DataFacts(
        root=place(truth.root, output),
        part=truth.part,
        truth=None if asked.truth is None else place(asked.truth, output),
        fingerprint=hashlib.sha256("".join(f"{key}\t-\n" for key in matched.keys).encode()).hexdigest(),
        n=int(matched.ok.sum()),
        n_bad=sum(matched.bad.values()),
        bad=matched.bad,
        n_unlabelled=truth.n_unlabelled,
        n_outside_part=matched.n_elsewhere,
        n_classes=n_classes,
        n_classes_scored=n_classes_scored,
    )


def _results(
    path: Path,
    classes: tuple[ClassName, ...],
    data: DataFacts,
    measured: dict[str, Any],
    warnings: tuple[str, ...],
    asked: Asked,
    output: Path | None,
) -> Results:
    return Results(
        task="classification",
        model=ModelFacts(name=path.stem),
        run=RunFacts(path=place(path, output), sha256=tree_sha256(path)),
        classes=classes,
        data=data,
        versions=versions_here("scikit-learn"),
        intervals=Intervals(resamples=asked.resamples, seed=asked.seed),
        warnings=warnings,
        **measured,
    )


def scores_in_file(
    path: Path, *, classes: Sequence[ClassName], keys: Sequence[str], root: Path, part: str | None
) -> NDArray[np.float32]:
    """Whole score vectors (keys, classes) of a file that was scored before, in the order of `keys`.

    Raises:
        DataError: as `score_answers`; a key that has no answer in it.
    """
    names = {name for entry in classes for name in (entry.name, *entry.aliases)}
    positions = {str(at) for at in range(len(classes))}
    found = read_answers(path, known=[names, positions], complete=True)
    if found.scores is None:
        raise DataError(f"{path}: holds no scores of all classes any more. Run cnnkit eval again.")
    data = root.parent if part is not None else root
    places, _ = places_of(path, found.keys, keys, root, data, others=True)
    missing = next((key for key in keys if key not in places or not found.ok[places[key]]), None)
    if missing is not None:
        raise DataError(f"{path}: has no answer for {missing!r}, which its results have. Run cnnkit eval again.")
    scores = arranged(path, replace(found, scores=found.scores[[places[key] for key in keys]]), classes)
    return np.asfortranarray(scores)
