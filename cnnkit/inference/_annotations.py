"""Answers drawn on their pictures, one after the other, from a run and the files that it was made from."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import data, images, pipeline, predictions, runtime
from cnnkit.errors import ImageError, UsageError
from cnnkit.files import write_bytes, write_text
from cnnkit.predictions import Run, rows_from_table
from cnnkit.records import Classification, Detections, Row
from cnnkit.spec import ModelSpec

SUFFIXES = (".jpg", ".jpeg", ".png")  # what is written; pictures of other kinds get .jpg behind their name
RECORD = ".annotated.json"
JPEG_QUALITY = 90

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Annotated:
    """How many pictures were drawn, were there from before, and could not be read now."""

    folder: Path
    drawn: int
    present: int
    unread: int


def annotate(
    run: Path,
    images_root: Path,
    folder: Path,
    *,
    all_files: bool = False,
    overwrite: bool = False,
    max_pixels: int | None = None,
    workers: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Annotated:
    """Draw a run's answers into `folder`, under each image's key; what is there already is left.

    Pictures are written whole, in key order, a few in memory at a time. Images without an answer get none.

    Raises:
        UsageError: the folder holds other files or another run's pictures (unless `overwrite`), or holds or lies in
            the folder of the images.
    """
    opened = predictions.open_run(run)
    assert opened.manifest is not None
    check_pictures_folder(folder, images_root)
    _claim(folder, opened, overwrite=overwrite)
    places = {sample.key: sample.path for sample in data.find_images(images_root, all_files=all_files)}
    drawer = _Drawer(opened.spec, max_pixels or images.DEFAULT_MAX_PIXELS)
    jobs = ((row, places.get(row.key), folder / picture_name(row.key)) for row in _answered(opened))
    counts, total = {"drawn": 0, "present": 0, "unread": 0}, opened.manifest.counts.get("ok", 0)
    for outcome in _in_order(drawer.write, jobs, workers or runtime.available_cores().count):
        counts[outcome] += 1
        progress(sum(counts.values()), total)
    return Annotated(folder, **counts)


def annotate_photo(model: pipeline.Model, image: Path, row: Row, target: Path, *, overwrite: bool = False) -> Path:
    """Draw the answer for one photo; `target` is a picture, or a folder for one of the photo's name."""
    suffix = target.suffix.lower()
    if suffix in data.IMAGE_SUFFIXES and suffix not in SUFFIXES and not target.is_dir():
        raise UsageError(f"{target}: pictures are written as .jpg or .png. Give such a name, or a folder.")
    path = target if suffix in SUFFIXES else target / picture_name(image.name)
    if path.exists() and path.samefile(image):
        raise UsageError(f"{path}: is the photo itself. Give another name for the picture that is drawn.")
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: is there already. Give --overwrite to replace it, or another name.")
    write_picture(path, drawn(images.decode(pipeline.read_file(image), model.spec.decode), row, model.spec))
    return path


def picture_name(key: str) -> str:
    """The name of the picture of a key: JPEG and PNG keep theirs.

    >>> picture_name("cats/1.JPG"), picture_name("cats/1.webp")
    ('cats/1.JPG', 'cats/1.webp.jpg')
    """
    return key if PurePosixPath(key).suffix.lower() in SUFFIXES else f"{key}.jpg"


def drawn(picture: NDArray[np.uint8], row: Row, spec: ModelSpec) -> NDArray[np.uint8]:
    """A detector's boxes, or a classifier's best class in a corner, on the RGB picture."""
    from cnnkit.drawing.annotations import draw_boxes, draw_title  # a tenth of a second, for those who draw

    answer = row.prediction
    if isinstance(answer, Detections):
        order = np.argsort(-answer.scores, kind="stable")
        classes = answer.classes[order].tolist()
        scores = answer.scores[order].tolist()
        labels = [f"{spec.names[label]} {score:.2f}" for label, score in zip(classes, scores, strict=True)]
        return draw_boxes(picture, answer.boxes[order], labels, classes)
    assert isinstance(answer, Classification)
    best = int(answer.top_ids[0])
    return draw_title(picture, f"{spec.names[best]} {answer.scores[best]:.2f}", best)


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """RGB as PNG or JPEG, as the name says, whole or not at all."""
    import cv2

    kind, how = (".png", []) if path.suffix.lower() == ".png" else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    done, content = cv2.imencode(kind, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), how)
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of {picture.shape}")
    write_bytes(path, content.tobytes())


@dataclass(frozen=True)
class _Drawer:
    spec: ModelSpec
    max_pixels: int

    def write(self, row: Row, source: Path | None, target: Path) -> str:
        """`present`, `drawn`, or `unread` where the image is not as it was when it was run."""
        if target.exists():
            return "present"
        try:
            if source is None:
                return "unread"
            picture = images.decode(pipeline.read_file(source), self.spec.decode, max_pixels=self.max_pixels)
        except ImageError:
            return "unread"
        if picture.shape[:2] != (row.height, row.width):
            return "unread"
        write_picture(target, drawn(picture, row, self.spec))
        return "drawn"


def _answered(run: Run) -> Iterator[Row]:
    for batch in run.batches():
        yield from (row for row in rows_from_table(batch) if row.prediction is not None)


def _in_order(work: Callable[..., str], jobs: Iterable[tuple[Any, ...]], workers: int) -> Iterator[str]:
    """What `work` returns for each job, in their order, two a worker begun ahead."""
    with images.opencv_on_one_thread(), ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[str]] = deque()
        try:
            for job in jobs:
                waiting.append(pool.submit(work, *job))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()


def check_pictures_folder(folder: Path, images_root: Path) -> None:
    """UsageError for a folder that pictures of a run cannot go to; called before anything is run."""
    ours, theirs = folder.resolve(), images_root.resolve()
    if (folder.exists() and not folder.is_dir()) or folder.suffix.lower() in SUFFIXES:
        raise UsageError(f"{folder}: the pictures of a run go into a folder. Give --annotate DIR.")
    if (images_root.is_dir() and ours.is_relative_to(theirs)) or ours == theirs.parent:
        raise UsageError(
            f"{folder}: the images lie there, and the pictures drawn would be among those of the next run. "
            f"Give --annotate another folder."
        )
    if _record(folder) is None and folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: not empty, and not drawn by cnnkit. Give --annotate another folder.")


def _claim(folder: Path, run: Run, *, overwrite: bool) -> None:
    """Note whose pictures these are; those of other predictions are taken away if they may."""
    wanted = {"predictions_sha256": run.manifest.predictions_sha256 if run.manifest else None}
    present = _record(folder)
    for left in folder.rglob(".*.tmp") if present else ():  # a killed process wrote it half
        left.unlink(missing_ok=True)
    if present == wanted and not overwrite:
        return
    if present is not None:
        if not overwrite:
            raise UsageError(
                f"{folder}: holds pictures of other predictions. Give --annotate another folder; --overwrite runs "
                f"anew and replaces them."
            )
        for row in _answered(run):
            (folder / picture_name(row.key)).unlink(missing_ok=True)
    write_text(folder / RECORD, json.dumps(wanted) + "\n")


def _record(folder: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError):
        return None
    return found
