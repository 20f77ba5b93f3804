"""A folder of labelled images looked over before anything is trained on it or scored with it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cnnkit.data import find_images, find_parts
from cnnkit.evaluation._label_health import LISTED, LabelledImage, alike, conflict, group_of, near_groups, worst_first
from cnnkit.evaluation._likeness import looks
from cnnkit.results import Duplicates


class DataCheck(BaseModel):
    """What was found. Keys are relative to the folder; the lists are cut, the counts are not.

    `n_extra` images are the same as an earlier one to the pixel; `n_conflicts` groups of the same picture lie in
    different class folders, `n_across` in different parts. `n_near` pairs are nearly the same; None where there are too
    many pictures to look for them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str
    parts: dict[str, int]
    n_unread: int
    unread: tuple[str, ...]
    n_extra: int
    n_conflicts: int
    n_across: int
    n_near: int | None
    duplicates: tuple[Duplicates, ...]

    @property
    def problems(self) -> list[str]:
        """A sentence for each kind of mistake; near pictures and copies in one class are none."""
        found = {
            f"{self.n_unread} files cannot be read": self.n_unread,
            f"{self.n_conflicts} pictures lie in different class folders": self.n_conflicts,
            f"{self.n_across} pictures lie in different parts": self.n_across,
        }
        return [sentence for sentence, n in found.items() if n]


def check_data(data: Path | str, *, progress: Callable[[int, int], None] = lambda done, total: None) -> DataCheck:
    """Read every image of a folder, or of its parts, and compare them by their pixels.

    `progress` is told (done, total) images.

    Raises:
        DataError: no such folder, or no image in it.
    """
    folder = Path(data)
    parts = find_parts(folder) or {"": folder}
    images = [image for root in parts.values() for image in _images(folder, root)]
    seen = looks(
        folder,
        [each.key for each in images],
        [None] * len(images),
        progress=lambda done: progress(done, len(images)),
    )
    groups = alike(images, [each.pixels if each else None for each in seen])
    near = near_groups(images, seen)
    unread = [image.key for image, look in zip(images, seen, strict=True) if look is None]
    counts = {name: sum(1 for each in images if each.key.startswith(_below(folder, at))) for name, at in parts.items()}
    return DataCheck(
        folder=str(folder),
        parts=counts if "" not in parts else {"all": len(images)},
        n_unread=len(unread),
        unread=tuple(unread[:LISTED]),
        n_extra=sum(len(group) - 1 for group in groups),
        n_conflicts=sum(conflict(group) for group in groups),
        n_across=sum(_across(folder, list(parts.values()), group) for group in groups),
        n_near=None if near is None else len(near),
        duplicates=worst_first([*(group_of("pixels", group) for group in groups), *(near or ())]),
    )


def _images(folder: Path, root: Path) -> list[LabelledImage]:
    """With keys below `folder`; the label is the class folder."""
    below = _below(folder, root)
    keys = list(find_images(root).keys)
    names = [key.partition("/")[0] if "/" in key else "" for key in keys]
    return [LabelledImage(below + key, name, name or None) for key, name in zip(keys, names, strict=True)]


def _below(folder: Path, root: Path) -> str:
    return "" if root == folder else f"{root.relative_to(folder).as_posix()}/"


def _across(folder: Path, roots: Sequence[Path], group: Sequence[LabelledImage]) -> bool:
    places = [_below(folder, root) for root in roots]
    return len({place for place in places for each in group if each.key.startswith(place)}) > 1
