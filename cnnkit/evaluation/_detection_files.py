"""Another tool's detections in COCO's results file, scored without a model."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit.data import DetectionTruth, read_boxes, read_coco_results
from cnnkit.evaluation._detection_boxes import Boxes, limits_up_to
from cnnkit.evaluation._detection_measure import measure_boxes, n_classes_scored, notes_on
from cnnkit.evaluation._detection_protocols import chosen_protocols
from cnnkit.evaluation._detection_rows import rows_of
from cnnkit.evaluation._facts import place, versions_here
from cnnkit.evaluation._scored import Asked
from cnnkit.files import sha256_of
from cnnkit.results import DataFacts, ModelFacts, Results, RunFacts
from cnnkit.spec import ClassName

if TYPE_CHECKING:
    import pyarrow as pa


def is_results_file(path: Path) -> bool:
    """Whether these are predictions in one file: a .json is neither a run folder nor a model."""
    return path.suffix.lower() == ".json" and not path.is_dir()


def score_file(path: Path, asked: Asked, output: Path | None) -> tuple[Results, "pa.Table | None"]:
    """Results of a results file against the truth in `asked.data`, and their rows where there is an `output`.

    Raises:
        DataError: as `data.read_boxes` and `data.read_coco_results`.
    """
    source = asked.truth or asked.data
    truth = read_boxes(source, split=asked.split)
    found = read_coco_results(path, truth, ignore_unknown_images=asked.ignore_unknown_images)
    boxes = Boxes(truth, found, limits_up_to(asked.max_detections))
    protocols = chosen_protocols(asked.protocol, default="voc12" if truth.form == "corners" else "coco")
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
        warnings=notes_on(boxes, protocols),
        **measure_boxes(boxes, protocols, asked),
    )
    return results, None if output is None else rows_of(boxes)


def _fingerprint(truth: DetectionTruth) -> str:
    """As of a run, for files that were not read."""
    lines = "".join(f"{key}\t-\n" for key in sorted(truth.keys))
    return hashlib.sha256(lines.encode()).hexdigest()
