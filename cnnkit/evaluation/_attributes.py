"""Properties of images that they can be grouped by: from a file, from their path, from their pixels."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.data import find_part, read_attributes
from cnnkit.errors import UsageError
from cnnkit.evaluation._pixel_attributes import MEASURES, measure_pixels
from cnnkit.evaluation._scored import Asked
from cnnkit.results import SlicedBy

BINS = 4
CATEGORIES = 8  # a column of numbers with more values than these is cut into bins
MOST_SLICES = 1000
SLICE_BY = ("folder", *MEASURES)

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Attribute:
    """`group` (n,) is each image's place in `values`, -1 where it has none."""

    facts: SlicedBy
    values: tuple[str, ...]
    group: NDArray[np.int64]


def attributes_of(
    keys: Sequence[str], digests: Sequence[bytes | None], keys_root: Path, asked: Asked
) -> tuple[list[Attribute], list[str]]:
    """All that was asked for, of the images named, and notes on what could not be had."""
    found: list[Attribute | str] = []  # a sentence stands for one that cannot be had
    if asked.slices is not None:
        read = read_attributes(asked.slices, asked.data, split=asked.split, keys=keys)
        how: dict[str, Any] = {"source": asked.slices.name, "n_unknown": read.n_unknown}
        found += [_from_column(name, column, **how) for name, column in read.columns.items()]
    _refuse_unknown(asked.slice_by)
    if "folder" in asked.slice_by:
        found.append(_folders(keys, keys_root, asked))
    by_pixels = [name for name in asked.slice_by if name in MEASURES]
    if by_pixels:
        asked.say("Reading the images again, for the slices.")
        measured = measure_pixels(
            keys, digests, keys_root, by_pixels, progress=lambda done: asked.progress(done, len(keys))
        )
        found += [_from_pixels(name, measured.numbers[name]) for name in by_pixels]
        found += [measured.note] if measured.note else []
    return [each for each in found if isinstance(each, Attribute)], [each for each in found if isinstance(each, str)]


def _refuse_unknown(names: Sequence[str]) -> None:
    unknown = next((name for name in names if name not in SLICE_BY), None)
    if unknown is not None:
        raise UsageError(f"images cannot be grouped by {unknown!r}; they can by {', '.join(SLICE_BY)}.")


def _from_column(name: str, column: Sequence[str | None], *, source: str, n_unknown: int) -> Attribute | str:
    """A sentence where the column cannot group images."""
    there = [value for value in column if value is not None]
    distinct = set(there)
    facts: dict[str, Any] = {"by": name, "source": source, "n_unknown": n_unknown}
    if not there:
        return f"{source}: the column {name!r} is empty for every scored image."
    numbers = _numbers(column)
    if numbers is not None and len(distinct) > CATEGORIES:
        return binned(numbers, **facts)
    if len(distinct) > MOST_SLICES or 2 * len(distinct) > len(there) > CATEGORIES:
        return (
            f"{source}: the column {name!r} has {len(distinct):,} values on {len(there):,} images: it names images "
            f"rather than groups of them, and is left out."
        )
    return grouped(column, **facts)


def _numbers(column: Sequence[str | None]) -> Reals | None:
    """NaN where there is no value; None when a value is no finite number."""
    try:
        numbers = np.array([math.nan if value is None else float(value) for value in column])
    except ValueError:
        return None
    finite = all(math.isfinite(number) for number, value in zip(numbers, column, strict=True) if value is not None)
    return numbers if finite else None


def grouped(column: Sequence[str | None], **facts: Any) -> Attribute:
    """A slice for each value, numbers in their order and the rest as text."""
    values = tuple(sorted({value for value in column if value is not None}, key=_natural))
    places = {value: at for at, value in enumerate(values)}
    group = np.array([-1 if value is None else places[value] for value in column], dtype=np.int64)
    return Attribute(_counted(group, **facts), values, group)


def _natural(value: str) -> list[tuple[int, str]]:
    """`a2` before `a10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", value)]


def binned(numbers: Reals, *, edges: Sequence[float] | None = None, **facts: Any) -> Attribute:
    """Cut numbers (n,), NaN for none, at `edges`, else at their quartiles; an edge belongs to the bin above it."""
    known = numbers[np.isfinite(numbers)]
    cuts = _quartiles(known) if edges is None else [edge for edge in edges if known.min() < edge <= known.max()]
    group = np.where(np.isfinite(numbers), np.searchsorted(cuts, numbers, side="right"), -1)
    group, kept = _without_gaps(group)
    return Attribute(_counted(group, edges=tuple(cuts), **facts), tuple(_between(cuts, at) for at in kept), group)


def _without_gaps(group: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[int]]:
    """Places among the groups that have images, and which these are."""
    kept = np.unique(group[group >= 0])
    return np.where(group < 0, -1, np.searchsorted(kept, group)), kept.tolist()


def _quartiles(known: Reals) -> list[float]:
    """Values that occur, so that no slice is empty, written short where that names the same value."""
    found = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
    return sorted({float(f"{edge:.4g}") for edge in found.tolist()} - {known.min()})


def _between(cuts: Sequence[float], at: int) -> str:
    if not cuts:
        return "all alike"
    if at == 0:
        return f"below {cuts[0]:.6g}"
    return f"{cuts[-1]:.6g} and above" if at == len(cuts) else f"{cuts[at - 1]:.6g} to {cuts[at]:.6g}"


def _counted(group: NDArray[np.int64], **facts: Any) -> SlicedBy:
    return SlicedBy.model_validate({**facts, "n": int((group >= 0).sum()), "n_without": int((group < 0).sum())})


def _from_pixels(name: str, numbers: Reals) -> Attribute:
    measure = MEASURES[name]
    facts: dict[str, Any] = {"by": name, "source": "computed", "unit": measure.unit}
    if measure.names is None:
        if not np.isfinite(numbers).any():
            return grouped([None] * len(numbers), **facts)
        return binned(numbers, edges=measure.edges, **facts)
    group = np.where(np.isnan(numbers), -1, numbers).astype(np.int64)
    group, kept = _without_gaps(group)
    return Attribute(_counted(group, **facts), tuple(measure.names[at] for at in kept), group)


def _folders(keys: Sequence[str], keys_root: Path, asked: Asked) -> Attribute | str:
    """The folder of each image; with class folders those inside them, whatever the class."""
    root = find_part(asked.data, split=asked.split).root
    below = "" if root == keys_root or not root.is_relative_to(keys_root) else f"{root.relative_to(keys_root)}/"
    parents = [PurePosixPath(key.removeprefix(below)).parent for key in keys]
    unit = "folder below the part"
    if asked.truth is None:
        parents = [PurePosixPath(*parent.parts[1:]) for parent in parents]
        unit = "folder below the class folder"
        if not any(parent.parts for parent in parents):
            return "No slices by folder: every image lies in its class folder itself, and classes have their own table."
    return grouped([str(parent) for parent in parents], by="folder", source="computed", unit=unit)
