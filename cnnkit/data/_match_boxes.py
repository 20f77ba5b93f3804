"""Labelled boxes joined with a run: its images, its order, its model's classes."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cnnkit.data._classes import ClassIndex
from cnnkit.data._detection_truth import DetectionTruth, sentences
from cnnkit.errors import DataError
from cnnkit.spec import ClassName


def match_boxes(
    truth: DetectionTruth,
    keys: Sequence[str],
    *,
    classes: Sequence[ClassName],
    class_map: Mapping[str, str] | None = None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
) -> DetectionTruth:
    """The part of `truth` that a run can be scored on: keys are the run's, in its order, and classes the model's.

    Args:
        truth: as a reader built it.
        keys: the run's. They may be relative to a folder above or below that of the truth's keys; one folder name
            for all of them is added or taken away, a base name alone is never enough.
        classes: the model's, in its order; only classes that have an object here need an answer.
        class_map: other names for classes.
        sizes: {key of the run: (height, width) of the picture}, to count those that disagree with the labels.

    Returns:
        Counts and notes gain n_unlabelled, n_without_image and n_size_disagrees.

    Raises:
        DataError: no image in common, a class that no class or several of the model answer to, two images with one
            key.
    """
    places = match_keys(truth, keys)
    kept = [key for key in keys if key in places]
    images = [places[key] for key in kept]
    new_place = np.full(len(truth.keys), -1, dtype=np.int64)
    new_place[images] = np.arange(len(images))
    inside = new_place[truth.image] >= 0
    used = sorted({int(at) for at in truth.category[inside]})
    index = ClassIndex(classes, class_map).find_all([truth.classes[at] for at in used], where=str(truth.source))
    new_class = np.full(len(truth.classes), -1, dtype=np.int64)
    new_class[used] = [index[truth.classes[at]] for at in used]
    disagreeing = [key for key, at in zip(kept, images, strict=True) if _disagree(truth, at, (sizes or {}).get(key))]
    met = {
        "n_unlabelled": len(keys) - len(kept),
        "n_without_image": len(truth.keys) - len(kept),
        "n_size_disagrees": len(disagreeing),
    }
    return replace(
        truth,
        keys=tuple(kept),
        sizes=truth.sizes[images].reshape(-1, 2),
        classes=tuple(entry.name for entry in classes),
        image=new_place[truth.image[inside]],
        category=new_class[truth.category[inside]],
        boxes=truth.boxes[inside],
        area=truth.area[inside],
        iscrowd=truth.iscrowd[inside],
        difficult=truth.difficult[inside],
        image_ids=tuple(truth.image_ids[at] for at in images),
        category_ids=(),
        counts={**truth.counts, **met},
        notes=(*truth.notes, *sentences(met, {"n_size_disagrees": disagreeing})),
    )


def rename_classes(truth: DetectionTruth, class_map: Mapping[str, str]) -> DetectionTruth:
    """The same boxes under the class names that `class_map` gives; classes of one name become one.

    Ids of categories do not outlast it: they count from 1.
    """
    given = {unicodedata.normalize("NFC", name): other for name, other in class_map.items()}
    names = [given.get(unicodedata.normalize("NFC", name), name) for name in truth.classes]
    places = {name: at for at, name in enumerate(dict.fromkeys(names))}
    category = np.array([places[name] for name in names], dtype=np.int64)[truth.category]
    return replace(truth, classes=tuple(places), category=category, category_ids=())


def _disagree(truth: DetectionTruth, at: int, size: tuple[int, int] | None) -> bool:
    said = tuple(truth.sizes[at].tolist())
    return size is not None and all(said) and said != size


def match_keys(truth: DetectionTruth, keys: Sequence[str]) -> dict[str, int]:
    """Where each key of the run stands in the truth; keys and folders as in `match_boxes`."""
    positions: dict[str, int] = {}
    for at, key in enumerate(truth.keys):
        if positions.setdefault(key, at) != at:
            raise DataError(
                f"{truth.source}: two images have the name {key!r} (duplicate), so no key tells them apart."
            )
    run_longer, folder = _folder_between(truth, keys)
    if run_longer:
        found = {key: positions.get(key.removeprefix(folder)) for key in keys if key.startswith(folder)}
    else:
        found = {key: positions.get(folder + key) for key in keys}
    places = {key: at for key, at in found.items() if at is not None}
    if not places:
        raise DataError(
            f"{truth.source}: none of its {len(truth.keys)} images is one of the run's {len(keys)}: it has "
            f"{next(iter(truth.keys), 'none')!r}, the run {next(iter(keys), 'none')!r}."
        )
    return places


def _folder_between(truth: DetectionTruth, keys: Sequence[str]) -> tuple[bool, str]:
    """(whether the run's keys are the longer ones, the folder that they or the truth's have in front)."""
    run, labelled = set(keys), set(truth.keys)
    found: Counter[tuple[bool, str]] = Counter({(True, ""): len(run & labelled)})
    found.update((True, folder) for key in keys for folder in _folders_before(key, labelled))
    found.update((False, folder) for key in truth.keys for folder in _folders_before(key, run))
    (best, n), *rest = found.most_common(2)
    if n and rest and rest[0][1] == n:
        one, other = (folder or "." for _, folder in (best, rest[0][0]))
        raise DataError(
            f"{truth.source}: its image names are found in {one} and as often in {other}. "
            f"Run on the folder that is meant."
        )
    return best


def _folders_before(key: str, known: set[str]) -> Iterator[str]:
    """Every folder in front of `key` below which the rest of it is a known key."""
    at = key.find("/")
    while at >= 0:
        if key[at + 1 :] in known:
            yield key[: at + 1]
        at = key.find("/", at + 1)
