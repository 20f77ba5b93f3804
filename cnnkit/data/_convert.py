"""Data sets in their own files become what cnnkit and others read: `cnnkit data convert`."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnkit.data._arrays import ImageArrays, hold_out, pictures
from cnnkit.data._box_sources import BOX_FORMATS, BoxSource, open_boxes
from cnnkit.data._cifar import is_cifar, read_cifar
from cnnkit.data._convert_boxes import (
    BoxPart,
    digest_of,
    notes_of,
    picture_folder,
    read_box_parts,
    write_box_parts,
)
from cnnkit.data._digit_scenes import N_SCENES, SCENES_SOURCE, write_scenes
from cnnkit.data._digits import HOLDOUT, read_digits
from cnnkit.data._idx import DIGIT_NAMES, FASHION_NAMES, idx_pairs, read_idx_set
from cnnkit.data._image_folder import Progress, write_folder, write_image_folder
from cnnkit.data._labels import read_labels
from cnnkit.errors import DataError
from cnnkit.files import sha256_of

DIGITS_SOURCE = "sklearn:digits"


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written where; `parts` counts the images of each part, "all" where there are none."""

    folder: Path
    format: str
    to: str
    parts: dict[str, int]
    notes: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class _Asked:
    """The arguments of `convert`."""

    source: Path
    output: Path
    to: str | None
    split: str | None
    holdout: int | None
    names: tuple[str, ...] | None
    coarse: bool
    images: Path | None
    copy_images: bool
    seed: int
    overwrite: bool
    progress: Progress


# format of images in arrays -> its reader
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
    to: str | None = None,
    split: str | None = None,
    holdout: int | None = None,
    labels: Path | None = None,
    coarse: bool = False,
    images: Path | None = None,
    copy_images: bool = False,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> Converted:
    """Write a data set in its own files as an image folder with parts, or labelled boxes in another format.

    Args:
        source: the folder or file of the data set, "sklearn:digits" or "sklearn:digit-scenes".
        output: the folder to write; one that holds the same conversion already is left alone.
        format: one of `IMAGE_SETS` or `BOX_FORMATS`; None goes by the files that are there.
        to: for boxes one of `BOX_FORMATS`, by default coco.
        split: write this part alone.
        holdout: set every n-th image aside: as test when there is one part, as val when test is there.
        labels: a file that names the classes, in place of the data set's own.
        coarse: CIFAR-100's 20 superclasses.
        images: where the pictures of labelled boxes are, when not in a usual place.
        copy_images: copy the pictures of labelled boxes too.
        seed: of scenes that are drawn.
        overwrite: replace what an earlier conversion wrote there.
        progress: is told how many images are written, of how many.

    Raises:
        DataError: the source is not of that format, is damaged, or the output holds something else.
    """
    names = tuple(entry.name for entry in read_labels(labels).classes) if labels else None
    asked = _Asked(
        Path(source), output, to, split, holdout, names, coarse, images, copy_images, seed, overwrite, progress
    )
    if str(source) == SCENES_SOURCE:
        return _convert_scenes(asked)
    chosen = format or _recognise(asked)
    if chosen in IMAGE_SETS:
        return _convert_images(asked, chosen)
    if chosen in BOX_FORMATS:
        return _convert_boxes(asked, open_boxes(asked.source, format=chosen, names=names))
    raise DataError(f"format {chosen!r} is not known; there are {', '.join((*IMAGE_SETS, *BOX_FORMATS))}.")


def write_digits(folder: Path, *, progress: Progress = lambda done, total: None) -> int:
    """Write scikit-learn's digits as PNG class folders, every third under test/, the rest under train/; how many.

    A folder that holds them already is left alone.
    """
    return convert(DIGITS_SOURCE, folder, progress=progress).n


def write_digit_scenes(folder: Path, *, seed: int = 0, progress: Progress = lambda done, total: None) -> int:
    """Write scenes of scikit-learn's digits with COCO's labels, in the parts train, val and test; how many.

    Every third digit stands in the test scenes alone. The same seed writes the same bytes. A folder that holds them
    already is left alone.
    """
    return convert(SCENES_SOURCE, folder, seed=seed, progress=progress).n


