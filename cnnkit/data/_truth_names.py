"""What the truth calls its classes, before any model's classes are known."""

from collections.abc import Iterable
from pathlib import Path

from cnnkit.data._folders import class_of_key
from cnnkit.data._label_sets_file import read_label_sets_file
from cnnkit.data._parts import ALL, find_parts
from cnnkit.data._truth_file import read_truth_file


def read_truth_names(
    data: Path, *, keys: Iterable[str], truth: Path | None = None, multilabel: bool = False, split: str | None = None
) -> tuple[str, ...]:
    """The names of class folders, or in a truth file, as they are written there, sorted.

    `keys` are the images of the part that `split` chooses, relative to it.

    Raises:
        DataError: as `read_truth` and `read_label_sets` of the same file.
    """
    if truth is not None and multilabel:
        return tuple(sorted({label for line in read_label_sets_file(truth).values() for label in line.labels}))
    if truth is not None:
        return tuple(sorted({line.label for line in read_truth_file(truth).values()}))
    parts = {folder.name for folder in find_parts(data).values()} if split == ALL else set()
    below = (key.partition("/")[2] if key.partition("/")[0] in parts else key for key in keys)
    return tuple(sorted({folder for key in below if (folder := class_of_key(key)) is not None}))
