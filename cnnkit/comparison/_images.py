"""Are these the same images? By key and by the hash of the file; what differs is refused with counts and an example."""

from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import commonpath

import numpy as np
from numpy.typing import NDArray

from cnnkit.comparison._contender import Contender
from cnnkit.errors import DataError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SameImages:
    """The images that all have, by the first one's keys, and for each contender the rows that they stand in: (n,)."""

    keys: tuple[str, ...]
    rows: tuple[Ints, ...]
    notes: tuple[str, ...] = ()


def same_images(contenders: Sequence[Contender]) -> SameImages:
    """Refuse other images; a digest that one side does not have is no difference, but is said."""
    first, *others = contenders
    keys = _keys(first)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    wanted = tuple(keys[at] for at in order)
    rows, notes = [np.array(order, dtype=np.int64)], list(_unhashed(first, first))
    for other in others:
        places = {key: at for at, key in enumerate(_led_alike(wanted, _keys(other)))}
        _refuse_other_keys(first, set(wanted), other, set(places))
        rows.append(np.array([places[key] for key in wanted], dtype=np.int64))
        _refuse_other_files(first, other, wanted, rows)
        notes += _unhashed(first, other) if other.rows.column("digest").null_count else ()
    own: list[str] = first.rows.column("key").take(rows[0]).to_pylist()
    return SameImages(tuple(own), tuple(rows), tuple(dict.fromkeys(notes)))


def _keys(contender: Contender) -> list[str]:
    """Without the part that all begin with: a run over the whole folder has it in its keys, one over the part not."""
    keys: list[str] = contender.rows.column("key").to_pylist()
    lead = f"{contender.results.data.part}/"
    return [key.removeprefix(lead) for key in keys] if all(key.startswith(lead) for key in keys) else keys


def _led_alike(wanted: Sequence[str], keys: Sequence[str]) -> Sequence[str]:
    """`keys` with the folder that all of `wanted` lie in for their own, where that makes them the same images."""
    if set(wanted) == set(keys):
        return keys
    lead, own = _folder_of_all(wanted), _folder_of_all(keys)
    alike = [lead + key.removeprefix(own) for key in keys]
    return alike if set(alike) == set(wanted) else keys


def _folder_of_all(keys: Sequence[str]) -> str:
    folder = commonpath([key.rpartition("/")[0] for key in keys])
    return f"{folder}/" if folder else ""


def _refuse_other_keys(first: Contender, wanted: set[str], other: Contender, found: set[str]) -> None:
    if wanted == found:
        return
    told = [
        f"{len(mine - theirs):,} of {len(mine):,} images are in {who.source} alone (such as {min(mine - theirs)!r})"
        for who, mine, theirs in ((first, wanted, found), (other, found, wanted))
        if mine - theirs
    ]
    raise DataError(
        f"{other.source} cannot be compared with {first.source}: {'; '.join(told)}. A paired comparison needs the same "
        f"images: score both models on the same folder and part."
    )


def _refuse_other_files(first: Contender, other: Contender, keys: Sequence[str], rows: Sequence[Ints]) -> None:
    digests = [
        contender.rows.column("digest").take(places).to_pylist()
        for contender, places in ((first, rows[0]), (other, rows[-1]))
    ]
    changed = [key for key, a, b in zip(keys, *digests, strict=True) if a is not None and b is not None and a != b]
    if changed:
        raise DataError(
            f"{other.source} cannot be compared with {first.source}: {len(changed):,} of {len(keys):,} images have the "
            f"same name and another content (such as {changed[0]!r}). Score both models on the same files."
        )


def _unhashed(first: Contender, other: Contender) -> list[str]:
    """Where results hold no hash of any file, images are paired by name alone."""
    column = other.rows.column("digest")
    if column.null_count < len(column) or not len(column):
        return []
    return [f"{other.name} has no hashes of its images: they are paired by name alone"]