def _recognise(asked: _Asked) -> str:
    if str(asked.source) == DIGITS_SOURCE:
        return "digits"
    if not asked.source.exists():
        made = f"scikit-learn's digits are {DIGITS_SOURCE!r}, scenes of them {SCENES_SOURCE!r}"
        raise DataError(f"{asked.source}: no such file or folder. {made}.")
    if idx_pairs(asked.source):
        return "idx"
    if is_cifar(asked.source):
        return "cifar"
    try:
        return open_boxes(asked.source).format
    except DataError as error:
        known = ", ".join((*IMAGE_SETS, *BOX_FORMATS))
        raise DataError(f"{error} The formats are {known}: --from FORMAT.") from error


def _convert_images(asked: _Asked, format: str) -> Converted:
    if asked.to is not None:
        raise DataError(f"{asked.source}: {format} becomes an image folder; --to is for labelled boxes.")
    parts = IMAGE_SETS[format](asked)
    every = HOLDOUT if format == "digits" and asked.holdout is None else asked.holdout
    parts = _wanted(asked, hold_out(parts, every) if every else parts)
    counts = {arrays.part: len(arrays.labels) for arrays in parts}
    write_image_folder(
        asked.output,
        pictures(parts),
        source=_identity(asked, format, every=every),
        total=sum(counts.values()),
        overwrite=asked.overwrite,
        progress=asked.progress,
    )
    return Converted(asked.output, format, "image folder", counts)


def _convert_boxes(asked: _Asked, source: BoxSource) -> Converted:
    if asked.holdout:
        raise DataError(f"{asked.source}: --holdout is for images in arrays; labelled boxes keep their parts.")
    to = asked.to or "coco"
    parts = read_box_parts(source, split=asked.split, images=asked.images)
    counts = {part.name or "all": len(part.truth.keys) for part in parts}
    lost: list[str] = []

    def write(folder: Path) -> int:
        lost.extend(write_box_parts(parts, folder, to, copy_images=asked.copy_images, progress=asked.progress))
        return sum(counts.values())

    identity = f"{source.format} {asked.source.name} to {to}, {'images copied, ' if asked.copy_images else ''}"
    write_folder(asked.output, write, source=f"{identity}sha256 {digest_of(parts)[:16]}", overwrite=asked.overwrite)
    return Converted(asked.output, source.format, to, counts, (*notes_of(parts), *lost))


def _convert_scenes(asked: _Asked) -> Converted:
    if asked.holdout or asked.names or asked.images:
        raise DataError(f"{asked.source}: is drawn with its parts and names; --split, --to and --seed are for it.")
    to = asked.to or "coco"
    if to not in BOX_FORMATS:
        raise DataError(f"format {to!r} is not one of labelled boxes; there are {', '.join(BOX_FORMATS)}.")
    counts = {part: n for part, n in N_SCENES.items() if asked.split in (None, "all", part)}
    if not counts:
        raise DataError(f"{asked.source}: no part {asked.split!r}; its parts are {', '.join(N_SCENES)}.")

    def write(folder: Path) -> int:
        parts: list[BoxPart] = []
        written = itertools.count(1)
        for part in counts:
            pictures = picture_folder(folder, to, part)
            truth = write_scenes(
                pictures, part, seed=asked.seed, report=lambda n: asked.progress(next(written), sum(counts.values()))
            )
            parts.append(BoxPart(part, truth, pictures, ()))
        write_box_parts(parts, folder, to, copy_images=False, progress=asked.progress)
        return sum(counts.values())

    said = f"{asked.source}, seed {asked.seed}, to {to}{f', {asked.split}' if asked.split else ''}"
    write_folder(asked.output, write, source=said, overwrite=asked.overwrite)
    return Converted(asked.output, "digit-scenes", to, counts)


def _wanted(asked: _Asked, parts: Sequence[ImageArrays]) -> list[ImageArrays]:
    wanted = [arrays for arrays in parts if asked.split in (None, "all", arrays.part)]
    if not wanted:
        have = ", ".join(arrays.part for arrays in parts)
        raise DataError(f"{asked.source}: no part {asked.split!r}; its parts are {have}.")
    return wanted


def _identity(asked: _Asked, format: str, **options: object) -> str:
    """What was asked for, so that the same can be told from another: sources by content."""
    options |= {"split": asked.split, "coarse": asked.coarse, "names": asked.names}
    said = [f"{name} {value}" for name, value in options.items() if value]
    return ", ".join([f"{format} {asked.source.name}", *_digests(asked.source), *said])


def _digests(source: Path) -> list[str]:
    files = [source] if source.is_file() else sorted(source.iterdir()) if source.is_dir() else []
    return [f"{path.name} sha256 {sha256_of(path)[:16]}" for path in files if path.is_file()]
