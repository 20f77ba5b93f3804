"""Likely mistakes in the data: labels that the model doubts, the same picture twice, classes mixed up both ways."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit import metrics
from cnnkit.data import ClassIndex, find_images, find_part, find_parts
from cnnkit.errors import UsageError
from cnnkit.evaluation._answers import Answers
from cnnkit.evaluation._facts import place
from cnnkit.evaluation._likeness import NEAR_UP_TO, Look, looks, near_pairs
from cnnkit.evaluation._scored import Asked
from cnnkit.results import (
    Confusion,
    Duplicates,
    LabelHealth,
    MutualConfusion,
    Results,
    SamePicture,
    SuspectLabel,
)

if TYPE_CHECKING:
    import pyarrow as pa

BAR_FROM = 5  # images of a class; the mean of fewer probabilities is no bar
LISTED = 200
NAMED = 10  # images of a group
MUTUAL_FROM = 2  # images either way
TRAINED_ON = "train"


def doubts_of(answers: Answers) -> LabelHealth | None:
    """The labels that the scores speak against; None where these are no probabilities, or all classes too small."""
    if not answers.are_probabilities:
        return None
    found = metrics.label_doubts(answers.scores, answers.truth, at_least=BAR_FROM)
    if np.isnan(found.thresholds).all():
        return None
    places = np.flatnonzero(answers.ok)
    listed = zip(found.positions[:LISTED].tolist(), found.suggested[:LISTED].tolist(), strict=True)
    return LabelHealth(
        n_suspects=len(found.positions),
        suspects=tuple(
            SuspectLabel(
                key=answers.keys[places[at]].as_py(),
                label=int(answers.truth[at]),
                suggested=suggested,
                p=float(answers.p[at]),
                p_suggested=float(answers.scores[at, suggested]),
                threshold=float(found.thresholds[suggested]),
            )
            for at, suggested in listed
        ),
    )


@dataclass(frozen=True)
class LabelledImage:
    """An image of a set: `name` is its class in words, `label` is what must agree within a group; None is not known."""

    key: str
    name: str
    label: Hashable
    trained_on: bool = False

    @property
    def facts(self) -> SamePicture:
        return SamePicture(key=self.key, label=self.name, trained_on=self.trained_on)


def with_label_health(
    results: Results, rows: "pa.Table", keys_root: Path, output: Path | None, asked: Asked
) -> Results:
    """Add duplicates, by the files' hashes or, when asked for, by the pixels, and classes mixed up both ways.

    Raises:
        UsageError: the images that the model was trained on are the scored ones.
        DataError: no such folder of images.
    """
    health = results.health or LabelHealth()
    scored = _scored_images(rows, results)
    digests = rows.column("digest").to_pylist()
    if asked.label_health or asked.trained_on is not None:
        found = _by_pixels(scored, digests, keys_root, results, output, asked)
    else:
        found = _by_files(scored, digests)
    mutual = mutual_confusions(results.confusion) if results.confusion else ()
    return results.model_copy(update={"health": health.model_copy(update={**found, "mutual": mutual})})


def mutual_confusions(confusion: Confusion) -> tuple[MutualConfusion, ...]:
    """Pairs of classes with at least two images taken for the other either way, those with most first."""
    cells = {(label, answer): n for label, answer, n in confusion.cells}
    pairs = [
        MutualConfusion(first=first, second=second, n_first=n, n_second=cells[second, first])
        for (first, second), n in cells.items()
        if first < second and min(n, cells.get((second, first), 0)) >= MUTUAL_FROM
    ]
    pairs.sort(key=lambda pair: (-min(pair.n_first, pair.n_second), -pair.n_first - pair.n_second, pair.first))
    return tuple(pairs[:LISTED])


def _scored_images(rows: "pa.Table", results: Results) -> list[LabelledImage]:
    names = results.names
    keys = rows.column("key").to_pylist()
    if results.multilabel:
        sets = [frozenset(labels or ()) for labels in rows.column("labels").to_pylist()]
        texts = [", ".join(names[at] for at in sorted(labels)) or "none" for labels in sets]
        return [LabelledImage(*each) for each in zip(keys, texts, sets, strict=True)]
    labels = rows.column("label").to_pylist()
    return [LabelledImage(key, names[label], label) for key, label in zip(keys, labels, strict=True)]


def _by_files(scored: Sequence[LabelledImage], digests: Sequence[bytes | None]) -> dict[str, Any]:
    if not any(digests):
        return {}
    groups = alike(scored, digests)
    listed = [group_of("files", group) for group in groups]
    return {"compared": "files", **_counts(groups), "duplicates": worst_first(listed)}


def _by_pixels(
    scored: Sequence[LabelledImage],
    digests: Sequence[bytes | None],
    keys_root: Path,
    results: Results,
    output: Path | None,
    asked: Asked,
) -> dict[str, Any]:
    other = _trained_on(keys_root, asked)
    others = [] if other is None else _images_of(other, results, asked)
    everything = [*scored, *others]
    asked.say("Reading the images again, to compare them by their pixels.")
    own = looks(
        keys_root,
        [each.key for each in scored],
        digests,
        progress=lambda done: asked.progress(done, len(everything)),
    )
    seen = list(own)
    if other is not None:
        seen += looks(
            other,
            [each.key for each in others],
            [None] * len(others),
            progress=lambda done: asked.progress(len(own) + done, len(everything)),
        )
    groups = alike(everything, [each.pixels if each else None for each in seen])
    listed = [group_of("pixels", group) for group in groups]
    near = near_groups(everything, seen)
    return {
        "compared": "pixels",
        **_counts(groups),
        "duplicates": worst_first([*listed, *(near or ())]),
        "n_near": None if near is None else len(near),
        "n_trained_on": None
        if other is None
        else sum(not each.trained_on for group in _leaks(groups) for each in group),
        "n_read": sum(each is not None for each in own),
        "n_trained_on_read": sum(each is not None for each in seen[len(own) :]),
        "n_unread": sum(each is None for each in seen),
        "trained_on": None if other is None else place(other, output),
    }


def _trained_on(keys_root: Path, asked: Asked) -> Path | None:
    """What was given, else the part `train` beside the scored one."""
    scored = find_part(asked.data, split=asked.split).root
    if asked.trained_on is not None:
        if asked.trained_on.resolve() in {scored.resolve(), keys_root.resolve()}:
            raise UsageError(f"--trained-on {asked.trained_on} is the folder that is scored.")
        return asked.trained_on
    other = find_parts(asked.data).get(TRAINED_ON)
    return other if other is not None and scored not in {other, asked.data} else None


def _images_of(folder: Path, results: Results, asked: Asked) -> list[LabelledImage]:
    """The images of a folder with their classes; a folder that no class answers to is known by its own name."""
    index = ClassIndex(results.classes, asked.class_map)
    keys = list(find_images(folder).keys)
    names = [key.partition("/")[0] if "/" in key else "" for key in keys]
    labels: dict[str, int] = {name: index.find(name) for name in set(names) if name and index.answers(name)}
    if results.multilabel or asked.truth is not None:
        labels = {}
    words = {name: results.names[label] for name, label in labels.items()}
    return [
        LabelledImage(key, words.get(name, name), labels.get(name), trained_on=True)
        for key, name in zip(keys, names, strict=True)
    ]


def alike(images: Sequence[LabelledImage], marks: Sequence[bytes | None]) -> list[list[LabelledImage]]:
    """Groups of at least two with the same mark, a scored image among them, in the order of their first."""
    groups: dict[bytes, list[LabelledImage]] = defaultdict(list)
    for image, mark in zip(images, marks, strict=True):
        if mark is not None:
            groups[mark].append(image)
    return [group for group in groups.values() if len(group) > 1 and not all(each.trained_on for each in group)]


def _counts(groups: Sequence[Sequence[LabelledImage]]) -> dict[str, int]:
    scored = [sum(not each.trained_on for each in group) for group in groups]
    return {"n_extra": sum(n - 1 for n in scored), "n_conflicts": sum(conflict(group) for group in groups)}


def _leaks(groups: Sequence[list[LabelledImage]]) -> list[list[LabelledImage]]:
    return [group for group in groups if any(each.trained_on for each in group)]


def conflict(group: Sequence[LabelledImage]) -> bool:
    """Whether labels that are known differ."""
    return len({each.label for each in group if each.label is not None}) > 1


def group_of(kind: str, group: Sequence[LabelledImage], distance: float | None = None) -> Duplicates:
    return Duplicates.model_validate(
        {
            "kind": kind,
            "n": len(group),
            "images": [each.facts for each in group[:NAMED]],
            "conflict": conflict(group),
            "distance": distance,
        }
    )


def near_groups(images: Sequence[LabelledImage], seen: Sequence[Look | None]) -> list[Duplicates] | None:
    """Pairs of near pictures, one of each exact group; None when there are too many pictures for every pair."""
    first: dict[bytes, int] = {}
    for at, look in enumerate(seen):
        if look is not None:
            first.setdefault(look.pixels, at)
    places = list(first.values())
    if len(places) > NEAR_UP_TO:
        return None
    pairs = near_pairs([look for at in places if (look := seen[at]) is not None])
    groups = [([images[places[pair.first]], images[places[pair.second]]], pair.distance) for pair in pairs]
    return [
        group_of("near", group, distance) for group, distance in groups if not all(each.trained_on for each in group)
    ]


def worst_first(groups: Sequence[Duplicates]) -> tuple[Duplicates, ...]:
    """Different labels first, then those that the model was trained on, exact ones before near ones."""
    order = sorted(
        groups,
        key=lambda group: (
            not group.conflict,
            group.kind == "near",
            not any(each.trained_on for each in group.images),
            group.distance or 0,
        ),
    )
    return tuple(order[:LISTED])
