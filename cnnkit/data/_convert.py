"""Data sets in their own files become what cnnkit reads: `cnnkit data convert`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnkit.data._arrays import ImageArrays, hold_out, pictures
from cnnkit.data._cifar import is_cifar, read_cifar
from cnnkit.data._digits import HOLDOUT, read_digits
from cnnkit.data._idx import DIGIT_NAMES, FASHION_NAMES, idx_pairs, read_idx_set
from cnnkit.data._image_folder import Progress, write_image_folder
from cnnkit.data._labels import read_labels
from cnnkit.errors import DataError
from cnnkit.files import sha256_of

DIGITS_SOURCE = "sklearn:digits"


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written where; `parts` counts the images of each part."""

    folder: Path
    format: str
    n: int
    parts: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Asked:
    source: Path
    names: tuple[str, ...] | None
    coarse: bool


# format -> its reader
IMAGE_SETS: dict[str, Callable[[_Asked], list[ImageArrays]]] = {
    "idx": lambda asked: read_idx_set(asked.source, names=asked.names or DIGIT_NAMES),
    "fashion": lambda asked: read_idx_set(asked.source, names=asked.names or FASHION_NAMES),
    "cifar": lambda asked: read_cifar(asked.source, coarse=asked.coarse, names=asked.names),
    "digits": lambda asked: read_digits(),
}


def convert(
    source: str | Path,
    output: Path,
    *,
    format: str | None = None,
    split: str | None = None,
    holdout: int | None = None,
    labels: Path | None = None,
    coarse: bool = False,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> Converted:
    """Read a data set in its own files and write it as an image folder with parts.

    Args:
        source: the folder or file of the data set, or "sklearn:digits".
        output: the folder to write; one that holds the same conversion already is left alone.
        format: one of `IMAGE_SETS`; None goes by the files that are there.
        split: write this part alone.
        holdout: set every n-th image aside: as test when there is one part, as val when test is there.
        labels: a file that names the classes, in place of the data set's own.
        coarse: CIFAR-100's 20 superclasses.
        overwrite: replace what an earlier conversion wrote there.
        progress: is told how many images are written, of how many.

    Raises:
        DataError: the source is not of that format, is damaged, or the output holds something else.
    """
    chosen = format or _recognise(source)
    if chosen not in IMAGE_SETS:
        raise DataError(f"format {chosen!r} is not known; there are {', '.join(IMAGE_SETS)}.")
    names = tuple(entry.name for entry in read_labels(labels).classes) if labels else None
    parts = IMAGE_SETS[chosen](_Asked(Path(source), names, coarse))
    every = HOLDOUT if chosen == "digits" and holdout is None else holdout
    parts = _wanted(source, hold_out(parts, every) if every else parts, split)
    counts = {arrays.part: len(arrays.labels) for arrays in parts}
    total = sum(counts.values())
    identity = _identity(source, chosen, every=every, split=split, coarse=coarse, names=names)
    n = write_image_folder(
        output, pictures(parts), source=identity, total=total, overwrite=overwrite, progress=progress
    )
    return Converted(output, chosen, n, counts)


def _recognise(source: str | Path) -> str:
    path = Path(source)
    if str(source) == DIGITS_SOURCE:
        return "digits"
    if not path.exists():
        raise DataError(f"{source}: no such file or folder. scikit-learn's digits are {DIGITS_SOURCE!r}.")
    if idx_pairs(path):
        return "idx"
    if is_cifar(path):
        return "cifar"
    raise DataError(f"{source}: not recognised as one of {', '.join(IMAGE_SETS)}. Say which it is: --from FORMAT.")


def _wanted(source: str | Path, parts: Sequence[ImageArrays], split: str | None) -> list[ImageArrays]:
    wanted = [arrays for arrays in parts if split in (None, "all", arrays.part)]
    if not wanted:
        raise DataError(f"{source}: no part {split!r}; its parts are {', '.join(arrays.part for arrays in parts)}.")
    return wanted


def _identity(source: str | Path, chosen: str, **options: object) -> str:
    """What was asked for, so that the same can be told from another: sources by content."""
    said = [f"{name} {value}" for name, value in options.items() if value]
    return ", ".join([f"{chosen} {Path(source).name}", *_digests(Path(source)), *said])


def _digests(source: Path) -> list[str]:
    files = [source] if source.is_file() else sorted(source.iterdir()) if source.is_dir() else []
    return [f"{path.name} sha256 {sha256_of(path)[:16]}" for path in files if path.is_file()]
