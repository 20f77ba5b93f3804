"""Another tool's detections in COCO's results file, scored without a model."""

import hashlib
from pathlib import Path

from cnnkit.data import DetectionTruth, find_pictures, open_boxes, read_boxes, read_coco_results, rename_classes
from cnnkit.errors import UsageError
from cnnkit.evaluation._detection_boxes import Boxes, limits_up_to
from cnnkit.evaluation._detection_details import Details
from cnnkit.evaluation._detection_form import notes_on_coverage
from cnnkit.evaluation._detection_measure import measure_boxes, n_classes_scored, notes_on
from cnnkit.evaluation._detection_protocols import chosen_protocols
from cnnkit.evaluation._detection_rows import rows_of
from cnnkit.evaluation._detection_run import default_protocol
from cnnkit.evaluation._detection_slices import with_box_slices
from cnnkit.evaluation._facts import place, versions_here
from cnnkit.evaluation._fitting import refuse_what_does_not_fit
from cnnkit.evaluation._scored import Asked
from cnnkit.files import sha256_of
from cnnkit.results import DataFacts, ModelFacts, Results, RunFacts, write_results
from cnnkit.spec import ClassName


def is_results_file(path: Path) -> bool:
    """Whether these are predictions in one file: a .json is neither a run folder nor a model."""
    return path.suffix.lower() == ".json" and not path.is_dir()


def score_file(path: Path, asked: Asked, output: Path | None) -> tuple[Results, Boxes]:
    """Results of a results file against the truth in `asked.data`, and what they were measured on.

    Raises:
        DataError: as `data.read_boxes` and `data.read_coco_results`.
    """
    refuse_what_does_not_fit(asked, "detection")
    if asked.truth_index:
        raise UsageError(
            f"{path} is a file of detections in the labels' own classes: --truth-index would change nothing."
        )
    source = asked.truth or asked.data
    _refuse_swapped(path, source)
    truth = read_boxes(source, split=asked.split)
    if asked.class_map:
        truth = rename_classes(truth, asked.class_map)
    found = read_coco_results(
        path, truth, ignore_unknown_images=asked.ignore_unknown_images, by_name=bool(asked.class_map)
    )
    boxes = Boxes(truth, found, limits_up_to(asked.max_detections))
    protocols = chosen_protocols(asked.protocol, default=default_protocol(truth))
    results = Results(
        task="detection",
        model=ModelFacts(name=path.stem),
        run=RunFacts(path=place(path, output), sha256=sha256_of(path)),
        classes=tuple(ClassName(name=name) for name in truth.classes),
        data=DataFacts(
            root=place(source if source.is_dir() else source.parent, output),
            truth=place(truth.source, output),
            fingerprint=_fingerprint(truth),
            n=boxes.n_images,
            n_classes=len(truth.classes),
            n_classes_scored=n_classes_scored(boxes, protocols),
        ),
        versions=versions_here("hotcoco", "msgspec"),
        warnings=(*notes_on_coverage(truth, found), *notes_on(boxes, protocols)),
        **measure_boxes(boxes, protocols, asked),
    )
    root = asked.data if asked.truth is not None and asked.data.is_dir() else None
    return with_box_slices(results, boxes, protocols[0], asked, root=root), boxes


def _refuse_swapped(path: Path, source: Path) -> None:
    """A ground truth is an object, detections are a list: the first character tells."""
    if source.suffix.lower() == ".json" and (_first_mark(path), _first_mark(source)) == (b"{", b"["):
        raise UsageError(
            f"{path} looks like a ground truth and {source} like detections: they seem to be swapped. The order is "
            f"DETECTIONS, then DATA: cnnkit eval {source} {path}."
        )


def _first_mark(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


def write_file_results(output: Path, results: Results, boxes: Boxes, asked: Asked, *, report: bool) -> None:
    """The results folder; its page has pictures where they lie beside the labels, or in DATA beside --truth."""
    rows = rows_of(boxes)
    write_results(output, results, rows)
    if report:
        from cnnkit.evaluation._detection_drawn import drawn_boxes
        from cnnkit.report import write_report

        protocol = chosen_protocols(asked.protocol, default=default_protocol(boxes.truth))[0]
        drawn = drawn_boxes(Details(boxes, protocol))
        write_report(output, results, rows=rows, images_root=_pictures(boxes.truth, asked), drawn=drawn)


def _pictures(truth: DetectionTruth, asked: Asked) -> Path | None:
    if asked.truth is not None and asked.data.is_dir():
        return asked.data
    part = open_boxes(asked.truth or asked.data).part(asked.split)
    return find_pictures(truth.source, part, truth.keys)


def _fingerprint(truth: DetectionTruth) -> str:
    """As of a run, for files that were not read."""
    lines = "".join(f"{key}\t-\n" for key in sorted(truth.keys))
    return hashlib.sha256(lines.encode()).hexdigest()
